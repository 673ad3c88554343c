"""A closed file of the record, read back from the disk: is it what was written, and what was heard and seen?

Promises: `differences` reads the file as the disk has it (its pages are dropped from memory first), hashes all of it,
takes every fragment and sample into account, decodes all sound and those key frames that were looked at live, and
names each difference in words. It changes nothing. Sound is compared second by second with a second's slack, so only
what lasts for seconds counts; a file that is right never depends on how busy the machine was.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from recorder.monitoring.channels import CLIP_SHARE, to_db
from recorder.monitoring.picture import grayscale, is_black, shrink, signature
from recorder.readback.job import Job, Levels
from sync.errors import MediaError
from sync.media.fmp4 import index_file
from sync.runtime.units import NS_PER_S

PIECE_BYTES = 1024 * 1024
LENGTH_TOLERANCE_NS = 60_000_000
"""Less than two pictures: rounding of ticks, and the priming of an encoder."""
LEVEL_DB = 12.0
MIX_DB = 24.0
"""The mix has another gain than any microphone."""
QUIET_DB = -60.0
SECONDS = 3
"""A difference that lasts less is the edge of a word."""
PICTURE_LEVELS = 8.0
"""Mean difference of two signatures of one picture: decoders agree bit by bit, so this is generous."""
STILL_LEVELS = 0.5
"""Likewise of pictures that an encoder made of one still."""
MATCH_NS = 5_000_000

_LITTLE_PROBING = {"analyzeduration": "1", "probesize": "32"}
"""The file says what it holds; ffmpeg would decode pictures to find it out."""


class SoundDifference(Enum):
    """How the sound of a channel in the file is not what was heard live."""

    SILENT = auto()
    QUIET = auto()
    LOUD = auto()
    CLIPPING = auto()


_SOUND_WORDS = {
    SoundDifference.SILENT: "文件中没有声音，现场有",
    SoundDifference.QUIET: "文件中的声音比现场小得多",
    SoundDifference.LOUD: "文件中有现场没有的声音",
    SoundDifference.CLIPPING: "文件中的声音失真，现场没有",
}


def differences(job: Job) -> list[str]:
    """What is wrong, for people; empty when nothing is."""
    try:
        size, digest = _read(job.path)
        found = []
        if size != job.bytes:
            found.append(f"文件长度不符（{size} 字节，应为 {job.bytes} 字节）")
        if digest != job.sha256:
            found.append("文件内容已改变，校验值不符")
        media_ns = _check_fragments(job, found)
        decoded_ns = _check_pictures(job, found) if job.kind == "video" else _check_sound(job, found)
    except OSError as error:
        return [f"文件读不出来：{error.strerror}"]
    except (MediaError, FFmpegError, ValueError) as error:
        return [*found, f"文件无法解码：{error}"]
    if abs(decoded_ns - media_ns) > LENGTH_TOLERANCE_NS:
        found.append(f"解码得到 {decoded_ns / 1e9:.2f} 秒，应为 {media_ns / 1e9:.2f} 秒")
    return found


def _read(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)  # what the disk has, not what memory still knows
        while piece := os.read(fd, PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    finally:
        os.close(fd)
    return size, digest.hexdigest()


def _check_fragments(job: Job, found: list[str]) -> int:
    """Compare the index of the file with what was said of it; how much media its fragments say they hold."""
    index = index_file(job.path, salvage=True)
    if not index.fragments:
        raise MediaError("没有媒体片段")
    first, last = index.fragments[0].from_ns, max(f.to_ns for f in index.fragments)
    if len(index.fragments) != job.fragments:
        found.append(f"有 {len(index.fragments)} 个片段，应为 {job.fragments} 个")
    if abs(first - job.from_ns) > MATCH_NS or abs(last - job.to_ns) > MATCH_NS:
        found.append(f"时长不符（{(last - first) / 1e9:.2f} 秒，应为 {(job.to_ns - job.from_ns) / 1e9:.2f} 秒）")
    return sum(f.to_ns - f.from_ns for f in index.fragments)


def _check_pictures(job: Job, found: list[str]) -> int:
    """Take all packets into account, decode the key frames that were seen live; the length of all packets."""
    expected = dict(job.signatures)
    media_ns = 0
    pictures: list[tuple[bytes, bytes]] = []
    black = False
    with av.open(str(job.path), options=_LITTLE_PROBING) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        tick_ns = float(stream.time_base or 0) * NS_PER_S
        shift_ns: int | None = None  # an edit list moves all times alike
        for packet in container.demux(stream):
            if packet.dts is None:
                continue
            media_ns += round((packet.duration or 0) * tick_ns)
            if not packet.is_keyframe:
                continue
            first, dts_ns = shift_ns is None, round(packet.dts * tick_ns)
            shift_ns = dts_ns - job.from_ns if shift_ns is None else shift_ns
            at_ns = dts_ns - shift_ns
            near = min(expected, key=lambda seen_ns: abs(seen_ns - at_ns), default=None)
            seen = near is not None and abs(near - at_ns) <= MATCH_NS
            if not seen and not first:
                continue
            frames = stream.codec_context.decode(packet) or stream.codec_context.decode(None)
            stream.codec_context.flush_buffers()
            if not frames:
                found.append("有画面无法解码")
                break
            gray = grayscale(shrink(frames[0]))
            if seen and near is not None:
                live = bytes.fromhex(expected.pop(near))
                pictures.append((live, signature(gray)))
                black = black or (is_black(gray) and not is_black(np.frombuffer(live, np.uint8)))
    _compare_pictures(pictures, found, black=black)
    if expected and job.fragments:
        found.append(f"少了 {len(expected)} 个直播中看到的画面")
    return media_ns


def _compare_pictures(pictures: list[tuple[bytes, bytes]], found: list[str], *, black: bool) -> None:
    """Each pair: the signature live, and in the file."""
    if not any(_apart(live, kept) > PICTURE_LEVELS for live, kept in pictures):
        return
    if black:
        found.append("文件中画面全黑，直播时不是")
    elif _still([kept for _, kept in pictures]) and not _still([live for live, _ in pictures]):
        found.append("文件中画面静止不动，直播时不是")
    else:
        found.append("文件中的画面与直播不符")


def _still(pictures: list[bytes]) -> bool:
    return len(pictures) > 1 and all(_apart(pictures[0], other) <= STILL_LEVELS for other in pictures)


def _apart(one: bytes, other: bytes) -> float:
    a, b = np.frombuffer(one, np.uint8), np.frombuffer(other, np.uint8)
    return float(np.abs(a.astype(np.int16) - b).mean()) if a.shape == b.shape else 255.0


def _check_sound(job: Job, found: list[str]) -> int:
    """Decode all of it; the length of all samples."""
    live = dict(job.seconds)
    kept: dict[int, Levels] = {}
    media_ns = 0
    for second, samples, rate_hz in _seconds(job.path):
        media_ns += len(samples) * NS_PER_S // rate_hz
        if len(samples) < rate_hz // 2:
            continue  # the first and the last second
        peaks = np.abs(samples).max(axis=0)
        rms = np.sqrt(np.mean(np.square(samples), axis=0, dtype=np.float64))
        clipped = np.mean(np.abs(samples) >= 32_767, axis=0)
        kept[second] = [(float(p), float(r), float(c)) for p, r, c in zip(peaks, rms, clipped, strict=True)]
    if job.channels:
        for channel, name in enumerate(job.channels):
            heard = {s: levels[channel] for s, levels in live.items() if channel < len(levels)}
            has = {s: levels[channel] for s, levels in kept.items() if channel < len(levels)}
            found += [f"{name}：{what}" for what in _compare_sound(heard, has, LEVEL_DB)]
            if kept and not has:
                found.append(f"{name}：文件中没有这一声道")
    else:
        heard = {s: max(levels, key=lambda x: x[1]) for s, levels in live.items() if levels}
        found += _compare_sound(heard, {s: levels[0] for s, levels in kept.items()}, MIX_DB)
    return media_ns


def _seconds(path: Path) -> Iterator[tuple[int, NDArray[np.float32], int]]:
    """(second of room time, samples by channel in 16-bit units, rate) in order."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        tick_s = float(stream.time_base or 0)
        rate_hz = stream.rate
        second: int | None = None
        parts: list[NDArray[np.float32]] = []
        for frame in container.decode(stream):
            at = int((frame.pts or 0) * tick_s)
            if second is not None and at != second:
                yield second, np.concatenate(parts), rate_hz
                parts = []
            second = at
            parts.append(_samples(frame))
        if second is not None:
            yield second, np.concatenate(parts), rate_hz


