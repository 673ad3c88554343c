"""Is it a voice? A door, a cough, paper and rain are loud at a seat, and nobody speaks.

Promises: one probability for every 32 ms of one microphone, the same for the same samples however they are cut. The
model is Silero's (MIT), as faster-whisper brings it; it runs on one thread, and only while a microphone is loud.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from sync.errors import ConfigError

_WINDOW = 512
_CONTEXT = 64
_FILE = "silero_vad_v6.onnx"


@cache
def _model() -> onnxruntime.InferenceSession:
    spec = importlib.util.find_spec("faster_whisper")  # only its folder: importing it would load the speech engine
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    path = Path(folders[0], "assets", _FILE) if folders else Path(_FILE)
    if not path.is_file():
        raise ConfigError(f"the voice activity model {_FILE} is not where faster-whisper keeps it; reinstall Wutong")
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])


class VoiceActivity:
    """One microphone's stretch of sound, from its first sample on."""

    def __init__(self) -> None:
        self._model = _model()
        self._rest = np.zeros(_CONTEXT, np.float32)
        """The context of the next window, then what does not fill one yet."""
        self._state = (np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32))

    def feed(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """Take 16 kHz samples; the probability (0…1) of a voice in each whole window that they complete."""
        sound = np.concatenate([self._rest, samples.astype(np.float32) / 32768.0])
        windows = (len(sound) - _CONTEXT) // _WINDOW
        if not windows:
            self._rest = sound
            return np.zeros(0, np.float32)
        starts = np.arange(windows) * _WINDOW
        batch = sound[starts[:, None] + np.arange(_WINDOW + _CONTEXT)]
        self._rest = sound[windows * _WINDOW :]
        out, hidden, cell = self._model.run(None, {"input": batch, "h": self._state[0], "c": self._state[1]})
        self._state = (hidden, cell)
        probabilities: NDArray[np.float32] = np.asarray(out, np.float32).reshape(-1)
        return probabilities
