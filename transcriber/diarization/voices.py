"""Several people at one microphone: whose voice it is, and in which role that voice speaks.

Promises: a label (`a`, `b` …) means the same voice of its seat all through a hearing, over restarts of this service
too; seats with one role have no labels. What the clerk said of a voice holds from then on. Until then the first voice
heard at a seat has its first role, the second its second. Where voices are not told apart, the label is empty and the
seat speaks in the role that the clerk touched last. Short speech founds no voice: it is the nearest one's, or the
last one's. Where telling them apart goes wrong, the last one spoke, and the words stand. Of what the clerk says, only
acts that count (`sync.record.transcript`) are followed.
"""

from __future__ import annotations

import asyncio
import json
import string
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from hardware.profile import Profile, Seat
from sync.record.event import Event
from sync.record.transcript import Transcript
from sync.runtime.files.durable_files import replace_file
from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.defects import DEFECTS
from transcriber.diarization.pitch import pitch
from transcriber.recognition.factory import NO_MODEL
from transcriber.recognition.recognizer import EngineLostError, Recognizer

log = structlog.get_logger(__name__)

_FOUND_S = 1.5
"""Shorter speech founds no voice and changes none."""
_HEARINGS = 16
"""Of so many hearings at most is remembered what was said of voices: those that are still to be transcribed."""
_GUESSED = 6 * RATE_HZ
"""The samples of a turn that goes on by which its voice is guessed: its last ones."""
_HEAVIEST = 20
"""The center of a voice moves by a twentieth at least: people tire in the course of a day."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How near two prints are that belong to one voice."""

    apart: float
    """Farther than this from every voice that is known: another one."""
    stay: float
    """Nearer than its own by less than this: still the voice that spoke last."""


SEMITONES = Measure(apart=4.5, stay=1.0)
COSINE = Measure(apart=0.55, stay=0.08)


@dataclass(slots=True)
class Voice:
    """One voice of a seat: the middle of its prints, and how many made it."""

    label: str
    centre: list[float]
    weight: int = 1


@dataclass(slots=True)
class _KnownVoices:
    """The voices of one hearing, by seat, and the label of who spoke last at each."""

    hearing: str = ""
    voices: dict[str, list[Voice]] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)


