"""The real service on recorded and on live sound: captions, utterances, and what is killed under it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import jiwer
import numpy as np
import pytest

from sync.room.counts import COUNTS
from sync.room.feed import FeedClient, FeedServer
from tests.support.rooms.transcriber_room import HEARING, S, TranscriberRoom, hearing_civil, play, speech, until
from wutong.bench.captions.character_errors import alike

pytestmark = pytest.mark.model

SAID = (
    "请全体起立。请审判长、人民陪审员入庭。报告审判长，双方当事人及诉讼代理人均已到庭，庭前准备工作就绪，可以开庭。"
    "请坐下。现在开庭。今天依法公开审理原告张伟明诉被告李建国民间借贷纠纷一案。"
)
SEATS = ["seat-3", "seat-0"]
Make = Callable[[int], TranscriberRoom]


def past_hearing(room: TranscriberRoom) -> int:
    """22.6 s of the mock hearing, recorded a minute ago; returns the number of its close."""
    from_ns = room.clock.now_ns() - 60 * S
    room.say("open", from_ns)
    room.keep(hearing_civil(0, 22.6), from_ns)
    return room.say("close", from_ns + 23 * S).number


def assert_said_once(room: TranscriberRoom) -> None:
    utterances = sorted(room.utterances(), key=lambda e: e.body["start_ns"])
    assert [seat for seat, _ in groupby(u.body["seat"] for u in utterances)] == SEATS
    assert len({u.body["id"] for u in utterances}) == len(utterances) >= 3
    assert jiwer.cer(alike(SAID), alike(room.text())) < 0.25
    for utterance in utterances:
        assert "".join(w["text"] for w in utterance.body["words"]) == utterance.body["text"]


async def test_a_hearing_on_disk_is_caught_up_with_though_the_model_is_killed(make_room: Make) -> None:
    room = make_room(4)
    close = past_hearing(room)
    room.start()
    await until(lambda: len(room.utterances()) >= 1)
    pid = room.model_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: room.done() >= close)
    assert_said_once(room)


async def test_what_waits_is_counted_while_the_model_still_loads(make_room: Make) -> None:
    room = make_room(2)
    room.say("open", room.clock.now_ns())
    room.start()
    counted: list[dict[str, int]] = []

    async def listen() -> None:
        async for _, payload in FeedClient(room.layout.feed("transcriber"), [COUNTS]).messages():
            counted.append(json.loads(payload))

    listening = asyncio.create_task(listen())
    await until(lambda: any(one["waiting_hearings"] == 1 for one in counted))
    assert all(one["waiting_turns"] >= 0 for one in counted)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_killed_service_goes_on_where_its_words_ended(make_room: Make) -> None:
    room = make_room(4)
    close = past_hearing(room)
    room.start()
    await until(lambda: len(room.utterances()) >= 1)
    model = room.model_pid()
    assert room.process is not None
    room.process.kill()
    room.process.wait()
    assert model is not None
    await until(lambda: not Path(f"/proc/{model}").exists(), 10)  # the model dies with its service
    room.start()
    await until(lambda: room.done() >= close)
    assert_said_once(room)
    room.stop()
    room.start()  # and once everything is said, nothing is said again
    async for _, status in room.messages("status"):
        if status["state"] == "ready":
            break
    assert_said_once(room)


async def test_captions_while_people_speak_an_utterance_when_they_stop_nothing_in_a_recess(make_room: Make) -> None:
    room = make_room(1)
    recorder = FeedServer(room.layout.feed("recorder"))
    await recorder.start()
    seen: list[tuple[str, dict[str, object]]] = []

    async def watch() -> None:
        async for message in room.messages("caption", "speaking", "log", "status"):
            seen.append(message)

    watching = asyncio.create_task(watch())
    try:
        room.start()
        await until(lambda: any(t == "status" and v["state"] == "ready" for t, v in seen))
        said = speech("aishell_BAC009S0724W0121.wav")
        silence = np.zeros((24_000, 1), np.int16)
        quiet_then_said = np.concatenate([silence, said, silence])
        start_ns = room.clock.now_ns()
        room.say("open", start_ns)
        await play(recorder, quiet_then_said, start_ns, room.clock)
        await until(lambda: room.utterances())
        room.say("pause", room.clock.now_ns(), reason="recess")
        await play(recorder, quiet_then_said, room.clock.now_ns(), room.clock)
        close = room.say("close", room.clock.now_ns()).number
        await until(lambda: room.done() >= close)
    finally:
        watching.cancel()
        await recorder.stop()
    [utterance] = room.utterances()
    assert utterance.hearing == HEARING
    captions = [v for t, v in seen if t == "caption"]
    assert captions
    assert {c["id"] for c in captions} == {utterance.body["id"]}
    assert captions[-1]["text"]
    assert {"at_ns", "seats"} <= next(v for t, v in seen if t == "speaking").keys()
    assert [v["seats"] for t, v in seen if t == "speaking"][:2] == [["seat-0"], []]
    spoken_ns = start_ns + int(1.5 * S)
    assert abs(utterance.body["start_ns"] - spoken_ns) < S
    assert ("log", {"number": utterance.number}) in seen


def test_a_missing_model_is_one_line(make_room: Make) -> None:
    room = make_room(1)
    text = room.profile.read_text(encoding="utf-8") + f'\n[transcriber]\nmodel = "{room.folder / "none"}"\n'
    room.profile.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "wutong", "room", "transcriber", "--profile", str(room.profile)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("wutong: the speech model folder")
    assert "Traceback" not in done.stderr
