"""Turns in, captions and utterances out: the order in which the model is asked.

Promises: what is finished outranks what goes on; a caption is only made when nothing finished waits, and more rarely
the slower the model is. The final pass begins when a speaker falls silent, before the pause is long enough to end the
turn: mostly it is done by then, and it goes on from the words that the captions have committed. Each turn becomes one
event `utterance` or, when nothing was said, none. A turn that the model cannot survive is declared in the record, never
dropped silently.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from hardware.profile import Profile, Seat
from sync.errors import StorageError
from sync.record.bodies.words import SpokenWord, UtteranceBody
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from sync.room.messages import CaptionMessage
from transcriber.backlog import HearingJob
from transcriber.correction.reviser import Reviser
from transcriber.correction.vocabulary.punctuation import punctuated
from transcriber.diarization.voices import Voices
from transcriber.local_agreement import Agreement
from transcriber.recognition.process import EngineLostError
from transcriber.recognition.recognizer import Recognizer, Samples, Transcription
from transcriber.segmentation.crosstalk import CrosstalkFilter
from transcriber.segmentation.endpointer import Turn, pause_s

log = structlog.get_logger(__name__)

MOST_WAITING = 6
"""Finished turns that may wait in memory: a minute of speech at most."""
UNHEARD = "〔此处语音未能转写，以录音为准〕"
_FIRST_CAPTION_S = 0.75
_NEXT_CAPTION_S = 0.9
_REST = 0.8
"""After a caption the model rests this many times as long as it took: less heat, and finals find it free."""
_FALLING_SILENT_S = 0.08
_EARLY_S = 0.2
"""After so much silence the final pass is made, in the hope that nothing more is said before the turn ends."""
_LOOK_S = 0.03
_COMMIT_S = 5.0
"""Shorter turns are heard as a whole each time: going on from committed words costs accuracy and saves little."""
_EDGE_NS = 400_000_000
"""So near to it, a first or last word reaches to the edge of the turn."""
_RETRY_S = 1.0


@dataclass(slots=True)
class _Caption:
    sitting: HearingJob
    turn: Turn
    agreement: Agreement = field(default_factory=Agreement)
    seconds: float = 0.0
    """How much of the turn the last pass heard."""
    shown: bool = False
    role: str = ""
    asked: int = 0
    """Counts what was asked about this turn: an answer that was overtaken is not shown."""
    early: Transcription | None = None
    """The final pass over what was said until `early_ns`."""
    early_ns: int = 0


def _now() -> float:
    """The loop's clock, so that a whole hearing can be played at another pace."""
    return asyncio.get_running_loop().time()


