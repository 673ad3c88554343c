"""When it flashed and beeped, read from recorded files by ffmpeg and ffprobe as a player reads them.

Each picture is decoded with its presentation time and its mean luma, each block of sound with its presentation time and
its samples; nothing that the recorder said anywhere is used. Times are seconds of the files' own time line.

A camera gathers light for the time since its frame before. The first frame of a flash is therefore only partly lit;
its share says how long before the frame's own time the flash began.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sync.errors import WutongError

Numbers = NDArray[np.float64]
_FRAME = re.compile(rb"pts:\s*(-?\d+)")
_LUMA = re.compile(rb"lavfi\.signalstats\.YAVG=([\d.]+)")
_BLOCK = re.compile(rb"ashowinfo.*?\bpts:\s*(-?\d+).*?channels:(\d+).*?rate:(\d+) nb_samples:(\d+)")
_RUN = ["ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-copyts"]


def _ffmpeg(arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run([*_RUN, *arguments], capture_output=True, check=False)
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise WutongError(f"ffmpeg cannot read {arguments[1]}: {' '.join(last)}")
    return done


def _time_base(file: Path, stream: str) -> Fraction:
    command = ["ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "stream=time_base"]
    done = subprocess.run([*command, "-of", "csv=p=0", str(file)], capture_output=True, text=True, check=False)
    try:
        return Fraction(done.stdout.strip().splitlines()[0])
    except (IndexError, ValueError):
        raise WutongError(f"{file} holds no {stream} that ffprobe can read: {done.stderr.strip()}") from None


def pictures(files: Sequence[Path]) -> tuple[Numbers, Numbers]:
    """(presentation time, mean luma) of every frame of these files."""
    times, lumas = [], []
    for file in files:
        unit = _time_base(file, "v:0")
        show = "scale=64:36:flags=area,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
        done = _ffmpeg(["-i", str(file), "-map", "0:v:0", "-vf", show, "-f", "null", "-"])
        times += [int(pts) * float(unit) for pts in _FRAME.findall(done.stdout)]
        lumas += [float(luma) for luma in _LUMA.findall(done.stdout)]
    if not times or len(times) != len(lumas):
        raise WutongError("the files hold no pictures; record for longer")
    return np.array(times), np.array(lumas)


def sound(files: Sequence[Path]) -> list[tuple[float, int, Numbers]]:
    """(presentation time of the first sample, samples a second, samples of the first channel) of every block."""
    blocks = []
    for file in files:
        take = ["-map", "0:a:0", "-af", "ashowinfo", "-c:a", "pcm_s16le", "-f", "s16le", "-"]
        done = _ffmpeg(["-i", str(file), *take])
        at = 0
        for pts, channels, rate, count in _BLOCK.findall(done.stderr):
            size = int(count) * int(channels)
            samples = np.frombuffer(done.stdout, "<i2", size, at)[:: int(channels)]
            at += 2 * size
            blocks.append((int(pts) / int(rate), int(rate), samples.astype(np.float64)))
    if not blocks:
        raise WutongError("the files hold no sound; record for longer")
    return blocks


def flashes(times: Numbers, lumas: Numbers) -> list[float]:
    """When each flash began. A flash whose first frames are missing is left out."""
    frame_s = float(np.median(np.diff(times)))
    dark, white = float(np.percentile(lumas, 20)), float(lumas.max())
    if white - dark < 30:
        raise WutongError("no flash is to be seen in the pictures")
    share = np.clip((lumas - dark) / (white - dark), 0, 1)
    lit = share > 0.03
    begins = np.flatnonzero(lit[1:] & ~lit[:-1]) + 1
    found = []
    for first in begins:
        # The frame before shows darkness until its own time; the one after the first is wholly lit.
        if first + 1 >= len(times) or share[first + 1] < 0.85 or times[first] - times[first - 1] > 1.5 * frame_s:
            continue
        found.append(float(times[first] - share[first] * frame_s))
    return found


def beeps(blocks: Sequence[tuple[float, int, Numbers]], quiet_s: float = 0.2) -> list[float]:
    """When each beep began: the first sample near its loudness after some quiet."""
    loud = 0.3 * max(float(np.max(np.abs(samples))) for _, _, samples in blocks if len(samples))
    found: list[float] = []
    last = -np.inf
    for at_s, rate, samples in blocks:
        where = at_s + np.flatnonzero(np.abs(samples) > loud) / rate
        for moment in where:
            if moment - last > quiet_s:
                found.append(float(moment))
            last = moment
    return found


def offsets_ms(seen: Sequence[float], heard: Sequence[float], every_s: float) -> Numbers:
    """Of each flash with its beep: positive when the picture is late."""
    pairs = []
    for flash in seen:
        near = min(heard, key=lambda beep: abs(beep - flash), default=np.inf)
        if abs(near - flash) < every_s / 2:
            pairs.append((flash - near) * 1000)
    return np.array(pairs)
