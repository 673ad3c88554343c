"""2. Recording never depends on speech recognition (art. 2): kill the transcriber, and the record goes on."""

from __future__ import annotations

import asyncio
import signal
import sys

from tests.support.rooms.edge_room import Room
from tests.support.rooms.recorder_room import RecorderRoom


async def test_a_killed_transcriber_takes_nothing_from_the_record(recorder: RecorderRoom) -> None:
    await recorder.until(recorder.running, "all sources run")
    command = [sys.executable, "-c", "from wutong.cli import main; main()", "room", "transcriber"]
    command += ["--profile", str(recorder.profile)]
    transcriber = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        await recorder.until(recorder.layout.feed("transcriber").exists, "the transcriber runs")
        recorder.say("open", case={}, seats=[], tracks=[])
        await recorder.record(10_000, "bench", "mics", "mix")
        transcriber.send_signal(signal.SIGKILL)
        assert await asyncio.wait_for(transcriber.wait(), 20) == -signal.SIGKILL
        await recorder.record(10_000, "bench", "mics", "mix")
    finally:
        if transcriber.returncode is None:
            transcriber.kill()
            await transcriber.wait()
    await recorder.pass_media("bench", 1)
    recorder.say("close")
    view = await recorder.closed("bench", "mics", "mix")
    assert view.gaps == []


async def test_a_hearing_opens_runs_and_closes_without_one_and_needs_no_explanation(courtroom: Room) -> None:
    await courtroom.transcriber.stop()
    await courtroom.open()
    await courtroom.until_state(lambda s: [a for a in s["hearing"]["alarms"] if a["code"] == "transcriber"])
    closed = (await courtroom.clerk.post("/api/hearing/close")).json()
    assert closed["state"] == "closed"
    assert (await courtroom.clerk.get("/api/explanation")).json() is None
