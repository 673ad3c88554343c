"""What an engine is: samples in, words out. Everything else in this package works with any engine behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from sync.errors import WutongError
from transcriber.audio.pcm import Samples


@dataclass(frozen=True, slots=True)
class Word:
    """A character or word; times in seconds from the first sample."""

    text: str
    start_s: float
    end_s: float
    probability: float


class Rejection(Enum):
    """Why there are no words of some samples: the name is the code, the value is for the log.

    Only of the last two nothing at all is written; the others are a line that says so (`transcriber.unheard`).
    """

    NO_WORDS = "no words"
    SILENCE = "silence"
    ANNOTATION = "an annotation of a sound"
    CREDITS = "credits of a video"
    TOO_FAST = "too fast"
    REPETITION = "repetition"
    ECHO_OF_BIAS = "echo of the bias"
    NOT_HEARD = "no engine survived it"
    IN_PAUSE = "in a pause"
    AT_ANOTHER_SEAT = "said at another seat"


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer took, in seconds: 0 where nobody measured it."""

    lane_s: float = 0.0
    """Until the engine was free for it."""
    engine_s: float = 0.0
    """The engine was at it, on whatever processor the machine gave it."""
    starved_s: float = 0.0
    """Of these, in which threads of the engine were ready and had no processor: other programs had it."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """What an engine made of some samples; without text when nothing was said, or nobody had time to say what."""

    text: str = ""
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    """0…1: the mean probability of the words."""
    rejection: Rejection | None = None
    why: str = ""
    """A sentence for people: what hindered the one that was asked."""
    cost: Cost = field(default=Cost(), compare=False)

    @property
    def reason(self) -> str:
        """Why there is no text, for the log."""
        return self.why or (self.rejection.value if self.rejection else "")


UNKNOWN_PROBABILITY = 0.75
"""The probability of words whose engine says none: neither doubted nor trusted above others."""


DOUBTED_PROBABILITY = 0.3
"""The probability, at most, of words that may not have been said: whoever reads them sees them underlined."""


class EngineLostError(WutongError):
    """These samples cannot be transcribed: the model died over them again and again, or every server refused them."""

    code = "engine"


class Engine(Protocol):
    """Turns one stretch of one speaker into words."""

    def transcribe(self, samples: Samples, bias: str = "", *, interim: bool = False, prefix: str = "") -> Transcription:
        """Words of at most 30 s. `bias`: names likely to be heard; `interim`: for a caption that will be replaced.

        `prefix`: the committed words with which these samples begin, as an earlier answer wrote them; the answer begins
        with them too. An engine that cannot go on from words may hear them again and ignore it.
        """


class Recognizer(Protocol):
    """Who is asked for words: an engine's process, or servers elsewhere. All methods belong to one event loop."""

    restarts: int
    """How often a model had to be started again, or a server was given up for another."""
    busy_s: float
    """Seconds spent waiting for answers."""
    asked_s: float
    """Seconds of sound that were asked about."""

    @property
    def pid(self) -> int | None:
        """The model's process, while there is one here."""

    @property
    def parallel(self) -> bool:
        """Whether a question may be asked while another is being answered, and a caption's be abandoned for it."""

    async def start(self) -> None:
        """Be ready, so that the first word does not wait. `ConfigError` for what will never work."""

    async def ask(
        self, samples: Samples, bias: str = "", *, interim: bool = False, turn: str = "", prefix: str = ""
    ) -> Transcription:
        """Words of `samples` (16 kHz, at most 29.5 s); `turn` names what captions of one speech have in common.

        `prefix` as in `Engine.transcribe`.
        `EngineLostError` when these samples cannot be transcribed; the sound is kept.
        """

    async def voiceprint(self, samples: Samples) -> tuple[float, ...]:
        """Who speaks, as numbers of the speaker model; empty where there is none or the speech is too short."""

    async def stop(self) -> None:
        """End what was started."""
