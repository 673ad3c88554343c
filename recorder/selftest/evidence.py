"""What a test record proves: that a seat's sound and a camera's picture are in the files, and not only on their way.

Every function returns why it is not proven, in words for the clerk, or "" when it is. All of them block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from hardware import test_signal, timecode
from hardware.drivers.ffmpeg_arguments import clock_box
from recorder.monitoring.channels import FLOOR_DB, to_db
from recorder.monitoring.picture import BLACK_MEAN, BLACK_SPREAD, SAME_LEVELS
from sync.errors import MediaError
from sync.media.fmp4 import FileIndex, index_file
from sync.runtime.units import NS_PER_S

HEARD_DB = -45.0
"""RMS of a tenth of a second above which somebody speaks."""
HEARD_LEVELS = 3
"""So many tenths of a second of it are a word."""
QUIET_DB = -60.0
"""Below it, noise is not compared."""
SAME_DB = 6.0
"""Live meter and file measure the same sound over tenths of a second that begin a little apart."""
AROUND_TICKS = 5
SHIFT_S = 0.6
"""A live level is told so much after its sound at most."""
SAME_PIXELS = 16
"""Of 320 by 180: an encoder never makes quite the same of the same picture."""
CLOCK_NS = NS_PER_S
"""How far the UTC of a file may be from the room's."""
LEAST_SHARE = 0.8
"""Of the time for which a track was to be kept."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A decoded file of the microphones; shape (samples, channels)."""

    pcm: NDArray[np.int16]
    rate_hz: int
    from_ns: int


@dataclass(frozen=True, slots=True)
class LiveLevel:
    """One live level of a seat, as the feed told it."""

    at_ns: int
    rms_db: float


def decode(path: Path) -> Sound:
    """Decode a file of the microphones; `MediaError` when it is none."""
    index = index_file(path)
    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            to_pcm = av.AudioResampler(format="s16", layout=stream.layout, rate=stream.rate)
            blocks = [out.to_ndarray() for frame in container.decode(stream) for out in to_pcm.resample(frame)]
            blocks += [out.to_ndarray() for out in to_pcm.resample(None)]
            rate_hz, channels = stream.rate, stream.channels
    except (FFmpegError, IndexError, OSError) as error:
        raise MediaError(f"the sound of {path.name} cannot be decoded: {error}") from error
    if not blocks or not index.fragments:
        raise MediaError(f"{path.name} holds no sound")
    pcm = np.concatenate(blocks, axis=1).reshape(-1, channels).astype(np.int16, copy=False)
    return Sound(pcm, rate_hz, index.fragments[0].from_ns)


def no_marker(sounds: Sequence[Sound], channel: int, test: str) -> str:
    """Whether the marker of `test` came through a microphone."""
    parts = [s for s in sounds if channel < s.pcm.shape[1]]
    if any(test_signal.find(s.pcm[:, channel], s.rate_hz, test) for s in parts):
        return ""
    peak = max((int(np.abs(s.pcm[:, channel].astype(np.int32)).max()) for s in parts if len(s.pcm)), default=0)
    if peak == 0:
        return "话筒没有任何信号"
    return f"录音中找不到扬声器的测试音（最高 {to_db(peak):.0f} dBFS）"


def no_voice(sounds: Sequence[Sound], channel: int, levels: Sequence[LiveLevel]) -> str:
    """Whether what the live meter heard of a seat is in the file: the same levels at the same time."""
    if levels and all(level.rms_db <= FLOOR_DB for level in levels):
        return "话筒没有任何信号"
    if not any(level.rms_db > HEARD_DB for level in levels):
        return "没有听到声音"
    best = min((_unlike(s, channel, levels) for s in sounds if channel < s.pcm.shape[1]), default=90.0)
    return "" if best <= SAME_DB else "录音文件中的声音与现场不符"


