"""Faults 13 and 14, over real RTSP, one camera each:

13  a picture that is frozen while its time goes on: an alarm; a time that is frozen while pictures come: these are kept
    at the times at which they come;
14  a camera changes its resolution in the middle: the track goes on behind an init of its own, in a file of its own.

Lost: nothing. The other tracks are untouched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import pairwise

import av

from tests.support.peers.scripted_rtsp import FPS, TICKS, ScriptedCamera, encode
from tests.support.rooms.recorder_room import SIMULATED_MICS, RecorderRoom, profile_text, spans


async def test_frozen_pictures_frozen_times_and_another_resolution(room_of: Callable[..., RecorderRoom]) -> None:
    moving, still = encode("320x180", FPS, 11 * FPS), encode("320x180", FPS, FPS, "smptebars")
    larger = encode("640x360", FPS, 11 * FPS)
    stuck = ScriptedCamera(moving)
    cameras = {"still": ScriptedCamera(still), "stuck": stuck, "larger": ScriptedCamera(moving)}
    async with contextlib.AsyncExitStack() as peers:
        text = ""
        for name, camera in cameras.items():
            await peers.enter_async_context(camera.running())
            text += f'[[cameras]]\nid = "{name}"\nname = "{name}"\ndriver = "rtsp"\nurl = "{camera.url}"\nfps = {FPS}\n'
        room = room_of(profile_text(SIMULATED_MICS, text, segment_s=60))
        await room.until(room.running, "all sources run")
        room.say("open", case={}, seats=[], tracks=[])
        await room.pass_media("larger", 2)
        before = {name: room.track(name)["restarts"] for name in cameras}
        mics = room.track("mics")["restarts"]

        cameras["larger"].pictures = larger
        stuck.stamp = lambda number: 100 * TICKS
        await room.pass_media("stuck", 6)
        await room.pass_media("larger", 4)
        await room.until(
            lambda: {a["subject"] for a in room.status["alarms"] if a["code"] == "frozen"} == {"still"},
            "a frozen picture is said, and only that one",
        )
        room.say("close")
        view = await room.closed(*cameras, "mics")

        assert room.track("mics")["restarts"] == mics
        assert {name: room.track(name)["restarts"] for name in cameras} == before
        assert view.gaps == []
        assert "readback" not in {alarm.code for alarm in view.alarms}
        assert [len(spans(view, name)) for name in ("stuck", "larger")] == [1, 1]
        sizes, times = [], []
        for path in room.files("larger"):
            with av.open(str(path)) as container:
                frames = list(container.decode(video=0))
            sizes.append({(f.width, f.height) for f in frames})
            times += [float(f.time or 0) for f in frames]
        assert sizes == [{(320, 180)}, {(640, 360)}], "no picture of another size under an init"
        assert [b - a for a, b in pairwise(times) if not 0.03 < b - a < 0.05] == [], "and none is missing"
        small, large = room.inits["larger"][-2:]
        assert large.init_id > small.init_id