class Voices:
    """The voices of the hearing in work. All methods belong to one event loop."""

    def __init__(self, profile: Profile, recognizer: Recognizer, file: Path) -> None:
        """`file` keeps the voices of the hearing in work over a restart."""
        self._mode = profile.transcriber.voices
        self._measure = SEMITONES if self._mode == "pitch" else COSINE
        self._recognizer = recognizer
        self._file = file
        self._known = _read(file)
        self._transcripts: dict[str, Transcript] = {}
        self._used: dict[str, dict[str, set[str]]] = {}

    def apply(self, events: Iterable[Event]) -> None:
        """Take what the clerk says of voices and which labels the log has given, from a hearing's first event on."""
        for event in events:
            if event.hearing is not None:
                try:
                    self._follow(event.hearing, event)
                except DEFECTS as error:
                    log.error("voice_act_not_read", number=event.number, why=repr(error))

    def _follow(self, hearing: str, event: Event) -> None:
        if event.kind == "open":
            while len(self._transcripts) >= _HEARINGS:
                self._forget(next(iter(self._transcripts)))
            self._transcripts[hearing] = Transcript()
        transcript = self._transcripts.get(hearing)
        if transcript is None:
            return  # it is transcribed, whatever the clerk still does with it
        if event.kind == "utterance":
            transcript.utterance(event)
            if event.body.get("voice"):
                used = self._used.setdefault(hearing, {})
                used.setdefault(str(event.body["seat"]), set()).add(str(event.body["voice"]))
        elif event.kind == "revision":
            transcript.revise(event)

    def _forget(self, hearing: str) -> None:
        self._transcripts.pop(hearing, None)
        self._used.pop(hearing, None)

    def _begin(self, hearing: str) -> None:
        """Another hearing is in work. They are transcribed in their order: those before it are done."""
        self._known = _KnownVoices(hearing)
        if hearing in self._transcripts:
            for earlier in list(self._transcripts)[: list(self._transcripts).index(hearing)]:
                self._forget(earlier)

    async def whose(self, hearing: str, seat: Seat, samples: Samples) -> tuple[str, str]:
        """(label, role) of what was said at `seat`; the label is empty where voices are not told apart."""
        if self._known.hearing != hearing:
            self._begin(hearing)
        if len(seat.roles) < 2 or not self._mode:
            return "", self.role(hearing, seat, "")
        try:
            voiceprint = await self._voiceprint(samples)
            label = self._settle(hearing, seat, voiceprint, len(samples) / RATE_HZ)
            if label and self._known.last.get(seat.id) != label:
                self._known.last[seat.id] = label
            await asyncio.to_thread(_write, self._file, self._known)
        except DEFECTS as error:
            log.error("voice_not_told", seat=seat.id, why=repr(error))
            label = self._known.last.get(seat.id, "")
        return label, self.role(hearing, seat, label)

    async def guess(self, hearing: str, seat: Seat, samples: Samples) -> str:
        """The role for a caption, while somebody goes on speaking: by pitch, or of who spoke last. Learns nothing."""
        label = self._known.last.get(seat.id, "") if self._known.hearing == hearing else ""
        if len(seat.roles) > 1 and self._mode == "pitch" and len(samples) >= _FOUND_S * RATE_HZ:
            try:
                voiceprint = await asyncio.to_thread(pitch, samples[-_GUESSED:])
                label = self._nearest(hearing, seat, voiceprint, len(samples) / RATE_HZ)
            except DEFECTS as error:
                log.error("voice_not_guessed", seat=seat.id, why=repr(error))
        return self.role(hearing, seat, label)

    def role(self, hearing: str, seat: Seat, label: str) -> str:
        """Say in which role a voice of a seat speaks."""
        transcript = self._transcripts.get(hearing)
        told = {} if transcript is None else transcript.voices
        said = told.get((seat.id, label))
        if said is not None:
            return said
        taken = {role for (place, _), role in told.items() if place == seat.id}
        for earlier in string.ascii_lowercase[: len(seat.roles)] if label else "":
            mine = told.get((seat.id, earlier)) or next((r for r in seat.roles if r not in taken), seat.role)
            if earlier == label:
                return mine
            taken.add(mine)
        return seat.role

    async def _voiceprint(self, samples: Samples) -> tuple[float, ...]:
        if self._mode in NO_MODEL:
            return await asyncio.to_thread(pitch, samples)
        try:
            return await self._recognizer.voiceprint(samples)
        except EngineLostError as error:
            log.warning("voice_unknown", why=error.message)
            return ()

    def _settle(self, hearing: str, seat: Seat, voiceprint: tuple[float, ...], seconds: float) -> str:
        """Return the label of what was said, and learn from it."""
        label = self._nearest(hearing, seat, voiceprint, seconds)
        if voiceprint and seconds >= _FOUND_S and label:
            voices = self._known.voices.setdefault(seat.id, [])
            mine = next((voice for voice in voices if voice.label == label), None)
            if mine is None:
                voices.append(Voice(label, list(voiceprint)))
            elif self._distance(mine.centre, voiceprint) <= self._measure.apart:
                self._move(mine, voiceprint)
        return label

    def _nearest(self, hearing: str, seat: Seat, voiceprint: tuple[float, ...], seconds: float) -> str:
        """Return the label that fits best, or a new one where none does; this changes nothing."""
        voices = self._known.voices.get(seat.id, []) if self._known.hearing == hearing else []
        last = self._known.last.get(seat.id, "") if self._known.hearing == hearing else ""
        if not voiceprint:
            return last
        far = {voice.label: self._distance(voice.centre, voiceprint) for voice in voices}
        best = min(far, key=lambda label: far[label], default="")
        if not best or (far[best] > self._measure.apart and len(voices) < len(seat.roles)):
            if seconds < _FOUND_S:
                return best or last
            used = self._used.get(hearing, {}).get(seat.id, set()) | set(far)
            return next((letter for letter in string.ascii_lowercase if letter not in used), last)
        return last if last in far and far[last] - far[best] < self._measure.stay else best

    def _distance(self, centre: list[float], voiceprint: tuple[float, ...]) -> float:
        if self._measure is SEMITONES:
            return abs(centre[0] - voiceprint[0])
        a, b = np.array(centre), np.array(voiceprint)
        return float(1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))

    def _move(self, voice: Voice, voiceprint: tuple[float, ...]) -> None:
        if self._measure is COSINE:
            voiceprint = tuple(np.array(voiceprint) / (np.linalg.norm(voiceprint) + 1e-9))
            voice.centre = list(np.array(voice.centre) / (np.linalg.norm(voice.centre) + 1e-9))
        share = 1 / (voice.weight + 1)
        voice.centre = [c + share * (h - c) for c, h in zip(voice.centre, voiceprint, strict=True)]
        voice.weight = min(voice.weight + 1, _HEAVIEST)


def _read(path: Path) -> _KnownVoices:
    """Read what was kept. When it cannot be read, nothing is known, and new labels follow those that the log has."""
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        voices = {
            str(seat): [Voice(str(v["label"]), [float(c) for c in v["centre"]], int(v["weight"])) for v in kept]
            for seat, kept in value["voices"].items()
        }
        return _KnownVoices(str(value["hearing"]), voices, {str(k): str(v) for k, v in value["last"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _KnownVoices()


def _write(path: Path, known: _KnownVoices) -> None:
    """Replace the file as a whole; without it a restart founds its voices anew."""
    try:
        # Not synced: an utterance must not wait for it, and a power cut costs labels, no words.
        replace_file(path, json.dumps(asdict(known), ensure_ascii=False), synced=False)
    except OSError as error:
        log.warning("voices_not_kept", why=str(error))
