"""Fault 35: the transcriber hangs, leaks or is killed, seen from the recorder.

It is stopped by SIGSTOP in the middle of a hearing, with its feed connected, then killed; and a listener that never
reads stands for one that leaks.

Lost: nothing of the record: no gap, no restart, no more memory. That the words are caught up with from the kept audio
is shown by tests/transcriber/test_transcriber_service.py (killed), test_whisper.py (a model that hangs) and
test_progress.py.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import psutil
import pytest

from sync.room.feed import QUEUE_BYTES
from tests.faults.fault_tools import gaps
from tests.support.rooms.recorder_room import RecorderRoom, profile_text
from transcriber.recognition.model_files import locate
from transcriber.recognition.process import EngineProcess


@pytest.mark.model
async def test_the_record_does_not_know_of_it(room_of: Callable[..., RecorderRoom]) -> None:
    room = room_of(profile_text(segment_s=60))
    await room.until(room.running, "all sources run")
    command = [sys.executable, "-m", "wutong", "room", "transcriber", "--profile", str(room.profile)]
    transcriber = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    _, writer = await asyncio.open_unix_connection(str(room.layout.feed("recorder")))
    try:
        writer.write(b'[""]\n')  # and from now on it never reads
        await room.until(lambda: room.layout.feed("transcriber").exists(), "the transcriber runs")
        room.say("open", case={}, seats=[], tracks=[])
        await room.pass_media("mics", 2)
        memory = psutil.Process(room.pid).memory_info().rss
        transcriber.send_signal(signal.SIGSTOP)
        await room.pass_media("mics", 3)
        os.kill(transcriber.pid, signal.SIGKILL)
        await transcriber.wait()
        await room.pass_media("mics", 1)
        assert psutil.Process(room.pid).memory_info().rss - memory < 2 * QUEUE_BYTES + (16 << 20)
        assert {t["restarts"] for t in room.status["tracks"]} == {0}
        room.say("close")
        view = await room.closed("bench", "mics", "mix")
        assert gaps(room, view) == []
    finally:
        writer.close()
        if transcriber.returncode is None:
            transcriber.kill()
            await transcriber.wait()


@pytest.mark.model
async def test_a_model_that_has_grown_is_replaced_before_the_next_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transcriber.recognition.process._GROWTH", 0.0)  # whatever it has, it is too much
    monkeypatch.setattr("transcriber.recognition.process._GROWTH_BYTES", 0)
    owner = EngineProcess(locate("base"))
    try:
        await owner.ask(np.zeros(16_000, np.float32), interim=True)
        first = owner.pid
        await owner.ask(np.zeros(16_000, np.float32), interim=True)
        assert owner.pid != first
        assert first is not None
        assert not psutil.pid_exists(first)
        assert owner.restarts == 0, "that is no failure"
    finally:
        await owner.stop()
