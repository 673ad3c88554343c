"""What arrives is looked through once: what is not what it says is refused or marked, and never walked again."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from server.ingest.contents import CUT_SHORT, DAMAGED, FORMAT, NO_MEDIA, fault_of, jpeg_pixels, look
from server.objects.media_indexes import MediaIndexes
from server.playback import ranges
from sync.errors import WutongError
from sync.media.fmp4 import FileIndex, index_file
from tests.attacks import forge_media
from tests.support.files.evidence_files import beginnings, photo
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, event, metadata, opening, until
from tests.support.peers.device_signatures import signed_claim

JPEG = photo("JPEG", (9, 9))


def claim(data: bytes, kind: str, upload: str, place: int = 0, room: str = "court1/c03") -> dict[str, object]:
    what = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "track": "bench", "index": place}
    return {"upload": upload, "room": room, "hearing": "h1", "kind": kind, **what}


async def sent(served: Served, data: bytes, kind: str, place: int = 0) -> tuple[int, str]:
    """(status, code) of the claim of an upload."""
    async with served.uploader() as (tus, http):
        upload = await tus.create({**metadata(place), "kind": kind})
        await tus.append(upload, 0, data)
        answer = await http.post("/api/objects", json=signed_claim(claim(data, kind, upload, place)))
        return answer.status_code, answer.json().get("code", "")


def segment(number: int, data: bytes, place: int, from_s: int, to_s: int) -> dict[str, object]:
    body = {"track": "bench", "index": place, "file": f"bench/{place:05d}.mp4", "bytes": len(data), "fragments": 1}
    body |= {"sha256": hashlib.sha256(data).hexdigest(), "mime": 'video/mp4; codecs="avc1"'}
    return event(number, "segment", {**body, "from_ns": from_s * 10**9, "to_ns": to_s * 10**9})


@pytest.mark.parametrize("kind", forge_media.BOMBS)
async def test_a_bomb_is_stored_marked_said_and_never_walked_again(
    served: Served, room: RoomPeer, footage: bytes, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = footage[: footage.index(b"moof") - 4] + forge_media.bomb(kind)
    room.publish("events", opening(1))
    room.publish("events", segment(2, bomb, 1, 10, 14))
    room.publish("events", segment(3, footage, 0, 0, 4))
    await until(lambda: room.receipts() == {1, 2, 3})
    assert await sent(served, footage, "segment") == (201, "")
    assert await sent(served, bomb, "segment", 1) == (201, ""), "the record loses no bytes that the room recorded"
    digest = hashlib.sha256(bomb).hexdigest()
    assert (served.data / "objects" / digest[:2] / digest).read_bytes() == bomb
    assert "unreadable" in served.center.rooms.states["court1/c03"].alarms

    def walked(*_: object, **__: object) -> FileIndex:
        raise AssertionError("a stored file was walked again")

    monkeypatch.setattr(ranges, "index_file", walked)
    async with served.inspector() as http:
        address = "/api/hearings/h1/media/bench"
        whole = await http.get(address, params={"from_ms": 0, "to_ms": 60_000})
        assert footage.startswith(whole.content)
        broken = await http.get(address, params={"from_ms": 11_000, "to_ms": 12_000})
        assert (broken.status_code, broken.json()["code"], broken.json()["next_ms"]) == (404, "unreadable", None)
        assert NO_MEDIA in broken.json()["message"]
        shown = (await http.get("/api/hearings/h1")).json()["tracks"][0]
        assert shown["ranges"] == [[0, pytest.approx(4000, abs=50)]]


async def test_a_damaged_segment_plays_up_to_its_damage(served: Served, room: RoomPeer, footage: bytes) -> None:
    at = footage.rindex(b"moof", 0, len(footage) * 3 // 4)
    damaged = footage[:at] + b"evil" + footage[at + 4 :]
    room.publish("events", opening(1))
    room.publish("events", segment(2, damaged, 0, 0, 4))
    await until(lambda: room.receipts() == {1, 2})
    assert await sent(served, damaged, "segment") == (201, "")
    async with served.inspector() as http:
        [[begin, end]] = (await http.get("/api/hearings/h1")).json()["tracks"][0]["ranges"]
        assert begin == 0
        assert 1000 < end < 3500
        answer = await http.get("/api/hearings/h1/media/bench", params={"from_ms": 3600, "to_ms": 3900})
        assert (answer.json()["code"], DAMAGED in answer.json()["message"]) == ("unreadable", True)


async def test_a_page_that_is_no_picture_is_refused_and_its_upload_dropped(served: Served) -> None:
    huge = JPEG.replace(struct.pack(">HH", 9, 9), struct.pack(">HH", 65535, 65535), 1)
    for data in (b"%PDF-1.7", b"\xff\xd8\xff", JPEG[:20], photo("PNG", (9, 9)), b"<svg/>", huge):
        assert await sent(served, data, "page") == (422, "invalid"), data[:20]
        digest = hashlib.sha256(data).hexdigest()
        assert not (served.data / "objects" / digest[:2] / digest).exists()
    assert not list((served.data / "uploads").iterdir())
    assert await sent(served, JPEG, "page") == (201, "")
    assert served.center.rooms.states["court1/c03"].alarms == {}


async def test_the_same_bytes_are_no_segment_here_and_a_sound_exhibit_there(served: Served) -> None:
    """Who claims another's bytes as something else takes nothing from them."""
    assert await sent(served, JPEG, "segment") == (201, "")
    assert await sent(served, JPEG, "exhibit") == (201, "")
    work = served.center.database.read_now
    rows = work(lambda c: c.exec_driver_sql("SELECT kind, fault FROM files ORDER BY kind").all())
    assert [tuple(row) for row in rows] == [("exhibit", ""), ("segment", NO_MEDIA)]


def _faults(tmp_path: Path, kind: str, data: bytes) -> str:
    path = tmp_path / "file"
    path.write_bytes(data)
    return fault_of(kind, path)


def test_what_rooms_take_as_exhibits_has_no_fault_and_the_rest_is_marked(tmp_path: Path) -> None:
    for data in (*beginnings(), b"\xef\xbb\xbf %PDF-1.3", b"\0\0\0\x1cftypheic", b"\0\0\0\x1cftypavif"):
        assert _faults(tmp_path, "exhibit", data) == "", data[:16]
    for data in (b"", b"MZ\x90", b"<html><script>", b"\x7fELF", b"RIFF\0\0\0\0WAVE", b" " * 2000 + b"%PDF-"):
        assert _faults(tmp_path, "exhibit", data) == FORMAT, data[:16]
    assert _faults(tmp_path, "page", JPEG[:-1]) == CUT_SHORT
    assert _faults(tmp_path, "document", b"1\n00:00:01,000") == ""
    assert jpeg_pixels(JPEG) == 81
    with pytest.raises(WutongError):
        _faults(tmp_path, "page", b"")


def test_an_index_that_is_kept_is_what_was_found(tmp_path: Path, footage: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(footage)
    fault, found = look("segment", path)
    assert (fault, found) == ("", index_file(path))
    assert found is not None
    kept = MediaIndexes(tmp_path / "indexes")
    assert kept.load("ab" * 32) is None
    kept.save("ab" * 32, found)
    assert kept.load("ab" * 32) == found
    file = tmp_path / "indexes" / "ab" / ("ab" * 32)
    whole = file.read_bytes()
    for broken in (b"", whole[:-5], whole[:20] + b"\0\0" + whole[22:], b"WTX1"):
        file.write_bytes(broken)
        assert kept.load("ab" * 32) is None
    assert found.fragments[0].from_ns < ROOM_NS
