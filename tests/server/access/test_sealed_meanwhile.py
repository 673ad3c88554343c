"""A right that is taken away while an answer is made, decoded, noted or sent: what has not left yet does not leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from server.playback.ranges import MediaRange
from server.store.writer import RecordWriter
from tests.server.access.test_sealed_parts import PART, ROOM_MS, WORD, at_room_time, party, seal
from tests.support.peers.center_peers import RoomPeer, Served, event, metadata, opening, said, until

RANGE = {"from_ms": ROOM_MS + 1000, "to_ms": ROOM_MS + 1500}


async def withdraw(http: httpx.AsyncClient) -> None:
    answer = await http.put("/api/hearings/h1/access", json={"level": "withdrawn", "reason": "涉及国家秘密"})
    assert answer.status_code == 200, answer.text


async def with_voices(served: Served, room: RoomPeer, voices: bytes, *, closed: bool = False) -> None:
    first = opening(1)
    first["body"]["tracks"] = [{"id": name, "kind": "audio", "name": name} for name in ("mics", "mix")]
    events = [first, said(2, WORD, at_ms=1200), *([event(3, "close", {}, at_ms=4000)] if closed else [])]
    for one in events:
        room.publish("events", one)
    await until(lambda: {one["number"] for one in events} <= room.receipts())
    async with served.uploader() as (tus, _):
        for track in ("mics", "mix"):
            await tus.append(await tus.create(metadata(0, track=track)), 0, at_room_time(voices))


def once(act: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[None]]:
    done = False

    async def first() -> None:
        nonlocal done
        if not done:
            done = True
            await act()

    return first


@pytest.mark.parametrize(("act", "code"), [(seal, "no-media"), (withdraw, "sealed")])
async def test_a_seat_that_is_sealed_while_it_waits_to_be_taken_apart_is_not_heard(
    served: Served, room: RoomPeer, voices: bytes, monkeypatch: pytest.MonkeyPatch, act: Any, code: str
) -> None:
    await with_voices(served, room, voices)
    playing = served.center.playing
    real = playing.isolate
    query: dict[str, str | float] = {**RANGE, "seat": "judge"}
    async with served.inspector() as http, served.inspector("archivist") as other:
        assert (await http.get("/api/hearings/h1/media/mics", params=query)).status_code == 200

        async def isolated(*asked: Any) -> MediaRange:
            found: MediaRange = await real(*asked)
            await act(other)
            return found

        monkeypatch.setattr(playing, "isolate", isolated)
        answer = await http.get("/api/hearings/h1/media/mics", params=query)
    assert (answer.status_code, answer.json()["code"]) == (404 if act is seal else 403, code)


@pytest.mark.parametrize(("act", "code"), [(seal, "sealed-part"), (withdraw, "sealed")])
@pytest.mark.parametrize("path", ["/api/hearings/h1", "/api/hearings/h1/media/mics"])
async def test_what_is_sealed_while_it_is_noted_that_somebody_looks_is_not_shown(
    served: Served, room: RoomPeer, voices: bytes, monkeypatch: pytest.MonkeyPatch, act: Any, code: str, path: str
) -> None:
    await with_voices(served, room, voices)
    real = RecordWriter.audit
    async with served.inspector() as http, served.inspector("archivist") as other:
        meanwhile = once(lambda: act(other))

        async def slowly(self: RecordWriter, rows: Any) -> None:
            await real(self, rows)
            if any(row["what"] == "view" for row in rows):
                await meanwhile()

        monkeypatch.setattr(RecordWriter, "audit", slowly)
        answer = await http.get(path, params=RANGE)
        told = (404, "no-media") if act is seal and path.endswith("mics") else (403, code)
        assert (answer.status_code, answer.json()["code"]) == told
        assert WORD not in answer.text
        again = await http.get(path, params=RANGE)
        assert WORD not in again.text
    rows = await served.audited("refused" if told[0] == 403 else "failed")
    assert any(told[1] in row["detail"] for row in rows), "who was not shown it after all is on the log"


async def test_a_party_hears_nothing_of_what_is_sealed_while_it_is_noted_that_they_listen(
    served: Served, room: RoomPeer, voices: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_voices(served, room, voices, closed=True)
    real = RecordWriter.audit
    async with party(served) as counsel, served.inspector("archivist") as other:
        meanwhile = once(lambda: seal(other))

        async def slowly(self: RecordWriter, rows: Any) -> None:
            await real(self, rows)
            if any(row["what"] == "view" for row in rows):
                await meanwhile()

        monkeypatch.setattr(RecordWriter, "audit", slowly)
        answer = await counsel.get("/api/view/media/mix", params=RANGE)
    assert answer.json()["code"] == "no-media"
    assert str(PART["reason"]) not in answer.text
