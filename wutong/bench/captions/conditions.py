"""Other sound to hear, made from a hearing folder: silence, a room's noise, heavier bleed; and real recordings.

Promises: each is a hearing folder like any other, so the same recorder and transcriber hear it; the same source gives
the same samples. Where nothing is said, the reference is one empty utterance.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hardware.simulation.hearing_folder import HearingFolder, Said, decode_audio
from sync.errors import ConfigError
from transcriber.audio.pcm import RATE_HZ

SILENCE_S = 60.0
BLEED_DB = -10.0
NOISE_DB = -55.0
"""Of full scale: a room with a ventilator, 34 dB under the speech of the bundled hearing."""
_METRE_SAMPLES = 47
"""Sound takes so many samples for a meter; seats stand that far apart."""
_TUNING = 4
_FAR_S = 0.35
"""So far from all speech the room is at rest."""
_GAP_S = 1.5
_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""The names that FLAC knows for 1-8 channels; with others they would be mixed."""

Sound = NDArray[np.float64]


class Recording(BaseModel):
    """A recording of real speech; `file` is relative to the list that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1)
    file: Path
    language: str = Field(pattern="^(zh|en)$")
    text: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Speech:
    """Recordings of one language behind one another, in a folder that can be played."""

    language: str
    folder: HearingFolder
    recordings: tuple[Recording, ...]
    """In the order of the folder's utterances."""


def silence(folder: Path, source: HearingFolder, seconds: float = SILENCE_S) -> HearingFolder:
    """Nothing but digital zeros in every microphone."""
    return write_hearing(folder, np.zeros((int(seconds * RATE_HZ), source.channels)), source.roles, _nobody())


def noise(folder: Path, source: HearingFolder, seconds: float) -> HearingFolder:
    """The room at rest: noise with the spectrum of the source's moments far from all speech, at `NOISE_DB` or its own.

    Whichever is louder. Its level swings slowly by 6 dB, as an air conditioner's does, and about every ten seconds
    something knocks (30 to 80 ms, up to -35 dB of full scale) nearer to one microphone than to the others.
    """
    random = np.random.default_rng(20)
    count = int(seconds * RATE_HZ)
    rest = _rest(source)
    out = np.stack([_shaped(rest[:, c], count, random) for c in range(source.channels)], axis=1)
    out *= np.maximum(10 ** (NOISE_DB / 20) / np.sqrt((out**2).mean(axis=0)), 1.0)
    out *= (10 ** (3 * np.sin(np.arange(count) * (2 * np.pi / (23 * RATE_HZ))) / 20))[:, None]
    at = 0
    while (at := at + int(random.uniform(5, 15) * RATE_HZ)) < count:
        length = int(random.uniform(0.03, 0.08) * RATE_HZ)
        knock = random.normal(0, 1, length) * np.exp(-np.arange(length) / (length / 5))
        knock *= 10 ** (random.uniform(-50, -35) / 20) / np.abs(knock).max()
        near = int(random.integers(source.channels))
        for c in range(source.channels):
            piece = out[at + _METRE_SAMPLES * abs(c - near) :, c][:length]
            piece += knock[: len(piece)] * 0.4 ** abs(c - near)
    return write_hearing(folder, out, source.roles, _nobody())


def bleed(folder: Path, source: HearingFolder, bleed_db: float = BLEED_DB) -> HearingFolder:
    """The hearing with every voice at `bleed_db` in every other microphone, later by the way of the sound.

    What leaks already is measured for each pair while one seat alone speaks; only what is missing is added.
    """
    sound = _sound(source)
    gains = np.sqrt(np.maximum(10 ** (bleed_db / 10) - _leaks(source, sound), 0))
    np.fill_diagonal(gains, 0)
    for _ in range(_TUNING):
        out = _leaked(sound, gains)
        # What leaked before is carried on too: come nearer to the level that was asked for.
        gains *= np.sqrt(10 ** (bleed_db / 10) / np.maximum(_leaks(source, out), 1e-12))
    return write_hearing(folder, _leaked(sound, gains), source.roles, list(source.reference.utterances))


def _leaked(sound: Sound, gains: Sound) -> Sound:
    out = sound.copy()
    for speaker, other in np.argwhere(gains > 0):
        later = _METRE_SAMPLES * abs(int(other) - int(speaker))
        out[later:, other] += gains[speaker, other] * sound[: len(sound) - later, speaker]
    return out


