"""What is shown while somebody speaks: each turn's caption, as it grows, and its withdrawal when nothing was said.

Promises: what a caption has committed never changes; the caption of a turn that turns out to be no speech is replaced
by an empty one. Asks no model and decides no order: that is the scheduler's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from hardware.profile import Seat
from sync.room.feed import FeedServer
from sync.room.messages import CaptionMessage, TurnTimesMessage
from transcriber.backlog import HearingJob
from transcriber.local_agreement import LocalAgreement
from transcriber.recognition.recognizer import Transcription
from transcriber.segmentation.endpointer import Turn
from transcriber.utterances import utterance_id

_COMMIT_S = 5.0
"""Shorter turns are transcribed as a whole each time: going on from committed words costs accuracy and saves little."""


@dataclass(slots=True)
class Caption:
    """The caption of one turn, and what was asked about the turn so far."""

    job: HearingJob
    turn: Turn
    seat: Seat
    agreement: LocalAgreement = field(default_factory=LocalAgreement)
    seconds: float = 0.0
    """How much of the turn the last pass was given."""
    shown: bool = False
    role: str = ""
    asked: int = 0
    """Counts what was asked about this turn: an answer that was overtaken is not shown."""
    preflight: Transcription | None = None
    """The final pass over what was said until `preflight_ns`."""
    preflight_ns: int = 0

    @property
    def id(self) -> str:
        """The name of the utterance that this caption becomes."""
        return utterance_id(self.job, self.seat, self.turn)

    @property
    def is_preflight_whole(self) -> bool:
        """Whether nothing was said after the last pass that was made as if the turn were over."""
        return self.preflight_ns == self.turn.end_ns


class Captions:
    """The captions of all turns that go on. All methods belong to one event loop."""

    def __init__(self, seats: Mapping[int, Seat], feed: FeedServer) -> None:
        """`seats` are those of the room, by the channel of their microphone."""
        self._seats = seats
        self._feed = feed
        self._of_turn: dict[int, Caption] = {}

    def of(self, job: HearingJob, turn: Turn) -> Caption:
        """Return the caption of a turn that goes on; at first it is a new one that is not shown yet."""
        found = self._of_turn.get(id(turn))
        if found is None:
            found = self._of_turn[id(turn)] = self._new(job, turn)
        return found

    def take(self, job: HearingJob, turn: Turn) -> Caption:
        """Hand over the caption of a turn that is over: from now on nobody else shows or withdraws it."""
        return self._of_turn.pop(id(turn), None) or self._new(job, turn)

    def show(self, caption: Caption, transcription: Transcription) -> None:
        """Publish what another pass over the turn adds to its caption."""
        if transcription.text:
            text = caption.agreement.take(transcription.text, commit=caption.seconds >= _COMMIT_S)
            self._publish(caption, text, caption.agreement.stable)

    def tell_times(self, caption: Caption) -> None:
        """Publish when a turn that was written passed each station."""
        message: TurnTimesMessage = {
            "id": caption.id,
            "seat": caption.seat.id,
            "start_ns": caption.turn.start_ns,
            "end_ns": caption.turn.end_ns,
            "times": asdict(caption.turn.times),
        }
        self._feed.publish_json("times", message)

    def withdraw(self, caption: Caption) -> None:
        """Take back what was shown of a turn that was no speech."""
        if caption.shown:
            self._publish(caption, "", 0)

    def withdraw_all_but(self, turns: Iterable[Turn]) -> None:
        """Withdraw the captions of turns that neither go on nor wait to be written."""
        kept = {id(turn) for turn in turns}
        for key in [key for key in self._of_turn if key not in kept]:
            gone = self._of_turn.pop(key)
            gone.asked += 1  # an answer on its way would show it again, and nobody would take that back
            self.withdraw(gone)

    def at_other_seats(self, turn: Turn) -> list[tuple[Turn, str]]:
        """Return the turns of other seats that go on or wait to be written, each with its words so far."""
        return [(c.turn, c.agreement.latest) for c in self._of_turn.values() if c.turn.channel != turn.channel]

    def _new(self, job: HearingJob, turn: Turn) -> Caption:
        return Caption(job, turn, self._seats[turn.channel])

    def _publish(self, caption: Caption, text: str, stable: int) -> None:
        caption.shown = bool(text)
        message: CaptionMessage = {
            "id": caption.id,
            "seat": caption.seat.id,
            "role": caption.role or caption.seat.role,
            "start_ns": caption.turn.start_ns,
            "end_ns": caption.turn.end_ns,
            "text": text,
            "stable": stable,
        }
        self._feed.publish_json("caption", message)
