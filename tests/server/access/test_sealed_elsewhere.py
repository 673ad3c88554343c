"""Bytes in two hearings: what one shows in a sealed part alone, the other gives to nobody who may not see it."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from tests.server.access.test_sealed_parts import PICTURE, at_room_time
from tests.support.peers.center_peers import (
    ROOM_NS,
    RoomPeer,
    Served,
    event,
    metadata,
    opening,
    until,
)
from tests.support.peers.device_signatures import signed_claim

pytestmark = pytest.mark.both_databases

ROOM_MS = ROOM_NS / 1e6
PDF = b"%PDF-1.4 the same evidence"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def of(hearing: str, one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "hearing": hearing}


def evidence(hearing: str, first: int, shown_ms: list[int], segment: bytes) -> list[dict[str, Any]]:
    """A hearing that shows page 1 of the exhibit at these moments, for half a second each."""
    opened = of(hearing, opening(first))
    opened["body"]["tracks"] = [{"id": "bench", "kind": "video", "name": "审判席"}]
    exhibit = {"id": "e", "number": 1, "title": "证据", "filename": "e.pdf", "media_type": "application/pdf", "sm3": ""}
    picture = {"page": 1, "scale": 1, "width": 9, "height": 9, "bytes": len(PICTURE), "sha256": sha256(PICTURE)}
    kept = {"track": "bench", "index": 0, "file": "bench/00000.mp4", "bytes": len(segment), "sha256": sha256(segment)}
    kept |= {"from_ns": ROOM_NS, "to_ns": ROOM_NS + 4 * 10**9, "fragments": 1, "mime": "video/mp4"}
    said: list[tuple[str, dict[str, Any], int]] = [
        ("exhibit", {**exhibit, "sha256": sha256(PDF), "bytes": len(PDF), "pages": 1}, 10),
        ("drawn", {"exhibit": "e", "of": sha256(PDF), "pictures": [picture]}, 20),
    ]
    for at_ms in shown_ms:
        said += [
            ("present", {"exhibit": "e", "page": 1, "zoom": 1, "x": 0, "y": 0}, at_ms),
            ("withdraw", {}, at_ms + 500),
        ]
    said.append(("segment", kept, 3900))
    numbered = enumerate(said, start=first + 1)
    return [opened, *(of(hearing, event(number, kind, body, at_ms=at)) for number, (kind, body, at) in numbered)]


async def store(served: Served, hearing: str, kind: str, data: bytes) -> None:
    async with served.uploader() as (tus, _):
        upload = await tus.create({**metadata(0), "hearing": hearing, "kind": kind})
        await tus.append(upload, 0, data)
        claim = {"upload": upload, "room": "court1/c03", "hearing": hearing, "kind": kind, "track": "bench", "index": 0}
        assert (await tus.hand_over(signed_claim({**claim, "sha256": sha256(data), "bytes": len(data)})))[0] > 0


@pytest.mark.parametrize(("also_shown_ms", "given"), [(None, False), (3000, True)])
async def test_what_another_hearing_shows_in_a_sealed_part_alone_is_not_given_out_by_this_one(
    served: Served, room: RoomPeer, footage: bytes, also_shown_ms: int | None, given: bool
) -> None:
    segment = at_room_time(footage)
    shown = [1200] if also_shown_ms is None else [1200, also_shown_ms]
    events = [*evidence("h1", 1, shown, segment), *evidence("h2", 50, [100], segment)]
    for one in events:
        room.publish("events", one)
    await until(lambda: {one["number"] for one in events} <= room.receipts())
    for hearing in ("h1", "h2"):
        for kind, data in (("exhibit", PDF), ("page", PICTURE), ("segment", segment)):
            await store(served, hearing, kind, data)

    async def got(http: httpx.AsyncClient) -> list[int]:
        times = {"from_ms": ROOM_MS, "to_ms": ROOM_MS + 1000}
        answers = [
            await http.get("/api/hearings/h2/exhibits/e"),
            await http.get("/api/hearings/h2/exhibits/e/pages/1"),
            await http.get("/api/hearings/h2/media/bench", params=times),
        ]
        return [answer.status_code for answer in answers]

    async with served.inspector() as inspector, served.inspector("archivist") as archivist:
        assert await got(inspector) == [200, 200, 200]
        part = {"from_ms": ROOM_MS + 1000, "to_ms": ROOM_MS + 2000, "level": "restricted", "reason": "隐私"}
        parts = (await inspector.put("/api/hearings/h1/sealed-parts", json=part)).json()
        expected = [200, 200] if given else [404, 409]
        told = await got(inspector)
        assert [code == 200 for code in told[:2]] == [code == 200 for code in expected], told
        assert told[2] != 200, "a file of pictures and sound holds the part, whatever else it holds"
        assert await got(archivist) == [200, 200, 200]
        lifting = f"/api/hearings/h1/sealed-parts/{parts[0]['id']}/lift"
        assert (await archivist.post(lifting, json={"reason": "批"})).status_code == 200
        assert await got(inspector) == [200, 200, 200]