def speech(folder: Path, listed: Path) -> list[Speech]:
    """The recordings that the JSON file `listed` names, a folder for each language; `ConfigError` for a bad list."""
    try:
        values = json.loads(listed.read_text(encoding="utf-8"))
        recordings = [Recording.model_validate(value) for value in values["recordings"]]
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise ConfigError(f"the list of recordings {listed} cannot be read: {error}") from error
    out = []
    for language in sorted({r.language for r in recordings}):
        ours = tuple(r for r in recordings if r.language == language)
        pieces: list[Sound] = [np.zeros(RATE_HZ)]
        said: list[Said] = []
        for recording in ours:
            sound = decode_audio(listed.parent / recording.file, RATE_HZ).astype(np.float64)[:, 0] / 32768.0
            start_s = sum(map(len, pieces)) / RATE_HZ
            end_s = start_s + len(sound) / RATE_HZ
            said.append(Said(channel=0, role=recording.name, start=start_s, end=end_s, text=recording.text))
            pieces += [sound, np.zeros(int(_GAP_S * RATE_HZ))]
        whole = np.concatenate(pieces)[:, None]
        out.append(Speech(language, write_hearing(folder / language, whole, {0: [r.name for r in ours]}, said), ours))
    return out


def _nobody() -> list[Said]:
    return [Said(channel=0, role="无", start=0, end=1, text="")]


def _sound(source: HearingFolder) -> Sound:
    return source.samples(RATE_HZ).astype(np.float64) / 32768.0


def _rest(source: HearingFolder) -> Sound:
    """The samples far from all speech, joined."""
    sound = _sound(source)
    far = np.ones(len(sound), np.bool_)
    for said in source.reference.utterances:
        far[max(int((said.start - _FAR_S) * RATE_HZ), 0) : int((said.end + _FAR_S) * RATE_HZ)] = False
    if far.sum() < RATE_HZ:
        raise ConfigError(f"the hearing folder {source.path} has less than a second without speech; use another one")
    return sound[far]


def _shaped(like: Sound, count: int, random: np.random.Generator) -> Sound:
    """Noise of `count` samples with the mean spectrum of `like`."""
    size = 1024
    window = np.hanning(size)
    frames = [like[i : i + size] * window for i in range(0, len(like) - size, size // 2)]
    power = np.mean([np.abs(np.fft.rfft(frame)) ** 2 for frame in frames], axis=0) / (window**2).sum()
    shape = np.fft.irfft(np.sqrt(power), size)
    whole = 1 << int(np.ceil(np.log2(count + size)))  # in one piece: no seams to hear
    white = np.fft.rfft(random.normal(0, 1, whole))
    out: Sound = np.fft.irfft(white * np.fft.rfft(shape, whole), whole)[:count]
    return out


def _leaks(source: HearingFolder, sound: Sound) -> Sound:
    """[speaker, other]: power at the other's microphone / power at the speaker's, while one alone speaks."""
    own = np.zeros(source.channels)
    heard = np.zeros((source.channels, source.channels))
    for said in source.reference.utterances:
        others = [s for s in source.reference.utterances if s.channel != said.channel]
        if any(s.start < said.end and said.start < s.end for s in others):
            continue
        power = (sound[int(said.start * RATE_HZ) : int(said.end * RATE_HZ)] ** 2).sum(axis=0)
        own[said.channel] += power[said.channel]
        heard[said.channel] += power
    leaks: Sound = heard / np.maximum(own, 1e-12)[:, None]
    return leaks


def write_hearing(folder: Path, sound: Sound, roles: dict[int, list[str]], said: Sequence[Said]) -> HearingFolder:
    """Write a folder that simulated microphones play; `sound` has shape (samples, channels), full scale is 1."""
    folder.mkdir(parents=True, exist_ok=True)
    channels = sound.shape[1]
    pcm = np.clip(np.rint(sound * 32768.0), -32768, 32767).astype(np.int16)
    with av.open(str(folder / "microphones.flac"), "w") as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout=_LAYOUTS[channels - 1], format="s16")
        for first in range(0, len(pcm), RATE_HZ):
            block = np.ascontiguousarray(pcm[first : first + RATE_HZ]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout=_LAYOUTS[channels - 1])
            frame.sample_rate = RATE_HZ
            frame.pts = first
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    reference = {
        "sample_rate": RATE_HZ,
        "channels": {str(channel): names for channel, names in roles.items()},
        "utterances": [one.model_dump() for one in said],
    }
    (folder / "reference.json").write_text(json.dumps(reference, ensure_ascii=False), encoding="utf-8")
    return HearingFolder(folder)
