"""The engine and the speaker model of a model process, loaded as its settings say.

Promises: only the libraries of what is asked for are imported, for each engine's are large.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sync.errors import ConfigError
from transcriber.recognition.process_settings import ProcessSettings
from transcriber.recognition.recognizer import Engine

if TYPE_CHECKING:
    from transcriber.recognition.engines.speaker_embedding import SpeakerModel


def load_engines(settings: ProcessSettings) -> list[Engine]:
    """Load the engine, once for every lane and all on one model. Raises `ConfigError` when it cannot be loaded."""
    if not settings.engine:
        return []
    folder = Path(settings.folder)
    if settings.engine == "faster-whisper":
        from transcriber.recognition.engines.whisper import Whisper

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
        from transcriber.recognition.engines.sherpa import Sherpa

        return [Sherpa(folder, language=settings.language, threads=settings.threads, device=settings.device)]
    raise ConfigError(f"there is no engine called {settings.engine!r} that runs on this machine")


def load_speaker(settings: ProcessSettings) -> SpeakerModel | None:
    """Load the speaker model. Raises `ConfigError` when it cannot be loaded."""
    if not settings.speaker:
        return None
    _need_sherpa("a speaker model")
    from transcriber.recognition.engines.speaker_embedding import SpeakerModel

    return SpeakerModel(Path(settings.speaker), device=settings.device)


def _need_sherpa(what: str) -> None:
    """Refuse what needs the library where it is missing: it is an extra of the package that most rooms never need."""
    if find_spec("sherpa_onnx") is None:
        raise ConfigError(f"{what} needs the library sherpa-onnx, which is not installed; pip install 'wutong[sherpa]'")
