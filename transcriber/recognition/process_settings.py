"""What one model process loads: an engine, a speaker model, or both. Light: the parent reads it too."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sync.errors import ConfigError

if TYPE_CHECKING:
    from transcriber.recognition.recognizer import Engine
    from transcriber.recognition.speaker_embedding import SpeakerModel


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """The settings of a model process. An empty `engine` is none, an empty `speaker` likewise."""

    engine: str = "faster-whisper"
    folder: str = ""
    language: str = "zh"
    threads: int = 2
    device: str = "cpu"
    speaker: str = ""
    """The path of a speaker model."""

    @property
    def lanes(self) -> int:
        """How many questions are answered at a time: a finished turn shall not wait for a caption.

        Two threads of one small model wait for each other longer than they help: they had better work side by side.
        """
        return 2 if self.engine == "faster-whisper" and self.device == "cpu" and self.threads > 1 else 1

    def to_json(self) -> str:
        """As an argument of the process."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ProcessSettings:
        """What `to_json` wrote."""
        return cls(**json.loads(text))


def load_engines(settings: ProcessSettings) -> list[Engine]:
    """The engine, loaded: once for every lane, all on one model. `ConfigError` when it cannot be."""
    if not settings.engine:
        return []
    folder = Path(settings.folder)
    # Each engine's libraries are large: only those of the one that is asked for.
    if settings.engine == "faster-whisper":
        from transcriber.recognition.whisper import Whisper

        return list(
            Whisper.side_by_side(
                folder,
                settings.lanes,
                language=settings.language,
                threads=settings.threads // settings.lanes,
                device=settings.device,
            )
        )
    if settings.engine == "sherpa-onnx":
        _need_sherpa("the engine sherpa-onnx")
        from transcriber.recognition.sherpa import Sherpa

        return [Sherpa(folder, language=settings.language, threads=settings.threads, device=settings.device)]
    raise ConfigError(f"there is no engine called {settings.engine!r} that runs on this machine")


def load_speaker(settings: ProcessSettings) -> SpeakerModel | None:
    """The speaker model, loaded. `ConfigError` when it cannot be."""
    if not settings.speaker:
        return None
    _need_sherpa("a speaker model")
    from transcriber.recognition.speaker_embedding import SpeakerModel

    return SpeakerModel(Path(settings.speaker), device=settings.device)


def _need_sherpa(what: str) -> None:
    """The library is an extra of the package: most rooms never need it."""
    if find_spec("sherpa_onnx") is None:
        raise ConfigError(f"{what} needs the library sherpa-onnx, which is not installed; pip install 'wutong[sherpa]'")
