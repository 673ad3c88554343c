"""What one model process is to load: an engine, a speaker model, or both. It loads nothing itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


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
        """Return the settings as an argument of the process."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ProcessSettings:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))
