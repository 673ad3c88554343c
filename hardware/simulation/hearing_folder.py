"""A folder with the sound of a hearing and what was said in it, which simulated devices act: exactly this form.

`microphones.flac` (or `.opus`, `.mka`, `.ogg`), one channel a seat, and `reference.json`:
`{"sample_rate", "channels": {"0": [role…]…}, "utterances": [{"channel","role","start","end","text"}…]}` with times in
seconds. `timeline.json` and the exhibits it names may lie beside them. Anything else is refused with `ConfigError`.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sync.errors import ConfigError
from sync.runtime.files.handwritten import read_text

AUDIO_SUFFIXES = (".flac", ".opus", ".mka", ".ogg")


class Said(BaseModel):
    """One utterance of the reference; `start` and `end` in seconds from the beginning of the recording."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    channel: int = Field(ge=0, lt=8)
    role: str = Field(min_length=1)
    start: float = Field(ge=0)
    end: float = Field(gt=0)
    text: str

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"an utterance ends at {self.end} before it starts")
        return self


class Reference(BaseModel):
    """`reference.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sample_rate: int = Field(ge=8_000, le=96_000)
    channels: dict[int, list[str]] = Field(min_length=1, max_length=8)
    utterances: list[Said] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if sorted(self.channels) != list(range(len(self.channels))):
            raise ValueError("channels must be numbered 0, 1, 2 … without a hole")
        for said in self.utterances:
            if said.channel not in self.channels:
                raise ValueError(f"{said.role} speaks on channel {said.channel}, which is not described")
        return self


class HearingFolder:
    """A checked folder. Opening it reads the descriptions only; `samples` decodes the sound."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_dir():
            raise ConfigError(f"the hearing folder {path} is not there; name a folder with microphones and reference")
        audio = [p for p in sorted(path.glob("microphones.*")) if p.suffix in AUDIO_SUFFIXES]
        if len(audio) != 1:
            raise ConfigError(
                f"the hearing folder {path} needs exactly one of {', '.join('microphones' + s for s in AUDIO_SUFFIXES)}"
                f" and has {len(audio)}"
            )
        self.audio = audio[0]
        try:
            text = read_text(path / "reference.json", "the hearing folder's reference.json")
            self.reference = Reference.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(p) for p in first["loc"]) or "its form"
            raise ConfigError(f"reference.json in {path} is wrong at {where}: {first['msg']}") from error
        self.channels, self.duration_s = self._probe()
        if self.channels != len(self.reference.channels):
            raise ConfigError(
                f"{self.audio.name} in {path} has {self.channels} channels, reference.json describes"
                f" {len(self.reference.channels)}"
            )
        last = max(said.end for said in self.reference.utterances)
        if self.duration_s and last > self.duration_s + 1:
            raise ConfigError(f"reference.json in {path} goes on after the end of {self.audio.name}")

    def _probe(self) -> tuple[int, float]:
        try:
            with av.open(str(self.audio)) as container:
                if not container.streams.audio:
                    raise ConfigError(f"{self.audio} holds no sound")
                duration = container.duration or 0
                channels = container.streams.audio[0].channels
                if not channels:
                    raise ConfigError(f"{self.audio} cannot be read as sound: its form is unknown")
                return channels, duration / 1_000_000
        except (FFmpegError, OSError) as error:
            raise ConfigError(f"{self.audio} cannot be read as sound: {error}") from error

    def samples(self, rate_hz: int) -> NDArray[np.int16]:
        """All of the sound at `rate_hz`, shape (samples, channels)."""
        return decode_audio(self.audio, rate_hz)

    @cached_property
    def roles(self) -> dict[int, list[str]]:
        """Who sits at which channel."""
        return self.reference.channels

    def speaking(self, at_s: float) -> dict[int, str]:
        """{channel: role} of those who speak at a moment of the recording."""
        return {s.channel: s.role for s in self.reference.utterances if s.start <= at_s < s.end}


def decode_audio(path: Path, rate_hz: int) -> NDArray[np.int16]:
    """A sound file as 16-bit PCM at `rate_hz`, shape (samples, channels); `ConfigError` when it is none."""
    blocks: list[NDArray[np.int16]] = []
    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            channels = stream.channels
            to_pcm = av.AudioResampler(format="s16", layout=stream.layout, rate=rate_hz)
            for frame in container.decode(stream):
                blocks += [out.to_ndarray().astype(np.int16, copy=False) for out in to_pcm.resample(frame)]
            blocks += [out.to_ndarray().astype(np.int16, copy=False) for out in to_pcm.resample(None)]
    except (FFmpegError, OSError, IndexError) as error:
        raise ConfigError(f"{path} cannot be read as sound: {error}") from error
    if not blocks:
        raise ConfigError(f"{path} holds no sound")
    return np.concatenate(blocks, axis=1).reshape(-1, channels)
