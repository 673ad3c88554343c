"""Turns in, captions and utterances out: the order in which the model is asked.

Promises: what is finished outranks what goes on; a caption is only made when nothing finished waits, and more rarely
the slower the model is; each turn becomes one event `utterance` or, when nothing was said, none. A turn that the
model cannot survive is declared in the record, never dropped silently.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from hardware.profile import Profile, Seat
from sync.clock import RoomClock
from sync.errors import StorageError
from sync.feed import FeedServer
from sync.roomlog import RoomLog
from transcriber.agreement import Agreement
from transcriber.cutter import Turn
from transcriber.engine import Heard
from transcriber.gate import FRAME_NS
from transcriber.owner import EngineLostError, Owner
from transcriber.sittings import Sitting

log = structlog.get_logger(__name__)

MOST_WAITING = 6
"""Finished turns that may wait in memory: two minutes of speech at most."""
UNHEARD = "〔此处语音未能转写，以录音为准〕"
_FIRST_CAPTION_S = 0.9
_NEXT_CAPTION_S = 0.8
_REST = 1.2
"""After a caption the model rests this many times as long as it took: less heat, and finals find it free."""
_FALLING_SILENT_S = 0.2
_WINDOW_NS = 8_000_000_000
_OLDER_FRAMES, _NEWER_FRAMES = 150, 100
_RETRY_S = 1.0


@dataclass(slots=True)
class _Caption:
    sitting: Sitting
    turn: Turn
    agreement: Agreement
    seconds: float = 0.0
    shown: bool = False
    first: int = 0
    """The frame where the window begins that is transcribed again and again."""
    before: str = ""
    """What was said before the window."""


class Desk:
    """The one that asks the model. All methods belong to one event loop."""

    def __init__(
        self,
        *,
        profile: Profile,
        owner: Owner,
        room_log: RoomLog,
        clock: RoomClock,
        feed: FeedServer,
        speaking: Callable[[], tuple[Sitting | None, list[Turn]]],
    ) -> None:
        """`speaking()`: the turns that go on, and their hearing, which is None while catching up."""
        self._profile = profile
        self._owner = owner
        self._log = room_log
        self._clock = clock
        self._feed = feed
        self._speaking = speaking
        self._finals: deque[tuple[Sitting, Turn]] = deque()
        self._captions: dict[int, _Caption] = {}
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

    async def put(self, sitting: Sitting, turn: Turn) -> None:
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
        """Work for ever."""
        while True:
            if self._finals:
                await self._final(*self._finals[0])
                async with self._changed:
                    self._finals.popleft()
                    self._changed.notify_all()
                continue
            sitting, turns = self._speaking()
            self._withdraw_orphans(turns)
            caption = self._due(sitting, turns)
            if caption is not None:
                await self._partial(caption)
                continue
            try:
                async with asyncio.timeout(0.1), self._changed:
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _due(self, sitting: Sitting | None, turns: list[Turn]) -> _Caption | None:
        """The caption that has fallen back most, if it is time for one."""
        if sitting is None or time.monotonic() < self._rest_until:
            return None
        best: _Caption | None = None
        most = 0.0
        for turn in turns:
            if turn.quiet_s > _FALLING_SILENT_S:
                continue  # it ends in a moment, or goes on and is looked at again
            caption = self._captions.setdefault(id(turn), _Caption(sitting, turn, Agreement()))
            new = turn.seconds - caption.seconds
            if new >= (_NEXT_CAPTION_S if caption.seconds else _FIRST_CAPTION_S) and new > most:
                best, most = caption, new
        return best

    async def _partial(self, caption: _Caption) -> None:
        began = time.monotonic()
        caption.seconds = caption.turn.seconds
        try:
            await self._move_window(caption)
            if self._finals:
                return
            heard = await self._owner.ask(caption.turn.samples(caption.first), quick=True)
        except EngineLostError:
            return  # the final pass will say so
        finally:
            self._rest_until = time.monotonic() + _REST * (time.monotonic() - began)
        if heard.text:
            text = caption.agreement.take(caption.before + heard.text)
            self._publish(caption, text, caption.agreement.stable)

    async def _move_window(self, caption: _Caption) -> None:
        """Transcribe the older half of a long window for the last time, so that each pass stays short."""
        turn = caption.turn
        if (turn.frames - caption.first) * FRAME_NS < _WINDOW_NS:
            return
        cut = turn.quietest(caption.first + _OLDER_FRAMES, turn.frames - _NEWER_FRAMES)
        heard = await self._owner.ask(turn.samples(caption.first, cut), quick=True)
        caption.before += heard.text
        caption.first = cut

    def _publish(self, caption: _Caption, text: str, stable: int) -> None:
        turn, seat = caption.turn, self._seat(caption.turn)
        caption.shown = bool(text)
        self._feed.publish_json(
            "caption",
            {
                "id": utterance_id(caption.sitting, seat, turn),
                "seat": seat.id,
                "role": seat.role,
                "start_ns": turn.start_ns,
                "end_ns": turn.end_ns,
                "text": text,
                "stable": stable,
            },
        )

    def _withdraw_orphans(self, turns: list[Turn]) -> None:
        """A turn that turned out to be no speech leaves no caption behind."""
        going_on = {id(t) for t in turns}
        for key in [k for k in self._captions if k not in going_on]:
            caption = self._captions.pop(key)
            if caption.shown:
                self._publish(caption, "", 0)

    async def _final(self, sitting: Sitting, turn: Turn) -> None:
        caption = self._captions.pop(id(turn), None)
        if sitting.resumes_ns(turn.start_ns) != turn.start_ns:
            heard = Heard(why="in a pause")  # the pause was known only after the turn was cut
        else:
            try:
                heard = await self._owner.ask(turn.samples())
            except EngineLostError as error:
                log.error("turn_unheard", why=error.message, start_ns=turn.start_ns)
                heard = Heard(text=UNHEARD)
        if heard.text:
            await self._record(sitting, turn, heard)
        else:
            log.info("nothing_said", why=heard.why, seconds=round(turn.seconds, 2), channel=turn.channel)
            if caption is not None and caption.shown:
                self._publish(caption, "", 0)

    async def _record(self, sitting: Sitting, turn: Turn, heard: Heard) -> None:
        seat = self._seat(turn)
        name = utterance_id(sitting, seat, turn)
        words = [
            {
                "text": word.text,
                "start_ns": turn.audio_ns + int(word.start_s * 1e9),
                "end_ns": turn.audio_ns + int(word.end_s * 1e9),
                "probability": word.probability,
            }
            for word in heard.words
        ]
        body: dict[str, Any] = {
            "id": name,
            "seat": seat.id,
            "role": seat.role,
            "start_ns": turn.start_ns,
            "end_ns": turn.end_ns,
            "text": heard.text,
            "confidence": heard.confidence,
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
            self._feed.publish_json("log", {"number": event.number})
            return

    def _seat(self, turn: Turn) -> Seat:
        seat = self._profile.seat_of_channel(turn.channel)
        assert seat is not None  # only channels with a seat are cut
        return seat


def utterance_id(sitting: Sitting, seat: Seat, turn: Turn) -> str:
    """The same speech has the same name after every restart."""
    return f"{sitting.hearing}-{seat.id}-{(turn.start_ns - sitting.opened_ns) // 1_000_000}"
