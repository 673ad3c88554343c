"""A speaker model: what is said becomes a vector that lies near other vectors of the same voice (sherpa-onnx)."""

from __future__ import annotations

from pathlib import Path

import sherpa_onnx

from sync.errors import ConfigError
from transcriber.audio.pcm import RATE_HZ, Samples


class SpeakerModel:
    """One loaded model. Not for several threads."""

    def __init__(self, path: Path, *, device: str = "cpu") -> None:
        if not path.is_file():
            raise ConfigError(f"the speaker model {path} is not there; name an ONNX file in [transcriber] voices")
        try:
            self._extractor = sherpa_onnx.SpeakerEmbeddingExtractor(
                sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(path), num_threads=1, provider=device)
            )
        except (RuntimeError, ValueError) as error:
            raise ConfigError(f"the speaker model {path} cannot be loaded: {error}") from error

    def print_of(self, samples: Samples) -> tuple[float, ...]:
        """Return the vector of `samples` (16 kHz), which is empty when the model needs more of them."""
        stream = self._extractor.create_stream()
        stream.accept_waveform(RATE_HZ, samples)
        stream.input_finished()
        if not self._extractor.is_ready(stream):
            return ()
        return tuple(float(value) for value in self._extractor.compute(stream))