def _samples(frame: av.AudioFrame) -> NDArray[np.float32]:
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    scale = 32_768.0 if values.dtype.kind == "f" else 1.0
    if values.dtype == np.int32:
        scale = 1 / 65_536
    return (values.T * np.float32(scale)).astype(np.float32, copy=False)


def _compare_sound(
    live: dict[int, tuple[float, float, float]], kept: dict[int, tuple[float, float, float]], apart_db: float
) -> Iterator[str]:
    """One channel: what lasts for `SECONDS` and was not so in the seconds around it."""
    lasting = dict.fromkeys(SoundDifference, 0)
    found: set[SoundDifference] = set()
    for second in sorted(kept):
        around = [live[s] for s in (second - 1, second, second + 1) if s in live]
        if len(around) < SECONDS:
            lasting = dict.fromkeys(SoundDifference, 0)
            continue
        peak, rms, clipped = kept[second]
        least, most = min(to_db(x[1]) for x in around), max(to_db(x[1]) for x in around)
        differs = {
            SoundDifference.SILENT: peak == 0 and all(x[0] > 0 for x in around),
            SoundDifference.QUIET: least > QUIET_DB and to_db(rms) < least - apart_db,
            SoundDifference.LOUD: to_db(rms) > max(most, QUIET_DB) + apart_db,
            SoundDifference.CLIPPING: clipped >= CLIP_SHARE and max(x[2] for x in around) < CLIP_SHARE / 4,
        }
        lasting = {what: lasting[what] + 1 if now else 0 for what, now in differs.items()}
        for what, seconds in lasting.items():
            if what is SoundDifference.QUIET and lasting[SoundDifference.SILENT] >= SECONDS:
                continue  # what is silent is quiet, too
            if seconds >= SECONDS and what not in found:
                found.add(what)
                yield _SOUND_WORDS[what]
