"""Between hearings everything runs and nothing is kept; at the opening the pre-roll becomes part of the record."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.rooms.recorder_room import RecorderRoom, profile_text

pytestmark = pytest.mark.timeout(240)
RoomOf = Callable[..., RecorderRoom]
S = 1_000_000_000
PREROLL_S = 4


def media(room: RecorderRoom) -> dict[str, int]:
    """Files that a second without a hearing makes larger, or makes at all, would be seen here."""
    own = {"clock.json", "clock.json.new"}  # says only how far the clock came
    files = [p for p in room.layout.data.rglob("*") if p.is_file() and p.name not in own]
    return {str(p.relative_to(room.layout.data)): p.stat().st_size for p in files}


def begins(room: RecorderRoom, track: str) -> int:
    return min(s.from_ns for s in room.view().segments if s.track == track)


def too_early(room: RecorderRoom) -> list[object]:
    """Gaps before a track begins; a crowded machine may starve a camera later, which is another matter."""
    return [gap for gap in room.view().gaps if gap.from_ns < begins(room, gap.track)]


async def test_nothing_is_on_disk_between_hearings_and_the_preroll_is_in_the_next(room_of: RoomOf) -> None:
    room = room_of(profile_text() + f"preroll_s = {PREROLL_S}\n")
    await room.until(room.running, "the recorder")

    # A room that has just been started has no pre-roll yet: that is no gap.
    asked_ns = room.clock.now_ns() - PREROLL_S * S
    room.say("open", from_ns=asked_ns)
    await room.record(1, "bench", "mics", "mix")
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert too_early(room) == []

    before = media(room)
    assert any(name.endswith(".mp4") for name in before)
    sound = len(room.fragments["mics"])
    await room.pass_media("bench", PREROLL_S + 2)
    await room.until(lambda: room.levels and "bench" in room.thumbs, "levels and thumbnails")
    assert len(room.fragments["mics"]) > sound, "the pipeline runs"
    assert media(room) == before, "and not a byte of it is on disk"

    room.hearing = "h-2"
    from_ns = room.clock.now_ns() - PREROLL_S * S
    opened_ns = room.say("open", from_ns=from_ns)
    await room.record(1, "bench", "mics", "mix")
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert too_early(room) == []
    assert (view.opened_ns, view.recorded_from_ns) == (opened_ns, from_ns)
    for track in ("bench", "mics", "mix"):
        assert begins(room, track) <= from_ns + 20_000_000, track
    assert begins(room, "mics") > from_ns - S, "of what people said before the pre-roll nothing is kept"
    after = media(room)
    await room.pass_media("bench", 1)
    assert {n: b for n, b in media(room).items() if n.endswith(".mp4")} == {
        n: b for n, b in after.items() if n.endswith(".mp4")
    }
