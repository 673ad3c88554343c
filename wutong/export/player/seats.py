"""`play/seats/`: one file of sound for each seat, so that a listener can hear one microphone alone.

Made for listening from the lossless track of the microphones: one channel each, encoded with AAC, gaps and pauses as
silence, on the time line of the other files of `play/`.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ffmpeg

from sync.errors import DeviceError
from wutong.export.player.remux import feed, rebased


def seat_files(files: Sequence[Path], channels: Mapping[str, int], base_ns: int, out: Path) -> dict[str, str]:
    """Seat -> name of its file in `out`; `channels` says which one a seat has."""
    if not files or not channels:
        return {}
    out.mkdir()
    names = {seat: f"{seat}.mp4" for seat in channels}
    read, write = os.pipe()
    sound = ffmpeg.input(f"pipe:{read}", format="mp4").audio
    # Timestamps, not samples, say where sound belongs: what is missing between them becomes silence.
    steady = sound.filter("aresample", **{"async": 1, "min_hard_comp": 0.02, "first_pts": 0})
    parts = steady.filter_multi_output("asplit", len(channels))
    outputs = [
        ffmpeg.output(
            parts.stream(place).filter("pan", args=f"mono|c0=c{channel}"),
            names[seat],
            acodec="aac",
            audio_bitrate="48k",
            format="mp4",
            movflags="+faststart",
            map_metadata=-1,
        )
        for place, (seat, channel) in enumerate(channels.items())
    ]
    made: Any = ffmpeg.merge_outputs(*outputs)
    quiet = made.global_args("-hide_banner", "-nostats", "-loglevel", "error", "-nostdin", "-copyts")
    process = subprocess.Popen(
        ffmpeg.compile(quiet, overwrite_output=True),
        cwd=out,
        pass_fds=[read],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    os.close(read)
    feeder = threading.Thread(target=feed, args=(write, rebased(files, base_ns)), daemon=True)
    feeder.start()
    _, said = process.communicate()
    feeder.join()
    if process.returncode:
        words = said.decode("utf-8", "replace").strip().splitlines()
        raise DeviceError(f"ffmpeg could not make the sound of the seats: {words[-1] if words else process.returncode}")
    return names
