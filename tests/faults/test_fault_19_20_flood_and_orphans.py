"""Faults 19 and 20, with a real ffmpeg whose stderr is flooded by a companion that never stops writing:

19  the recorder takes the flood away, keeps its last lines only, and no password that is in it; nothing else is slowed;
20  the recorder is killed: no ffmpeg and no worker of it lives on.

Lost: nothing by the flood.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.support.rooms.recorder_room import SIMULATED_MICS, RecorderRoom, profile_text

FLOODING = """#!/bin/sh
(exec yes 'error in rtsp://court:s3cret-word@camera/main' >&2) &
exec {ffmpeg} "$@"
"""
CAMERA = '[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "file"\nfile = "v.mp4"\nwidth = 320\nheight = 180\n'


async def test_a_flood_slows_nothing_and_no_process_is_left(
    room_of: Callable[..., RecorderRoom], tmp_path: Path
) -> None:
    find = await asyncio.to_thread(subprocess.run, ["which", "ffmpeg"], capture_output=True, text=True, check=True)
    ffmpeg = find.stdout.strip()
    source = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", str(tmp_path / "v.mp4")]
    await asyncio.to_thread(subprocess.run, [ffmpeg, *source], check=True)
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ffmpeg").write_text(FLOODING.format(ffmpeg=ffmpeg))
    (programs / "ffmpeg").chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    room = room_of(profile_text(SIMULATED_MICS, CAMERA, segment_s=60), environment)
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    memory = psutil.Process(room.pid).memory_info().rss
    await room.pass_media("bench", 4)
    assert psutil.Process(room.pid).memory_info().rss - memory < 32 << 20
    everything = psutil.Process(room.pid).children(recursive=True)
    assert any("ffmpeg" in p.name() for p in everything)
    flood = [p for p in everything if p.name() == "yes"]
    assert flood
    os.kill(room.workers("v.mp4")[0], signal.SIGKILL)
    await room.until(lambda: room.track("bench")["restarts"] == 1 and room.running(), "back")
    log = (room.folder / "recorder.log").read_text(encoding="utf-8")
    assert "***@camera" in log
    assert "s3cret-word" not in log
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert [g for g in view.gaps if g.track != "bench"] == []

    everything = [p for p in psutil.Process(room.pid).children(recursive=True) if p.name() != "yes"]
    flood += [p for p in psutil.Process(room.pid).children(recursive=True) if p.name() == "yes"]
    await room.end(signal.SIGKILL)
    _, alive = await asyncio.to_thread(psutil.wait_procs, everything, 10)
    for companion in flood:  # the flood is ours, not the product's: it may end by its broken pipe, or here
        if companion.is_running():
            companion.kill()
    assert alive == []
