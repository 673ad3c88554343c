"""A hash is no key: bytes are served as what their own room stored them for, and below no level that they have."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from tests.support.files.evidence_files import photo
from tests.support.peers.center_peers import RoomPeer, Served, event, metadata, opening, until
from tests.support.peers.device_signatures import signed_claim

pytestmark = pytest.mark.both_databases

SECRET = photo("JPEG", (9, 9)) + b"what the sealed hearing has\xff\xd9"
DIGEST = hashlib.sha256(SECRET).hexdigest()
PICTURE = {"page": 1, "scale": 1, "width": 9, "height": 9, "bytes": len(SECRET), "sha256": DIGEST}
SEAL = {"level": "withdrawn", "reason": "涉及国家秘密"}


def naming(number: int, hearing: str) -> list[dict[str, Any]]:
    """Events that name the bytes as an exhibit, the picture of a page, a document and a segment."""
    exhibit = {"id": "zz", "number": 1, "title": "x", "filename": "x.pdf", "media_type": "application/pdf"}
    document = {"id": "dd", "transcript": "a" * 64, "kind": "pdf", "file": "documents/v1.pdf", "sm3": ""}
    segment = {"track": "bench", "index": 0, "file": "bench/00000.mp4", "from_ns": 0, "to_ns": 10**9, "fragments": 1}
    of = {"sha256": DIGEST, "bytes": len(SECRET)}
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("exhibit", {**exhibit, **of, "pages": 1}),
        ("drawn", {"exhibit": "zz", "of": DIGEST, "pictures": [PICTURE]}),
        ("document", {**document, **of}),
        ("segment", {**segment, **of, "mime": "video/mp4"}),
    ]
    return [event(number + n, kind, body, hearing=hearing) for n, (kind, body) in enumerate(bodies)]


def claim(room: str, hearing: str, kind: str, upload: str = "", data: bytes = SECRET) -> dict[str, object]:
    what = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "track": "bench", "index": 0}
    return signed_claim({"upload": upload, "room": room, "hearing": hearing, "kind": kind, **what})


async def store(served: Served, hearing: str, kind: str, room: str = "court1/c03") -> None:
    async with served.uploader(room) as (tus, _):
        upload = await tus.create({**metadata(0, room=room, hearing=hearing), "kind": kind})
        await tus.append(upload, 0, SECRET)
        assert await tus.confirm(claim(room, hearing, kind, upload)) > 0


async def named(http: httpx.AsyncClient, hearing: str) -> list[int]:
    """What each route says of the bytes."""
    paths = ("exhibits/zz", "exhibits/zz/pages/1", "documents/dd", "media/bench?from_ms=0&to_ms=1000")
    return [(await http.get(f"/api/hearings/{hearing}/{path}")).status_code for path in paths]


async def test_another_rooms_events_open_nothing_that_it_did_not_send(served: Served, room: RoomPeer) -> None:
    other = await RoomPeer(served.broker_port, "court1/c04").start()
    try:
        for one in [opening(1), *naming(2, "h1")]:
            room.publish("events", one)
        await until(lambda: set(range(1, 6)) <= room.receipts())
        for kind in ("exhibit", "page", "document", "segment"):
            await store(served, "h1", kind)
        for one in [opening(1, hearing="h2"), *naming(2, "h2")]:
            other.publish("events", one)
        await until(lambda: set(range(1, 6)) <= other.receipts())
        async with (
            served.inspector() as inspector,
            served.inspector("archivist") as archivist,
            served.uploader("court1/c04") as (tus, http),
        ):
            assert (await named(archivist, "h1"))[:3] == [200, 200, 200]
            assert (await archivist.put("/api/hearings/h1/access", json=SEAL)).status_code == 200
            for person in (inspector, archivist):
                assert set(await named(person, "h2")) <= {403, 404}, "no bytes, whoever asks"
            for kind in ("exhibit", "page", "document", "segment"):
                body = claim("court1/c04", "h2", kind)
                assert (await http.post("/api/objects", json=body)).status_code == 404, "no bytes came with it"
                empty = await tus.create({**metadata(0, room="court1/c04", hearing="h2"), "kind": kind})
                refused = await http.post("/api/objects", json={**body, "upload": empty})
                assert (refused.status_code, refused.json()["code"]) == (409, "checksum")
            for person in (inspector, archivist):
                assert set(await named(person, "h2")) <= {403, 404}
            assert (served.data / "objects" / DIGEST[:2] / DIGEST).read_bytes() == SECRET
    finally:
        other.stop()


@pytest.mark.parametrize("level", ["withdrawn", "restricted"])
async def test_bytes_have_the_highest_level_of_the_hearings_that_hold_them(
    served: Served, room: RoomPeer, level: str
) -> None:
    for one in [opening(1), *naming(2, "h1"), opening(6, hearing="h2"), *naming(7, "h2")]:
        room.publish("events", one)
    await until(lambda: set(range(1, 11)) <= room.receipts())
    for hearing in ("h1", "h2"):
        for kind in ("exhibit", "page", "document"):
            await store(served, hearing, kind)
    async with served.inspector() as inspector, served.inspector("archivist") as archivist:
        assert (await named(inspector, "h2"))[:3] == [200, 200, 403]  # documents are the archivist's
        await archivist.put("/api/hearings/h1/access", json={"level": level, "reason": "商业秘密"})
        assert (await named(inspector, "h2"))[:3] == [404, 404, 403]
        mine = [200, 200, 200] if level == "restricted" else [404, 404, 404]
        assert (await named(archivist, "h2"))[:3] == mine
        await archivist.put("/api/hearings/h1/access", json={"level": "open", "reason": "解除"})
        assert (await named(inspector, "h2"))[:3] == [200, 200, 403]


async def test_an_upload_is_claimed_as_what_it_was_begun(served: Served, room: RoomPeer) -> None:
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1})
    async with served.uploader() as (tus, http):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, SECRET)
        for kind, hearing, place in (("exhibit", "h1", 0), ("segment", "h3", 0), ("segment", "h1", 1)):
            body = signed_claim({**claim("court1/c03", hearing, kind, upload), "index": place})
            assert (await http.post("/api/objects", json=body)).status_code == 403, (kind, hearing, place)
        assert await tus.confirm(claim("court1/c03", "h1", "segment", upload)) > 0
        again = await http.post("/api/objects", json=claim("court1/c03", "h1", "segment"))
        assert again.status_code == 200, "the answer was lost; it is said again"
        elsewhere = await http.post("/api/objects", json=claim("court1/c03", "h1", "exhibit"))
        assert elsewhere.status_code == 404
