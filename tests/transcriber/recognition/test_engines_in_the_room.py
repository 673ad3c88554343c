"""A room whose words come from another engine than the default one, its service and all; the model is a tiny one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.support.files import tiny_models
from tests.support.ports import free_port
from tests.support.rooms.transcriber_room import S, TranscriberRoom, speech, until

Make = Callable[[int], TranscriberRoom]


@contextmanager
def speech_server(model: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "wutong", "speech-server", "--engine", "sherpa-onnx", "--model", str(model)]
    process = subprocess.Popen([*command, "--port", str(port)])
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def past_hearing(room: TranscriberRoom, settings: str) -> int:
    text = room.profile.read_text(encoding="utf-8")
    room.profile.write_text(text + "\n[transcriber]\n" + settings, encoding="utf-8")
    from_ns = room.clock.now_ns() - 60 * S
    room.say("open", from_ns)
    silence = np.zeros((16_000, 1), np.int16)
    room.keep(np.concatenate([silence, speech("aishell_BAC009S0724W0121.wav"), silence]), from_ns)
    return room.say("close", from_ns + 7 * S).number


async def test_sherpa_onnx_in_its_process(make_room: Make, tmp_path: Path) -> None:
    room = make_room(1)
    model = tiny_models.streaming_ctc(tmp_path / "ctc")
    close = past_hearing(room, f'engine = "sherpa-onnx"\nmodel = "{model}"\n')
    room.start()
    await until(lambda: room.done() >= close)
    [utterance] = room.utterances()
    assert utterance.body["text"].startswith("啊")
    assert "".join(word["text"] for word in utterance.body["words"]) == utterance.body["text"]


@pytest.mark.timeout(300)
async def test_servers_elsewhere_that_are_away_at_first_and_the_record_misses_nothing(
    make_room: Make, tmp_path: Path
) -> None:
    room = make_room(1)
    port = free_port()
    model = tiny_models.streaming_ctc(tmp_path / "ctc")
    close = past_hearing(room, f'engine = "openai"\nservers = ["http://127.0.0.1:{port}"]\n')
    room.start()
    async for _, status in room.messages("status"):
        if status["state"] == "failed":  # and says so, while the sound is kept
            assert "cannot be reached" in status["why"]
            break
    assert room.process is not None
    with speech_server(model, port) as server:
        await until(lambda: room.done() >= close)
        os.kill(server.pid, signal.SIGKILL)
    [utterance] = room.utterances()
    assert utterance.body["text"].startswith("啊")
    assert room.process.poll() is None
