"""Faults 10, 11, 12 and 15, one camera each in one room, over real RTSP:

10  the RTP time stamp wraps (2^32 at 90 kHz) in the middle of the hearing;
11  RTCP sender reports come late, stepping by an hour and back (the other cameras send none);
12  the first frames have time stamps from anywhere;
15  a key frame every ten seconds only.

Lost: nothing. No gap, no restart; each track is one span of time that covers the hearing, in the room's time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from sync.media.fmp4 import index_file
from tests.support.peers.scripted_rtsp import FPS, TICKS, ScriptedCamera, encode
from tests.support.rooms.recorder_room import SIMULATED_MICS, RecorderRoom, profile_text, spans

S = 1_000_000_000
SECONDS = 7


def wrapping(number: int) -> int:
    return (1 << 32) - 5 * 90_000 + number * TICKS


def late_and_stepping(number: int) -> float | None:
    if number < 3 * FPS or number % FPS:
        return None  # none for three seconds, then one a second
    return time.time() + (3600 if number // FPS % 2 else 0)


def wild_at_first(number: int) -> int:
    wild = (7_000_000, 5, 4_000_000_000, 5, 5)
    return wild[number] if number < len(wild) else 1_000_000 + number * TICKS


async def test_cameras_that_tell_wrong_times_are_recorded_in_time(room_of: Callable[..., RecorderRoom]) -> None:
    short, long = encode("320x180", FPS, 4 * FPS), encode("320x180", 10 * FPS, 20 * FPS)
    cameras = {
        "wraps": ScriptedCamera(short, stamp=wrapping),
        "reports": ScriptedCamera(short, report=late_and_stepping, with_sound=True),
        "wild": ScriptedCamera(short, stamp=wild_at_first),
        "seldom": ScriptedCamera(long),
    }
    async with contextlib.AsyncExitStack() as peers:
        text = ""
        for name, camera in cameras.items():
            await peers.enter_async_context(camera.running())
            text += f'[[cameras]]\nid = "{name}"\nname = "{name}"\ndriver = "rtsp"\nurl = "{camera.url}"\nfps = {FPS}\n'
        room = room_of(profile_text(SIMULATED_MICS, text, segment_s=4))
        await room.until(room.running, "all sources run")
        restarts = {name: room.track(name)["restarts"] for name in cameras}
        opened_ns = room.say("open", case={}, seats=[], tracks=[])
        for name in cameras:
            await room.pass_media(name, SECONDS)
        assert {name: room.track(name)["restarts"] for name in cameras} == restarts
        closed_ns = room.say("close")
        view = await room.closed(*cameras)
        for name in cameras:
            gaps = [((g.to_ns or 0) - g.from_ns) / S for g in view.gaps if g.track == name]
            assert gaps == [], name
            (span,) = spans(view, name)
            assert span[0] <= opened_ns
            assert span[1] >= closed_ns - S // 50
            first = index_file(room.files(name)[0]).fragments[0]
            assert first.key_frame, name
        assert opened_ns - spans(view, "seldom")[0][0] <= 10 * S  # from the last key frame before the opening
