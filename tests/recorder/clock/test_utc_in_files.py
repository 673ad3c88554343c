"""A file alone says when it happened, and the hearing's log says what that UTC is worth."""

from __future__ import annotations

import time
from collections.abc import Callable

from sync.media.envelope import unpack_init
from sync.media.fmp4 import index_file, parse_fragment, parse_init
from tests.support.rooms.recorder_room import RecorderRoom

TRACKS = ("bench", "mics", "mix")


async def test_every_fragment_of_every_track_says_its_utc_on_disk_and_live(
    room_of: Callable[..., RecorderRoom],
) -> None:
    room = room_of()
    await room.until(room.running, "all sources")
    room.say("open")
    await room.until(lambda: all(len(room.fragments.get(t, [])) > 3 for t in TRACKS), "live fragments")
    await room.record(1000, *TRACKS)
    await room.until(lambda: room.log.of_hearing(room.hearing, ["clock"]), "what UTC is worth")
    room.say("close")
    await room.closed(*TRACKS)
    offset_ns = time.time_ns() - room.clock.now_ns()
    for track in TRACKS:
        fragments = [f for file in room.files(track) for f in index_file(file).fragments]
        assert fragments
        for fragment in fragments:
            assert fragment.utc_ns is not None
            assert abs(fragment.utc_ns - fragment.from_ns - offset_ns) < 1_000_000_000
        init = parse_init(unpack_init(room.inits[track][-1].payload)[1])
        for envelope in room.fragments[track][-3:]:
            assert parse_fragment(envelope.payload, init).utc_ns == envelope.utc_ns
    events = [event for event in room.log.of_hearing(room.hearing) if event.kind == "clock"]
    assert len(events) == 1
    assert events[0].body["by_ns"] == 0
    assert set(events[0].body) == {"by_ns", "source", "error_ms"}
    assert events[0].body["source"] in ("chrony", "free-running")
    assert abs(events[0].utc_ns - events[0].room_ns - offset_ns) < 1_000_000_000
    assert room.view().clock_steps == []
