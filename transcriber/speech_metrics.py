"""What a speech server says of itself to monitoring: how much it is asked, how long answers take, whether it keeps up.

No label and no number says anything of what was heard.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final, Protocol

from sync.http.monitoring.catalog import MetricCatalog
from sync.http.monitoring.certificate_ends import ends_of, read_ends
from sync.http.monitoring.doors import Monitoring
from sync.http.monitoring.readiness import READY, READY_PART, Readiness, ReadyPart
from sync.http.monitoring.readings import Readings
from sync.http.monitoring.scrape import Scrape
from sync.http.monitoring.settings import MetricsSettings
from sync.runtime.logs.metrics import DurationBuckets, LoopDelay
from transcriber.recognition.recognizer import Recognizer

CATALOG = MetricCatalog(READY, READY_PART)
SPEECH = CATALOG.info("wutong_speech", "The speech server, by its version and the model's name.", "version", "model")
PROCESSES = CATALOG.gauge(
    "wutong_speech_processes", "Processes of the model: so many questions are answered at a time."
)
BUSY = CATALOG.gauge("wutong_speech_busy_processes", "Processes that are at a question now.")
WAITING = CATALOG.gauge("wutong_speech_waiting_questions", "Questions that wait for a process.")
MOST = CATALOG.gauge("wutong_speech_waiting_most", "So many may wait; what comes beyond it is refused.")
ANSWERED = CATALOG.counter(
    "wutong_speech_answers", "Questions that were answered, of a finished turn or of a caption.", "question"
)
REFUSED = CATALOG.counter(
    "wutong_speech_refused",
    "Questions that got no words: busy (too many waited), form (no speech as it must be), engine (the model died over "
    "it), gone (who asked did not wait).",
    "code",
)
ANSWER = CATALOG.histogram(
    "wutong_speech_answer_seconds", "From a question until its answer, the wait for a process included."
)
HEARD = CATALOG.counter("wutong_speech_heard_seconds", "Seconds of sound that were asked about and answered.")
RESTARTS = CATALOG.counter("wutong_speech_restarts", "How often a process of the model had to be started again.")
CERTIFICATE = CATALOG.gauge(
    "wutong_speech_certificate_left_seconds", "How long the server's certificate still lasts.", "certificate"
)
LOOP_DELAY = CATALOG.gauge("wutong_speech_loop_delay_seconds", "The longest that the event loop came late in a minute.")

QUESTIONS: Final = ("turn", "caption")
REFUSED_CODES: Final = ("busy", "form", "engine", "gone")
_NO_MODEL = "语音模型进程没有运行，收到下一个请求时重启 (no process of the model runs; the next question starts one)"
_FULL = "等待识别的请求已满，新的请求被拒绝 (as many questions wait as may; further ones are refused)"


@dataclass
class SpeechCounts:
    """What was asked in this life."""

    answered: Counter[str] = field(default_factory=Counter)
    """By one of `QUESTIONS`."""
    refused: Counter[str] = field(default_factory=Counter)
    """By one of `REFUSED_CODES`."""
    answers_after: DurationBuckets = field(default_factory=DurationBuckets)
    heard_s: float = 0.0

    def answer(self, *, interim: bool, after_s: float, heard_s: float) -> None:
        """A question was answered."""
        self.answered[QUESTIONS[interim]] += 1
        self.answers_after.note(after_s)
        self.heard_s += heard_s


class QuestionLine(Protocol):
    """Who waits for a process (`transcriber.speech_server.QuestionQueue`)."""

    @property
    def waiting(self) -> int:
        """Questions that wait."""

    @property
    def free(self) -> int:
        """Processes that nobody has."""

    @property
    def most(self) -> int:
        """So many may wait."""


@dataclass(frozen=True)
class SpeechMetrics:
    """Reads one speech server. All methods belong to its event loop."""

    model: str
    recognizers: Sequence[Recognizer]
    line: QuestionLine
    counts: SpeechCounts
    certificates: Mapping[str, Path]
    """name -> file."""
    loop_delay: LoopDelay = field(default_factory=LoopDelay)

    def monitoring(self, settings: MetricsSettings) -> Monitoring:
        """Its monitoring, with the doors that are wanted."""
        readiness = Readiness({"model": ReadyPart(self._has_model, needed=False), "queue": ReadyPart(self._has_room)})
        parts = {
            "speech": self.read_speech,
            "certificates": self.read_certificates,
            "readiness": readiness.read,
        }
        return Monitoring(settings, Scrape(CATALOG, parts), readiness, self.loop_delay)

    async def read_speech(self, readings: Readings) -> None:
        """What it is asked, and how it keeps up."""
        counts, line = self.counts, self.line
        readings.set(SPEECH, 1, version("wutong"), Path(self.model).name)
        readings.set(LOOP_DELAY, self.loop_delay.longest_s)
        readings.set(PROCESSES, len(self.recognizers))
        readings.set(BUSY, len(self.recognizers) - line.free)
        readings.set(WAITING, line.waiting)
        readings.set(MOST, line.most)
        for question in QUESTIONS:
            readings.set(ANSWERED, counts.answered[question], question)
        for code in REFUSED_CODES:
            readings.set(REFUSED, counts.refused[code], code)
        readings.durations(ANSWER, counts.answers_after.read())
        readings.set(HEARD, counts.heard_s)
        readings.set(RESTARTS, sum(one.restarts for one in self.recognizers))

    async def read_certificates(self, readings: Readings) -> None:
        """What it shows, where it serves HTTPS."""
        read_ends(readings, CERTIFICATE, await asyncio.to_thread(ends_of, self.certificates))

    async def _has_model(self) -> str:
        return "" if any(one.pid is not None for one in self.recognizers) else _NO_MODEL

    async def _has_room(self) -> str:
        return "" if self.line.waiting < self.line.most else _FULL
