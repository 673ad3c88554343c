"""What is uploaded and nobody has signed for plays while its hearing runs, behind the record, and changes no past."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from server.objects.media_indexes import MediaIndexes
from server.playback import ranges
from server.playback.ranges import Media, TrackFile
from tests.server.access.test_sealed_parts import at_room_time, store
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, event, metadata, opening, until

S = 10**9


async def begun(served: Served, room: RoomPeer, footage: bytes) -> None:
    """A hearing that runs and of which the first segment is stored."""
    data = at_room_time(footage)
    of = {"track": "bench", "index": 0, "file": "bench/00000.mp4", "bytes": len(data), "mime": "video/mp4"}
    times = {"from_ns": ROOM_NS, "to_ns": ROOM_NS + 4 * S, "fragments": 1, "sha256": hashlib.sha256(data).hexdigest()}
    room.publish("events", opening(1))
    room.publish("events", event(2, "segment", {**of, **times}, at_ms=3900))
    await until(lambda: room.receipts() >= {1, 2})
    await store(served, "segment", data)


async def uploaded(served: Served, place: int, data: bytes) -> None:
    """Sent by the room's connection, and never claimed with a signature."""
    async with served.uploader() as (tus, _):
        upload = await tus.create(metadata(place))
        await tus.append(upload, 0, data)


async def played(served: Served) -> list[list[float]]:
    """The ranges that an inspector is offered, in seconds since the hearing's first moment."""
    async with served.inspector() as http:
        (track,) = [one for one in (await http.get("/api/hearings/h1")).json()["tracks"] if one["id"] == "bench"]
    return [[round(ms / 1000 - ROOM_NS / 1e9, 1) for ms in one] for one in track["ranges"]]


def later(footage: bytes, seconds: int) -> bytes:
    return at_room_time(footage, ROOM_NS + seconds * S)


async def test_a_growing_file_plays_until_the_hearing_is_closed_and_only_behind_what_is_stored(
    served: Served, room: RoomPeer, footage: bytes
) -> None:
    await begun(served, room, footage)
    assert await played(served) == [[0, 4]]
    await uploaded(served, 0, later(footage, 20))  # in the place of what is stored
    assert await played(served) == [[0, 4]]
    await uploaded(served, 1, later(footage, 4))
    assert await played(served) == [[0, 8]]
    room.publish("events", event(3, "close", {}, at_ms=9000))
    await until(lambda: 3 in room.receipts())
    assert await played(served) == [[0, 4]], "the record, and nothing that nobody signed"
    await uploaded(served, 9999, later(footage, 4))
    assert await played(served) == [[0, 4]]
    async with served.inspector() as http:
        wanted: dict[str, Any] = {"from_ms": ROOM_NS / 1e6 + 5000, "to_ms": ROOM_NS / 1e6 + 6000}
        answer = await http.get("/api/hearings/h1/media/bench", params=wanted)
    assert answer.json()["code"] == "no-media"


def test_what_is_kept_of_files_is_bounded_by_fragments_however_many_one_has(
    tmp_path: Path, footage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"{n}.mp4" for n in range(6)]
    for file in files:
        file.write_bytes(footage)
    media = Media(MediaIndexes(tmp_path / "indexes"))
    sources = [TrackFile(n, file, growing=True) for n, file in enumerate(files)]
    each = len(media._index(sources[0]).fragments)
    assert each > 10
    monkeypatch.setattr(ranges, "CACHED_FRAGMENTS", 3 * each)
    _, whole = media.ranges(sources)
    assert list(media._indexes) == files[3:]
    assert media.ranges(sources)[1] == whole, "what was forgotten is read again"
    monkeypatch.setattr(ranges, "CACHED_FRAGMENTS", 1)
    assert media.ranges(sources)[1] == whole
    assert len(media._indexes) == 1
