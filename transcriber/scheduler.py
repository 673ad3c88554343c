"""The order in which the model is asked: turns go in, and what is to be shown and written comes out.

Promises: what is finished outranks what goes on; a caption is only made when nothing finished waits, and more rarely
the slower the model is. The final pass begins when a speaker falls silent, before the pause is long enough to end the
turn (the preflight): mostly it is done by then, and it goes on from the words that the captions have committed. Each
turn becomes one event `utterance`: its words or, where no engine could say which, a line that says so
(`transcriber.unheard`), whose sound is the turn's. Only what was said at another seat, and what was said in a recess,
becomes none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.backlog import HearingJob
from transcriber.captions import Caption, Captions
from transcriber.correction.reviser import Reviser
from transcriber.diarization.voices import Voices
from transcriber.recognition.recognizer import EngineLostError, Recognizer, Rejection, Transcription
from transcriber.segmentation.crosstalk import CrosstalkFilter
from transcriber.segmentation.endpointer import Turn, pause_s
from transcriber.segmentation.turn_times import FIRST_CAPTION_S, Busy, LaneLog, Work
from transcriber.turn_queue import TurnQueue
from transcriber.unheard import has_words, line_of
from transcriber.utterances import UtteranceWriter

log = structlog.get_logger(__name__)

_NEXT_CAPTION_S = 0.9
_AGAIN_S = 0.3
"""So much more sound is waited for where a pass found no words yet: whoever speaks is to see something soon."""
_REST = 0.8
"""After a caption the model rests this many times as long as it took: less heat, and finals find it free."""
_FALLING_SILENT_S = 0.08
_PREFLIGHT_S = 0.2
"""After so much silence the final pass is made, in the hope that nothing more is said before the turn ends."""
_POLL_S = 0.03
_IDLE_POLL_S = 0.1
_NOT_WRITTEN = frozenset({Rejection.IN_PAUSE, Rejection.AT_ANOTHER_SEAT})
"""What becomes no line of this seat: no record is made of a recess, and the other seat has the words."""


def _now() -> float:
    """Return the time of the event loop, so that a whole hearing can be played at another pace."""
    return asyncio.get_running_loop().time()


class RecognitionScheduler:
    """Asks the model: one question at a time, or captions beside the rest. All methods belong to one event loop."""

    def __init__(
        self,
        *,
        queue: TurnQueue,
        recognizer: Recognizer,
        captions: Captions,
        utterances: UtteranceWriter,
        voices: Voices,
        reviser: Reviser,
        speaking: Callable[[], tuple[HearingJob | None, list[Turn]]],
        now_ns: Callable[[], int],
    ) -> None:
        """`speaking()` returns the turns that go on, and their hearing, which is None while catching up.

        `now_ns()` is the room's time: when what was done with a turn is noted in it (`Turn.times`).
        """
        self._recognizer = recognizer
        self._captions = captions
        self._utterances = utterances
        self._voices = voices
        self._reviser = reviser
        self._speaking = speaking
        self._queue = queue
        self._crosstalk = CrosstalkFilter()
        self._rest_until = 0.0
        self._now_ns = now_ns
        finals = LaneLog()
        self._lanes = {False: finals, True: LaneLog() if recognizer.parallel else finals}
        """What was done lately; that of captions is at True."""

    async def run(self) -> None:
        """Work for ever: finished turns before captions, or beside them where the engine has room for both."""
        if not self._recognizer.parallel:
            while True:
                if not (await self._finish_one() or await self._caption_one()):
                    await self._wait_for_work()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._for_ever(self._finish_one))
            tasks.create_task(self._for_ever(self._caption_one))

    async def _for_ever(self, one: Callable[[], Awaitable[bool]]) -> None:
        while True:
            if not await one():
                await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        """Wait until a turn comes or goes, or it is time to look again at those who speak."""
        _, turns = self._speaking()
        await self._queue.wait_for_change(_POLL_S if turns else _IDLE_POLL_S)

    async def _finish_one(self) -> bool:
        """Write the turn that has waited longest, or ask about one that seems to be over; False when neither is due."""
        if first := self._queue.first:
            await self._final(*first)
            await self._queue.remove_first()
            return True
        if ending := self._ending(self._going_on()):
            await self._preflight(ending)
            return True
        return False

    async def _caption_one(self) -> bool:
        """Make the caption that is due; False when there is none."""
        _, turns = self._speaking()
        self._captions.withdraw_all_but([*turns, *self._queue.turns])
        if caption := self._due(self._going_on()):
            await self._interim(caption)
            return True
        return False

    def _going_on(self) -> list[Caption]:
        job, turns = self._speaking()
        if job is None:
            return []
        finished = {id(turn) for turn in self._queue.turns}
        return [self._captions.of(job, turn) for turn in turns if id(turn) not in finished]

    @staticmethod
    def _ending(captions: list[Caption]) -> Caption | None:
        """Find a turn that seems to be over, and whose words were not yet asked for up to its end."""
        return next(
            (
                caption
                for caption in captions
                if caption.turn.quiet_s >= min(_PREFLIGHT_S, pause_s(caption.turn.seconds)) - 1e-6
                and not caption.is_preflight_whole
            ),
            None,
        )

    def _due(self, captions: list[Caption]) -> Caption | None:
        """Choose the caption that is made now: the first words of a speaker, else the one that has fallen back most."""
        resting = _now() < self._rest_until
        best: Caption | None = None
        most = 0.0
        for caption in captions:
            if caption.turn.quiet_s > _FALLING_SILENT_S or (caption.shown and resting):
                continue  # it ends in a moment, or goes on and is looked at again
            new = caption.turn.seconds - caption.seconds
            if new < (_NEXT_CAPTION_S if caption.shown else _AGAIN_S if caption.seconds else FIRST_CAPTION_S):
                continue
            weight = new if caption.shown else 100 + new
            if weight > most:
                best, most = caption, weight
        return best

    async def _interim(self, caption: Caption) -> None:
        began = _now()
        times = caption.turn.times
        if not times.passes and times.due_ns:
            times.caption_behind = self._lanes[True].between(times.due_ns, self._now_ns())
        caption.seconds = caption.turn.seconds
        caption.asked = mine = caption.asked + 1
        try:
            transcription = await self._ask(caption, caption.turn.samples(), "caption")
        except EngineLostError:
            return  # the final pass will say so
        finally:
            self._rest_until = _now() + _REST * (_now() - began)
        caption.role = await self._voices.guess(caption.job.hearing, caption.seat, caption.turn.samples())
        if caption.asked == mine:
            self._captions.show(caption, transcription)

    async def _preflight(self, caption: Caption) -> None:
        """Make the final pass before it is known that the turn is over; when it goes on, this was one more caption.

        Of a short answer of which nothing is shown yet it is the first one, too.
        """
        caption.seconds, end_ns = caption.turn.seconds, caption.turn.end_ns
        caption.asked = mine = caption.asked + 1  # a caption on its way would promise other words behind this pass
        try:
            transcription = await self._ask(caption, caption.turn.spoken(), "preflight")
        except EngineLostError:
            caption.preflight_ns = end_ns  # it is asked about again when it ends, and then it says so
            return
        caption.preflight, caption.preflight_ns = transcription, end_ns
        if (caption.turn.end_ns != end_ns or not caption.shown) and caption.asked == mine:
            self._captions.show(caption, transcription)

    async def _ask(self, caption: Caption, samples: Samples, work: Work) -> Transcription:
        hearing = caption.job.hearing
        bias = await self._reviser.bias(hearing)
        transcription = await self._timed(caption, samples, work, bias, caption.agreement.committed)
        if not bias or not await self._reviser.echoed(hearing, transcription.text):
            return transcription
        if work == "caption":
            return Transcription(rejection=Rejection.ECHO_OF_BIAS)
        # Who is asked for a name may say just what the engine was told: an engine that was told nothing knows.
        heard = await self._timed(caption, samples, work, "", "")
        return heard if heard.text else Transcription(rejection=Rejection.ECHO_OF_BIAS)

    async def _timed(self, caption: Caption, samples: Samples, work: Work, bias: str, prefix: str) -> Transcription:
        """Ask the engine, and note with the turn where the time went."""
        interim = work == "caption"
        asked = caption.turn.times.ask(work, len(samples) / RATE_HZ, self._now_ns())
        try:
            transcription = await self._recognizer.ask(samples, bias, interim=interim, turn=caption.id, prefix=prefix)
        finally:
            asked.answered_ns = self._done(work, caption.id, asked.asked_ns, interim=interim)
        cost = transcription.cost
        asked.lane_s, asked.engine_s, asked.starved_s = cost.lane_s, cost.engine_s, cost.starved_s
        return transcription

    def _done(self, work: Work, utterance: str, from_ns: int, *, interim: bool = False) -> int:
        """Note what was done until now, and return when that is."""
        now_ns = self._now_ns()
        self._lanes[interim].note(Busy(work, utterance, from_ns, now_ns))
        return now_ns

    async def _final(self, job: HearingJob, turn: Turn) -> None:
        caption = self._captions.take(job, turn)
        caption.asked += 1
        times = turn.times
        times.taken_ns = self._now_ns()
        if times.ended_ns:
            times.behind = self._lanes[False].between(times.ended_ns, times.taken_ns)
        transcription = await self._settled(caption)
        times.settled_ns = self._now_ns()
        if transcription.rejection in _NOT_WRITTEN:
            log.info("said_elsewhere", why=transcription.reason, seconds=round(turn.seconds, 2), channel=turn.channel)
            self._captions.withdraw(caption)
            return
        if not has_words(transcription):
            log.info("no_words", why=transcription.reason, seconds=round(turn.seconds, 2), channel=turn.channel)
            transcription = line_of(transcription)
        event = await self._utterances.write(job, turn, transcription)
        times.written_ns = self._done("writing", caption.id, times.settled_ns)
        self._captions.tell_times(caption)
        self._crosstalk.note(turn, transcription.text)
        await self._reviser.after(job.hearing, event)
        self._done("revising", caption.id, times.written_ns)

    async def _settled(self, caption: Caption) -> Transcription:
        """Return what was heard of a turn that is over; without words where no engine could say which."""
        job, turn = caption.job, caption.turn
        if job.resumes_ns(turn.start_ns) != turn.start_ns:
            return Transcription(rejection=Rejection.IN_PAUSE)  # the pause was known only after the turn was cut
        if caption.preflight is not None and caption.is_preflight_whole:
            transcription = caption.preflight
        else:
            try:
                transcription = await self._ask(caption, turn.samples(), "final")
            except EngineLostError as error:
                log.error("turn_unheard", why=error.message, start_ns=turn.start_ns)
                transcription = Transcription(rejection=Rejection.NOT_HEARD, why=error.message)
        others = self._captions.at_other_seats(turn)
        if self._crosstalk.elsewhere(turn, transcription.text if has_words(transcription) else "", others):
            return Transcription(rejection=Rejection.AT_ANOTHER_SEAT)
        return transcription
