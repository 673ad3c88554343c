"""How loud each channel of an input is, ten times a second, for who sets a room up; nothing is kept.

    python -m hardware.workers.microphone_levels '<options as JSON>'

Says lines of JSON: `db`, a level of each channel (RMS, dBFS), until its stdin ends; or one with `code` and `text`.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.workers.encoder_process import worker_started
from hardware.workers.microphones import MicrophoneOptions, open_input
from hardware.workers.reporter import pcm_levels
from sync.errors import WutongError

LEVELS_S = 0.1
FULL = 32_768
QUIETEST_DB = -96.0


def main() -> None:
    """Entry point of the process."""
    worker_started()
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    said = json.loads(sys.argv[1])
    file = said.get("file")
    options = MicrophoneOptions(
        said["driver"],
        said["device"],
        None if file is None else Path(file),
        True,
        said["channels"],
        said["rate_hz"],
        Path("/nonexistent"),
        [],
        [],
        -1,
    )
    try:
        _run(options)
    except WutongError as error:
        print(json.dumps({"code": error.code, "text": error.message}, ensure_ascii=False), flush=True)  # noqa: T201 (the answer)


def _run(options: MicrophoneOptions) -> None:
    source = open_input(options)
    heard: list[NDArray[np.int16]] = []
    samples = 0
    try:
        while (got := source.read()) is not None:
            heard.append(got[0])
            samples += len(got[0])
            if samples >= options.rate_hz * LEVELS_S:
                levels = pcm_levels(np.concatenate(heard))
                print(json.dumps({"db": [_db(rms) for _, rms, _ in levels]}), flush=True)  # noqa: T201 (the answer)
                heard, samples = [], 0
    finally:
        source.close()


def _db(rms: float) -> float:
    return round(max(20 * math.log10(max(rms, 0.5) / FULL), QUIETEST_DB), 1)


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
