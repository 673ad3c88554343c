"""What turns speech into words: the part of the profile that the transcriber and a speech server read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from hardware.profile_part import ProfilePart, WebAddress
from sync.errors import ConfigError


class Transcriber(ProfilePart):
    """What turns speech into words."""

    engine: Literal["faster-whisper", "sherpa-onnx", "openai", "off"] = Field(
        "faster-whisper", description="'openai': transcription servers of that interface; 'off': a record without words"
    )
    model: str = Field(
        "base",
        description="'base' is the model that ships with the product; else a local folder; openai: its name there",
    )
    language: Literal["zh", "en", "auto"] = Field(
        "zh", description="what is spoken; 'auto': Mandarin or English, utterance by utterance"
    )
    threads: int = Field(2, ge=1, le=16, description="processor threads that the model may take")
    device: Literal["cpu", "cuda"] = Field("cpu", description="where the model runs")
    servers: list[WebAddress] = Field(
        [],
        max_length=16,
        description="openai: http(s) addresses of the servers, each without /v1; any of them may fail",
    )
    token_file: Path | None = Field(None, description="openai: file (mode 0600) with the servers' bearer token")
    timeout_s: float = Field(30.0, ge=1, le=300, description="openai: how long a server may take for an utterance")
    voices: str = Field(
        "pitch",
        description="how people who share a seat are told apart: 'pitch', a speaker model (ONNX), or '' by touch alone",
    )
    terms: Path | None = Field(
        None, description="file with the court's own terms, one or more a line; see docs/words.md"
    )
    prompt: bool = Field(
        False,
        description="true: tell the engine the names of the case beforehand; may help a large model, harms 'base'",
    )
    corrections: Literal["apply", "propose", "off"] = Field(
        "apply",
        description="words that sound like a term and are written otherwise: changed visibly, only proposed, or let be",
    )
    numbers: Literal["arabic", "chinese", "as-heard"] = Field(
        "arabic",
        description="form of amounts, dates, rates and articles: 30万元, 三十万元, or as the engine wrote them",
    )

    @model_validator(mode="after")
    def _engine_has_what_it_needs(self) -> Self:
        if self.engine == "openai" and not self.servers:
            raise ValueError("the engine openai needs 'servers', the address of one transcription server or more")
        if self.engine != "openai" and self.servers:
            raise ValueError(f"the engine {self.engine} takes no 'servers'; choose the engine openai or remove them")
        if self.engine == "sherpa-onnx" and self.model == "base":
            raise ValueError("the engine sherpa-onnx needs 'model', the folder of a model in its form")
        if len(set(self.servers)) != len(self.servers):
            raise ValueError("a transcription server is named twice")
        return self

    def below(self, folder: Path) -> Self:
        """The same with its relative paths below a folder."""

        def at(name: str) -> str:
            return str(folder / Path(name).expanduser())

        update: dict[str, object] = {}
        if self.engine in ("faster-whisper", "sherpa-onnx") and self.model != "base":
            update["model"] = at(self.model)
        if self.voices not in ("", "pitch"):
            update["voices"] = at(self.voices)
        if self.token_file is not None:
            update["token_file"] = folder / self.token_file.expanduser()
        if self.terms is not None:
            update["terms"] = folder / self.terms.expanduser()
        return self.model_copy(update=update)


def speech_settings(**values: object) -> Transcriber:
    """The settings of an engine that runs on this machine, without a courtroom. `ConfigError` says what is wrong."""
    try:
        settings = Transcriber.model_validate(values | {"voices": ""})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "engine"
        raise ConfigError(f"the speech server cannot run so: {where}: {first['msg']}") from error
    if settings.engine not in ("faster-whisper", "sherpa-onnx"):
        raise ConfigError(
            f"a speech server needs an engine of its own: faster-whisper or sherpa-onnx, not {settings.engine}"
        )
    return settings
