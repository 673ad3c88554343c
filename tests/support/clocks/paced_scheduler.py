"""Endpointer and scheduler on a clock of their own: a hearing plays as fast as it can, and always in the same way."""

from __future__ import annotations

import asyncio
import json
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple, Unpack

from hardware.profile import load_profile
from sync.room.feed import FeedServer
from tests.support.rooms.transcriber_room import HEARING, RATE_HZ, Pcm, S, TranscriberRoom
from transcriber.audio.pcm import Samples
from transcriber.backlog import HearingJob
from transcriber.captions import Captions
from transcriber.correction.reviser import Reviser
from transcriber.diarization.voices import Voices
from transcriber.recognition.recognizer import Transcription, Word
from transcriber.scheduler import RecognitionScheduler
from transcriber.segmentation.endpointer import Endpointer, Turn
from transcriber.turn_queue import TurnQueue
from transcriber.utterances import UtteranceWriter

BLOCK = 1920
TEXT = "现在开庭今天依法公开审理原告诉被告民间借贷纠纷一案本案适用普通程序由审判员担任审判长" * 20


class _Ahead(selectors.SelectSelector):
    """Where nothing happens by itself, the next moment that somebody waits for comes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now_s += timeout
        return ready


_Args = TypeVarTuple("_Args")
_Result = TypeVar("_Result")


class PacedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while everybody waits; threads are not used."""

    def __init__(self) -> None:
        self._ahead = _Ahead()
        super().__init__(self._ahead)

    def time(self) -> float:
        return self._ahead.now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Args]], _Result], *args: *_Args
    ) -> asyncio.Future[_Result]:
        done: asyncio.Future[_Result] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # whatever it is belongs to the caller, as with a thread
            done.set_exception(error)
        return done


class ScriptedRecognizer:
    """An engine that needs time and always "hears" four characters of `TEXT` in a second; its last one is a guess."""

    restarts, busy_s, asked_s, pid, parallel = 0, 0.0, 0.0, None, False

    def __init__(self, cost_s: float = 0.3) -> None:
        self.cost_s = cost_s
        self.asked: list[tuple[float, str, bool, str]] = []
        """When, about which turn, whether for a caption, and with which prefix."""
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        return

    async def voiceprint(self, samples: Samples) -> tuple[float, ...]:
        return ()

    async def ask(
        self, samples: Samples, bias: str = "", *, interim: bool = False, turn: str = "", prefix: str = ""
    ) -> Transcription:
        async with self._lock:
            self.asked.append((asyncio.get_running_loop().time(), turn, interim, prefix))
            await asyncio.sleep(self.cost_s * (1 if interim else 2))
        seconds = len(samples) / RATE_HZ
        said = TEXT[: int(4 * seconds)]
        if interim and len(said) > len(prefix) + 3:
            said = said[:-1] + "嗯啊哦"[len(said) % 3]
        words = tuple(Word(c, i / 4, (i + 1) / 4, 0.9) for i, c in enumerate(said))
        return Transcription(said, words, 0.9)


class Played:
    """What came of it: captions with their moment, utterances, and what the engine was asked."""

    def __init__(
        self, room: TranscriberRoom, pcm: Pcm, make: Callable[[], ScriptedRecognizer] = ScriptedRecognizer
    ) -> None:
        self.captions: list[dict[str, Any]] = []
        self.turns: list[Turn] = []
        self.written_s: dict[str, float] = {}
        self.times: dict[str, dict[str, Any]] = {}
        self._room = room
        loop = PacedLoop()
        try:
            self.recognizer = loop.run_until_complete(self._play(pcm, make()))
        finally:
            loop.close()
        self.utterances = [dict(e.body) for e in room.utterances()]

    async def _play(self, pcm: Pcm, recognizer: ScriptedRecognizer) -> ScriptedRecognizer:
        loop = asyncio.get_running_loop()
        played, room = self, self._room

        class Feed(FeedServer):
            def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
                value = json.loads(payload)
                if topic == "caption":
                    played.captions.append(value | {"at_s": loop.time()})
                elif topic == "log":
                    played.written_s[room.utterances()[-1].body["id"]] = loop.time()
                elif topic == "times":
                    played.times[value["id"]] = value["times"]

        profile, feed = load_profile(room.profile), Feed(Path(room.folder / "feed"))
        endpointer = Endpointer(range(pcm.shape[1]), pcm.shape[1])
        job, ended = HearingJob(HEARING, 0, 1), list[Turn]()
        seats = {seat.channel: seat for seat in profile.seats}
        voices = Voices(profile, recognizer, room.folder / "voices.json")
        queue = TurnQueue()
        scheduler = RecognitionScheduler(
            queue=queue,
            recognizer=recognizer,
            captions=Captions(seats, feed),
            utterances=UtteranceWriter(seats=seats, room_log=room.log, clock=room.clock, feed=feed, voices=voices),
            voices=voices,
            reviser=Reviser(settings=profile.transcriber, room_log=room.log, clock=room.clock, feed=feed),
            speaking=lambda: (job, [*ended, *endpointer.turns]),
            now_ns=lambda: int(loop.time() * 1e9),
        )
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(scheduler.run())
            for first in range(0, len(pcm), BLOCK):
                await asyncio.sleep(max((first + BLOCK) / RATE_HZ - loop.time(), 0))
                ended += endpointer.feed(first * S // RATE_HZ, pcm[first : first + BLOCK])
                await self._hand_over(queue, job, ended)
            ended += endpointer.end()
            await self._hand_over(queue, job, ended)
            await queue.drained()
            working.cancel()
        return recognizer

    async def _hand_over(self, queue: TurnQueue, job: HearingJob, ended: list[Turn]) -> None:
        while ended:
            ended[0].times.ended_ns = int(asyncio.get_running_loop().time() * 1e9)
            await queue.put(job, ended[0])
            self.turns.append(ended.pop(0))
