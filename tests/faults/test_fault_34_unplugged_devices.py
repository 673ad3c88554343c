"""Fault 34: a microphone is unplugged and plugged in again; a camera likewise (its cable is cut, then its power).

The microphone is PulseAudio's sink, unloaded and loaded; the camera a server that goes silent, and one that is gone.
Each is said within two seconds, and its media is back within three after its return; the others notice nothing.
Lost: what was not there to record, and it is declared.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.fault_tools import gaps
from tests.support.peers.pulse_peer import SINK, PulsePeer
from tests.support.peers.scripted_rtsp import FPS, ScriptedCamera, encode
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans

S = 1_000_000_000
SLACK = 2.0 if os.getloadavg()[0] < 2 * (os.cpu_count() or 1) else 10.0
"""Times what the requirement allows: the machine that tests may be busy with other things, or overloaded."""


async def pactl(card: PulsePeer, *arguments: str) -> None:
    command = ["pactl", *arguments]
    await asyncio.to_thread(subprocess.run, command, env={**os.environ, **card.environment}, check=True)


def lost(room: RecorderRoom, source: str) -> bool:
    return any(a["code"] == "source" and a["subject"] == source for a in room.status["alarms"])


@pytest.mark.alone
async def test_devices_that_go_and_come_again(
    room_of: Callable[..., RecorderRoom], card: PulsePeer, tmp_path: Path
) -> None:
    camera = ScriptedCamera(encode("320x180", FPS, 4 * FPS))
    cameras = '[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "rtsp"\nurl = "{}"\nfps = 25\n'
    other = '[[cameras]]\nid = "other"\nname = "旁听席"\ndriver = "simulated"\nwidth = 320\nheight = 180\n'
    mics = 'driver = "pyaudio"\ndevice = "courtroom"\nchannels = 4\n'
    layout = "front-left,front-right,rear-left,rear-right"
    sink = f"sink_name={SINK} rate=16000 format=s16le channels=4 channel_map={layout}"
    came: dict[str, list[int]] = {"bench": [], "mics": []}
    async with camera.running():
        room = room_of(profile_text(mics, cameras.format(camera.url) + other, segment_s=60), card.environment)
        await room.until(room.running, "all sources run")
        room.say("open", case={}, seats=[], tracks=[])
        await room.pass_media("bench", 1)
        restarts = room.track("other")["restarts"]

        async def gone(source: str) -> None:
            went_ns = room.clock.now_ns()
            await room.until(lambda: lost(room, source), f"{source} is missed")
            since_ns = next(a["since_ns"] for a in room.status["alarms"] if a["subject"] == source)
            assert (since_ns - went_ns) / S < 2 * SLACK

        async def back(source: str) -> None:
            came[source].append(room.clock.now_ns())
            await room.until(lambda: not lost(room, source) and room.track(source)["kept"], f"{source} is back")

        await pactl(card, "unload-module", "module-null-sink")
        camera.silent = True  # the cable is cut: the connection stands, nothing comes
        await asyncio.gather(gone("mics"), gone("bench"))
        await pactl(card, "load-module", "module-null-sink", *sink.split())
        camera.silent = False
        await asyncio.gather(back("mics"), back("bench"))
        await room.pass_media("mics", 1)
    await gone("bench")  # its power is cut: nobody answers
    async with camera.running():
        await back("bench")
        await room.pass_media("bench", 1)
        room.say("close")
        view = await room.closed("bench", "other", "mics", "mix")
    assert room.track("other")["restarts"] == restarts
    for track in ("bench", "other", "mics", "mix"):
        assert len(spans(view, track)) == 1
    assert gaps(room, view, "other") == []
    for track, returns in came.items():
        ends = [g.to_ns or 0 for g in view.gaps if g.track == track]
        for return_ns in returns:
            assert min(end for end in ends if end > return_ns - S) - return_ns < 3 * S * SLACK