def _unlike(sound: Sound, channel: int, levels: Sequence[LiveLevel]) -> float:
    """Mean difference in dB between the live levels and the file, at the beginning that fits best.

    Levels are of tenths of a second without a hole between them, but are told with jitter: only the least late counts.
    """
    block = max(sound.rate_hz // 50, 1)
    tick = -(-sound.rate_hz // 10 // block) * block  # as hardware.workers.microphones measures
    tick_ns = tick * NS_PER_S // sound.rate_hz
    first_ns = min(level.at_ns - number * tick_ns for number, level in enumerate(levels)) - tick_ns
    live = np.maximum([level.rms_db for level in levels], QUIET_DB)
    loud = np.flatnonzero(live > HEARD_DB)
    near = [n for n in range(len(live)) if np.abs(loud - n).min() <= AROUND_TICKS]
    power = np.concatenate(([0.0], np.cumsum(sound.pcm[:, channel].astype(np.float64) ** 2)))
    best = 90.0
    for shift_s in np.arange(0.0, SHIFT_S, 0.02):
        start = round(((first_ns - sound.from_ns) / NS_PER_S - shift_s) * sound.rate_hz)
        begins = [start + n * tick for n in near]
        inside = [(n, at) for n, at in zip(near, begins, strict=True) if at >= 0 and at + tick < len(power)]
        if sum(live[n] > HEARD_DB for n, _ in inside) < HEARD_LEVELS:
            continue  # what was said before or after the file is not in it
        rms = [float(np.sqrt((power[at + tick] - power[at]) / tick)) for _, at in inside]
        apart = [abs(max(to_db(value), QUIET_DB) - live[n]) for value, (n, _) in zip(rms, inside, strict=True)]
        best = min(best, float(np.mean(apart)))
    return best


def no_mix(path: Path) -> str:
    """Whether the mix that people listen to can be heard."""
    try:
        sound = decode(path)
    except MediaError:
        return "混音无法解码"
    peak = to_db(int(np.abs(sound.pcm.astype(np.int32)).max()))
    return "混音没有任何声音" if peak <= FLOOR_DB else ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a camera's test record must be."""

    from_ns: int
    to_ns: int
    size: tuple[int, int] | None
    """Width and height of the profile; None where the camera decides."""
    timecode: bool
    """The picture carries one (simulated cameras)."""
    clock: bool
    """The encoder draws the time into its corner: that it runs proves nothing of the camera."""
    utc_of: Callable[[int], int]


def no_picture(paths: Sequence[Path], expected: Expected) -> str:
    """Whether a camera's picture is in its files: whole, alive, of the right size and time."""
    reasons = []
    for path in paths:
        try:
            why = _no_picture(path, index_file(path), expected)
        except MediaError:
            why = "录像文件损坏"
        if not why:
            return ""
        reasons.append(why)
    return reasons[-1] if reasons else "没有收到画面"


def _no_picture(path: Path, index: FileIndex, expected: Expected) -> str:
    if index.init is None or not index.fragments:
        return "录像文件是空的"
    asked_ns = expected.to_ns - expected.from_ns
    kept_ns = sum(f.to_ns - f.from_ns for f in index.fragments if f.to_ns > expected.from_ns)
    if kept_ns < LEAST_SHARE * asked_ns:
        return f"画面不连续，{asked_ns / NS_PER_S:.0f} 秒中只有 {kept_ns / NS_PER_S:.1f} 秒"
    for fragment in index.fragments:
        if fragment.utc_ns is not None and abs(fragment.utc_ns - expected.utc_of(fragment.from_ns)) > CLOCK_NS:
            return "录像文件的时间与法庭时钟不符"
    table = index.init.table
    if expected.size is not None and (table.width, table.height) != expected.size:
        return f"画面尺寸为 {table.width}×{table.height}，应为 {expected.size[0]}×{expected.size[1]}"
    return _not_alive(path, (table.width, table.height), index.fragments[0].from_ns, expected)


def _not_alive(path: Path, size: tuple[int, int], first_ns: int, expected: Expected) -> str:
    """Decode all of it; look at it twice a second."""
    pictures: list[NDArray[np.uint8]] = []
    clock_why = ""
    next_s, start_s = 0.0, None
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            for frame in container.decode(stream):
                if (frame.width, frame.height) != size:
                    return "画面尺寸与文件所述不符"
                start_s = frame.time if start_s is None else start_s
                passed_s = (frame.time or 0.0) - (start_s or 0.0)
                if passed_s < next_s:
                    continue
                next_s = passed_s + 0.5
                pictures.append(_gray(frame, expected))
                if expected.timecode:
                    clock_why = clock_why or _wrong_clock(frame, first_ns + int(passed_s * NS_PER_S), expected)
    except (FFmpegError, IndexError, OSError):
        return "画面无法解码"
    if len(pictures) < 3:
        return "画面无法解码" if not pictures else "画面太少"
    if all(picture.mean() < BLACK_MEAN and picture.std() < BLACK_SPREAD for picture in pictures):
        return "画面全黑"
    if not any(
        int((np.abs(picture.astype(np.int16) - pictures[0]) > SAME_LEVELS).sum()) > SAME_PIXELS for picture in pictures
    ):
        return "画面静止不动"
    return clock_why


def _gray(frame: av.VideoFrame, expected: Expected) -> NDArray[np.uint8]:
    """Brightness, 320 wide, without the encoder's own clock."""
    height = max(round(frame.height * 320 / frame.width / 2) * 2, 2)
    gray = frame.reformat(width=320, height=height, format="gray").to_ndarray().astype(np.uint8)
    if expected.clock:
        tall, wide = clock_box(frame.height)
        gray[: math.ceil(tall * height / frame.height), : math.ceil(wide * 320 / frame.width)] = 0
    return gray


def _wrong_clock(frame: av.VideoFrame, at_ns: int, expected: Expected) -> str:
    shown_ms = timecode.read(frame.reformat(format="gray").to_ndarray().astype(np.uint8, copy=False))
    if shown_ms is None:
        return "画面中的时间码无法读出"
    late_ns = shown_ms * 1_000_000 - expected.utc_of(at_ns)
    return "" if abs(late_ns) <= CLOCK_NS else f"画面中的时间码与录像时间相差 {late_ns / 1e6:.0f} 毫秒"