class RecognitionScheduler:
    """The one that asks the model. All methods belong to one event loop."""

    def __init__(
        self,
        *,
        profile: Profile,
        owner: Recognizer,
        room_log: RoomLog,
        clock: RoomClock,
        feed: FeedServer,
        voices: Voices,
        reviser: Reviser,
        speaking: Callable[[], tuple[HearingJob | None, list[Turn]]],
    ) -> None:
        """`speaking()`: the turns that go on, and their hearing, which is None while catching up."""
        self._profile = profile
        self._owner = owner
        self._log = room_log
        self._clock = clock
        self._feed = feed
        self._voices = voices
        self._reviser = reviser
        self._speaking = speaking
        self._finals: deque[tuple[HearingJob, Turn]] = deque()
        self._captions: dict[int, _Caption] = {}
        self._settled = CrosstalkFilter()
        self._changed = asyncio.Condition()
        self._rest_until = 0.0
        self.trouble = ""

    @property
    def oldest_ns(self) -> int | None:
        """When the first of the turns that wait began: they are in the order in which they ended."""
        return min((turn.start_ns for _, turn in self._finals), default=None)

    @property
    def waiting_since_ns(self) -> int | None:
        """When the oldest turn that waits ended."""
        return self._finals[0][1].end_ns if self._finals else None

    async def put(self, sitting: HearingJob, turn: Turn) -> None:
        """Hand over a finished turn; waits while too many are waiting."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._finals) < MOST_WAITING)
            self._finals.append((sitting, turn))
            self._changed.notify_all()

    async def drained(self) -> None:
        """Until no finished turn waits."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._finals)

    async def run(self) -> None:
        """Work for ever: finished turns before captions, or beside them where the engine has room for both."""
        if not self._owner.parallel:
            while True:
                if not (await self._finish_one() or await self._caption_one()):
                    await self._look()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._for_ever(self._finish_one))
            tasks.create_task(self._for_ever(self._caption_one))

    async def _for_ever(self, one: Callable[[], Awaitable[bool]]) -> None:
        while True:
            if not await one():
                await self._look()

    async def _look(self) -> None:
        """Until something changes, or it is time to look at those who speak."""
        _, turns = self._speaking()
        try:
            async with asyncio.timeout(_LOOK_S if turns else 0.1), self._changed:
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _finish_one(self) -> bool:
        """Write the turn that has waited longest, or hear one that seems to be over; False when there is neither."""
        if self._finals:
            await self._final(*self._finals[0])
            async with self._changed:
                self._finals.popleft()
                self._changed.notify_all()
            return True
        if early := self._ending(self._going_on()):
            await self._early(early)
            return True
        return False

    async def _caption_one(self) -> bool:
        """Make the caption that is due; False when there is none."""
        _, turns = self._speaking()
        self._withdraw_orphans([*turns, *(turn for _, turn in self._finals)])
        if caption := self._due(self._going_on()):
            await self._partial(caption)
            return True
        return False

    def _going_on(self) -> list[_Caption]:
        sitting, turns = self._speaking()
        if sitting is None:
            return []
        finished = {id(turn) for _, turn in self._finals}
        return [self._captions.setdefault(id(t), _Caption(sitting, t)) for t in turns if id(t) not in finished]

    @staticmethod
    def _ending(captions: list[_Caption]) -> _Caption | None:
        """A turn that seems to be over, and was not yet heard up to its end."""
        return next(
            (
                c
                for c in captions
                if c.turn.quiet_s >= min(_EARLY_S, pause_s(c.turn.seconds)) - 1e-6 and c.early_ns != c.turn.end_ns
            ),
            None,
        )

    def _due(self, captions: list[_Caption]) -> _Caption | None:
        """The caption that is to be made now: the first of a speaker, else the one that has fallen back most."""
        resting = _now() < self._rest_until
        best: _Caption | None = None
        most = 0.0
        for caption in captions:
            if caption.turn.quiet_s > _FALLING_SILENT_S or (caption.seconds and resting):
                continue  # it ends in a moment, or goes on and is looked at again
            new = caption.turn.seconds - caption.seconds
            if new < (_NEXT_CAPTION_S if caption.seconds else _FIRST_CAPTION_S):
                continue
            weight = new if caption.seconds else 100 + new
            if weight > most:
                best, most = caption, weight
        return best

    async def _partial(self, caption: _Caption) -> None:
        began = _now()
        caption.seconds = caption.turn.seconds
        caption.asked = mine = caption.asked + 1
        try:
            heard = await self._ask(caption, caption.turn.samples(), quick=True)
        except EngineLostError:
            return  # the final pass will say so
        finally:
            self._rest_until = _now() + _REST * (_now() - began)
        seat = self._seat(caption.turn)
        caption.role = await self._voices.guess(caption.sitting.hearing, seat, caption.turn.samples())
        if caption.asked == mine:
            self._show(caption, heard)

    async def _early(self, caption: _Caption) -> None:
        """The final pass before it is known that the turn is over; when it goes on, this was one more caption."""
        caption.seconds, end_ns = caption.turn.seconds, caption.turn.end_ns
        caption.asked = mine = caption.asked + 1  # a caption on its way would promise other words behind this pass
        try:
            heard = await self._ask(caption, caption.turn.spoken())
        except EngineLostError:
            caption.early_ns = end_ns  # heard again when it ends, and then it says so
            return
        caption.early, caption.early_ns = heard, end_ns
        if caption.turn.end_ns != end_ns and caption.asked == mine:
            self._show(caption, heard)

    async def _ask(self, caption: _Caption, samples: Samples, *, quick: bool = False) -> Transcription:
        hearing = caption.sitting.hearing
        name = utterance_id(caption.sitting, self._seat(caption.turn), caption.turn)
        bias = await self._reviser.bias(hearing)
        heard = await self._owner.ask(samples, bias, quick=quick, turn=name, prefix=caption.agreement.committed)
        return (
            Transcription(why="echo of the bias") if bias and await self._reviser.echoed(hearing, heard.text) else heard
        )

    def _show(self, caption: _Caption, heard: Transcription) -> None:
        if heard.text:
            text = caption.agreement.take(heard.text, commit=caption.seconds >= _COMMIT_S)
            self._publish(caption, text, caption.agreement.stable)

    def _publish(self, caption: _Caption, text: str, stable: int) -> None:
        turn, seat = caption.turn, self._seat(caption.turn)
        caption.shown = bool(text)
        message: CaptionMessage = {
            "id": utterance_id(caption.sitting, seat, turn),
            "seat": seat.id,
            "role": caption.role or seat.role,
            "start_ns": turn.start_ns,
            "end_ns": turn.end_ns,
            "text": text,
            "stable": stable,
        }
        self._feed.publish_json("caption", message)

    def _withdraw_orphans(self, turns: list[Turn]) -> None:
        """A turn that turned out to be no speech leaves no caption behind."""
        going_on = {id(t) for t in turns}
        for key in [k for k in self._captions if k not in going_on]:
            caption = self._captions.pop(key)
            if caption.shown:
                self._publish(caption, "", 0)

    async def _final(self, sitting: HearingJob, turn: Turn) -> None:
        caption = self._captions.pop(id(turn), None) or _Caption(sitting, turn)
        caption.asked += 1
        if sitting.resumes_ns(turn.start_ns) != turn.start_ns:
            heard = Transcription(why="in a pause")  # the pause was known only after the turn was cut
        elif caption.early is not None and caption.early_ns == turn.end_ns:
            heard = caption.early
        else:
            try:
                heard = await self._ask(caption, turn.samples())
            except EngineLostError as error:
                log.error("turn_unheard", why=error.message, start_ns=turn.start_ns)
                heard = Transcription(text=UNHEARD)
        if heard.text and self._settled.elsewhere(turn, heard, self._others(turn)):
            heard = Transcription(why="said at another seat")
        if heard.text:
            await self._record(sitting, turn, heard)
        else:
            log.info("nothing_said", why=heard.why, seconds=round(turn.seconds, 2), channel=turn.channel)
            if caption.shown:
                self._publish(caption, "", 0)

    def _others(self, turn: Turn) -> list[tuple[Turn, str]]:
        """What is being said, or waits to be written, at other seats at the same time."""
        return [(c.turn, c.agreement.heard) for c in self._captions.values() if c.turn.channel != turn.channel]

    async def _record(self, sitting: HearingJob, turn: Turn, heard: Transcription) -> None:
        heard = punctuated(heard)
        seat = self._seat(turn)
        name = utterance_id(sitting, seat, turn)
        voice, role = await self._voices.whose(sitting.hearing, seat, turn.samples())
        words: list[SpokenWord] = [
            {
                "text": word.text,
                "start_ns": start_ns,
                "end_ns": end_ns,
                "probability": word.probability,
            }
            for word, (start_ns, end_ns) in zip(heard.words, word_times(turn, heard), strict=True)
        ]
        body: UtteranceBody = {
            "id": name,
            "seat": seat.id,
            "role": role,
            "start_ns": turn.start_ns,
            "end_ns": turn.end_ns,
            "text": heard.text,
            "confidence": heard.confidence,
            "voice": voice,
            "words": words,
        }
        while True:
            try:
                event = await asyncio.to_thread(
                    self._log.append,
                    "utterance",
                    body,
                    hearing=sitting.hearing,
                    room_ns=self._clock.now_ns(),
                    utc_ns=self._clock.utc_now_ns(),
                    key=f"utterance:{name}",
                )
            except StorageError as error:
                self.trouble = error.message
                log.error("utterance_waits", why=error.message)
                await asyncio.sleep(_RETRY_S)
                continue
            self.trouble = ""
            self._settled.note(turn, heard)
            self._feed.publish_json("log", {"number": event.number})
            await self._reviser.after(sitting.hearing, event)
            return

    def _seat(self, turn: Turn) -> Seat:
        seat = self._profile.seat_of_channel(turn.channel)
        assert seat is not None  # only channels with a seat are cut
        return seat


def word_times(turn: Turn, heard: Transcription) -> list[tuple[int, int]]:
    """Room time of every word: as the engine aligned it, but never outside of what the gate heard of the speaker.

    An engine lets the first word begin with its sound, silence included, and ends the last one anywhere near.
    """
    times = [
        (
            min(max(turn.audio_ns + int(word.start_s * 1e9), turn.start_ns), turn.end_ns),
            min(max(turn.audio_ns + int(word.end_s * 1e9), turn.start_ns), turn.end_ns),
        )
        for word in heard.words
    ]
    if times and times[0][0] - turn.start_ns < _EDGE_NS:
        times[0] = (turn.start_ns, times[0][1])
    if times and turn.end_ns - times[-1][1] < _EDGE_NS:
        times[-1] = (times[-1][0], turn.end_ns)
    return times


def utterance_id(sitting: HearingJob, seat: Seat, turn: Turn) -> str:
    """The same speech has the same name after every restart."""
    return f"{sitting.hearing}-{seat.id}-{(turn.start_ns - sitting.opened_ns) // 1_000_000}"
