"""Files with flashes and tones at known times, as a room's tracks would have them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from hardware.drivers.ffmpeg_arguments import AAC_PRIMING_SAMPLES
from sync.media.fmp4 import BoxReader, Fragment, Init, retime

EVERY_S = 1.013
BEGIN_S = 5000
EPOCH_UTC_NS = 1_795_300_000_000_000_000
_FPS, _RATE, _SECONDS = 25, 48_000, 12


def clap(folder: Path, late_ms: float = 0, *, mix: bool = False) -> tuple[Path, Path]:
    """A picture (late by that much) and a sound file of 12 s, media time from 5000 s on; the first tone at 5000.5 s.

    The sound is lossless, or as in the room's mix: AAC, whose first frame is the encoder's own.
    """
    begins = np.arange(0.5, _SECONDS - 1, EVERY_S)
    frames = []
    for number in range(_SECONDS * _FPS):
        end = number / _FPS - late_ms / 1000
        lit = np.minimum(end, begins + 0.16) - np.maximum(end - 1 / _FPS, begins)
        share = float(np.clip(lit.max() * _FPS, 0, 1))
        frames.append(np.full((36, 64), 60 + (235 - 60) * share, np.uint8))
    at = np.arange(_SECONDS * _RATE) / _RATE
    into = (at - begins[0]) % EVERY_S
    sounds = (at >= begins[0]) & (into < 0.16) & (at < begins[-1] + 0.2)
    pcm = np.where(sounds, 9000 * np.sin(2000 * np.pi * into), 0)
    picture, tone = folder / "picture.mp4", folder / "tone.mp4"
    head = ["ffmpeg", "-v", "error"]
    tail = ["-movflags", "empty_moov+default_base_moof+frag_keyframe", "-frag_duration", "200000"]
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "64x36", "-r", str(_FPS), "-i", "-"]
    h264 = ["-c:v", "libx264", "-g", "25", "-bf", "0", "-pix_fmt", "yuv420p"]
    subprocess.run([*head, *raw, *h264, *tail, str(picture)], input=np.stack(frames).tobytes(), check=True)
    raw = ["-f", "s16le", "-ar", str(_RATE), "-ac", "1", "-i", "-"]
    coder = ["-c:a", "aac", "-b:a", "64k"] if mix else ["-c:a", "flac", "-strict", "-2"]
    heard = pcm[AAC_PRIMING_SAMPLES:] if mix else pcm
    subprocess.run([*head, *raw, *coder, *tail, str(tone)], input=heard.astype("<i2").tobytes(), check=True)
    stamp(picture, picture)
    stamp(tone, tone)
    return picture, tone


def stamp(file: Path, to: Path, ppm: float = 0, from_s: float = 0, to_s: float = 1e9) -> Path:
    """Move a file that begins at 0 to 5000 s, or copy what lies between two seconds of one that was moved; its device's
    clock is `ppm` too fast, and its fragments say their UTC."""
    reader = BoxReader()
    data = b""
    for item in reader.feed(file.read_bytes()):
        if isinstance(item, Init):
            data += item.data
            continue
        assert reader.init is not None
        assert isinstance(item, Fragment)
        scale = reader.init.timescale
        at_s = item.decode_time / scale % BEGIN_S
        if from_s <= at_s < to_s:
            room_s = BEGIN_S + at_s / (1 + ppm / 1e6)
            utc_ns = EPOCH_UTC_NS + round(room_s * 1e9)
            data += retime(item, reader.init, round(room_s * scale), 1, utc_ns).data
    to.write_bytes(data)
    return to
