"""One camera and the mix as a classic MP4 that any player plays in sync: copied, not encoded again.

The time line of all such files is one: zero is the earliest media of the hearing. Pictures keep their times, a gap is
a picture that stands still for as long. Players count sound by its samples, so the sound is made unbroken: coded
frames of silence fill gaps and pauses, and where a device's clock ran off by more than 13 ms, a frame (21 ms) is put
in or left out. The record itself in `media/` is untouched by all this.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ffmpeg

from sync.errors import DeviceError, MediaError
from sync.media.fmp4 import BoxReader, Fragment, Init, retime, to_ns, to_ticks

PIECE = 1024 * 1024
AAC_FRAME = 1024
OFF_SAMPLES = 640
"""13 ms at 48 kHz: so far sound may be off before a frame is put in or left out; more than half a frame, so that one
correction does not call for the opposite one."""
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


@dataclass(frozen=True, slots=True)
class Part:
    """Segments of one track that share one init segment."""

    config: bytes
    files: tuple[Path, ...]
    from_ns: int
    to_ns: int


def parts_of(segments: Sequence[tuple[Path, int, int]], most_bytes: int | None = None) -> list[Part]:
    """(file, from, to) in their order, split where the picture's parameters change, and before `most_bytes`."""
    parts: list[Part] = []
    held = 0
    for path, from_ns, to_ns_ in segments:
        init, size = _init(path), path.stat().st_size
        held += size
        if parts and parts[-1].config == init.table.config and (most_bytes is None or held <= most_bytes):
            last = parts.pop()
            parts.append(Part(last.config, (*last.files, path), last.from_ns, to_ns_))
        else:
            parts.append(Part(init.table.config, (path,), from_ns, to_ns_))
            held = size
    return parts


def remux(picture: Sequence[Path], sound: Sequence[Path], base_ns: int, end_ns: int, out: Path) -> None:
    """Write `out`. Either may be empty; `base_ns` becomes 0, silence goes on to `end_ns`."""
    feeds: list[Callable[[int], None]] = []
    if picture:
        feeds.append(lambda fd: feed(fd, rebased(picture, base_ns)))
    if sound:
        feeds.append(lambda fd: feed(fd, _sound(sound, base_ns, end_ns)))
    pipes = [os.pipe() for _ in feeds]
    reading = [read for read, _ in pipes]
    arguments = _arguments(reading[0] if picture else None, reading[-1] if sound else None, out.name)
    with contextlib.ExitStack() as ends:
        threads = [
            threading.Thread(target=feed, args=(write,), daemon=True)
            for feed, (_, write) in zip(feeds, pipes, strict=True)
        ]
        process = subprocess.Popen(
            arguments, cwd=out.parent, pass_fds=reading, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for read in reading:
            os.close(read)
        ends.callback(process.kill)
        for thread in threads:
            thread.start()
        _, said = process.communicate()
        for thread in threads:
            thread.join()
        if process.returncode:
            words = said.decode("utf-8", "replace").strip().splitlines()
            raise DeviceError(f"ffmpeg could not make {out.name}: {words[-1] if words else process.returncode}")


def _arguments(picture: int | None, sound: int | None, out: str) -> list[str]:
    streams = []
    if picture is not None:
        streams.append(ffmpeg.input(f"pipe:{picture}", format="mp4", thread_queue_size=512).video)
    if sound is not None:
        streams.append(ffmpeg.input(f"pipe:{sound}", format="aac", thread_queue_size=512).audio)
    made = ffmpeg.output(*streams, out, c="copy", format="mp4", movflags="+faststart", map_metadata=-1)
    quiet = made.global_args("-hide_banner", "-nostats", "-loglevel", "error", "-nostdin", "-copyts")
    arguments: list[str] = ffmpeg.compile(quiet, overwrite_output=True)
    return arguments


def feed(fd: int, data: Iterator[bytes]) -> None:
    """Write until the reader is gone."""
    with contextlib.suppress(BrokenPipeError), os.fdopen(fd, "wb") as pipe:
        for piece in data:
            pipe.write(piece)


def _init(path: Path) -> Init:
    reader = BoxReader()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            for item in reader.feed(piece):
                if isinstance(item, Init):
                    return item
    raise MediaError(f"{path.name} holds no init segment")


def _fragments(files: Sequence[Path]) -> Iterator[tuple[Init, Fragment]]:
    """Damage ends a file; what comes before it plays."""
    for path in files:
        reader = BoxReader()
        with contextlib.suppress(MediaError), path.open("rb") as file:
            while piece := file.read(PIECE):
                for item in reader.feed(piece):
                    if isinstance(item, Fragment) and reader.init is not None:
                        yield reader.init, item


def rebased(files: Sequence[Path], base_ns: int) -> Iterator[bytes]:
    """The fragments of several segments as one fragmented MP4 whose zero is `base_ns`."""
    began = False
    for number, (init, fragment) in enumerate(_fragments(files), 1):
        if not began:
            began = True
            yield init.data
        at = fragment.decode_time - to_ticks(base_ns, init.timescale)
        if at >= 0:
            yield retime(fragment, init, at, number).data


def _sound(files: Sequence[Path], base_ns: int, end_ns: int) -> Iterator[bytes]:
    """AAC frames in ADTS, one after the other from `base_ns` on."""
    frames = 0  # that went out
    rate = 0
    silence = header = b""
    for init, fragment in _fragments(files):
        if not rate:
            rate = init.table.rate_hz
            header = _adts(init.table.config)
            # Not the sample entry's count of channels: muxers write 2 there for mono AAC.
            silence = _silent_frame(rate, _channels(init.table.config))
        at_ns = to_ns(fragment.decode_time, init.timescale) - base_ns
        for place, sample in enumerate(fragment.samples()):
            due = at_ns * rate // 1_000_000_000 + place * AAC_FRAME
            while due - frames * AAC_FRAME > OFF_SAMPLES:
                yield _framed(header, silence)
                frames += 1
            if frames * AAC_FRAME - due <= OFF_SAMPLES:
                yield _framed(header, sample)
                frames += 1
    while rate and (end_ns - base_ns) * rate // 1_000_000_000 - frames * AAC_FRAME >= AAC_FRAME:
        yield _framed(header, silence)
        frames += 1


def _channels(config: bytes) -> int:
    """The channels that an AudioSpecificConfig names."""
    return config[1] >> 3 & 15


def _adts(config: bytes) -> bytes:
    """The fixed part of an ADTS header from an AudioSpecificConfig."""
    kind, rate, channels = config[0] >> 3, (config[0] & 7) << 1 | config[1] >> 7, _channels(config)
    if not 1 <= kind <= 4 or rate >= len(_RATES):
        raise MediaError("the mix is not plain AAC")
    return bytes((0xFF, 0xF1, (kind - 1) << 6 | rate << 2 | channels >> 2, (channels & 3) << 6))


def _framed(header: bytes, sample: bytes) -> bytes:
    length = len(sample) + 7
    tail = bytes((header[3] | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC))
    return header[:3] + tail + sample


@cache
def _silent_frame(rate_hz: int, channels: int) -> bytes:
    """One AAC frame of silence, by the encoder that made the mix."""
    source = ffmpeg.input(f"anullsrc=r={rate_hz}:cl={'mono' if channels == 1 else 'stereo'}", format="lavfi", t=0.5)
    made: Any = ffmpeg.output(source.audio, "pipe:1", acodec="aac", audio_bitrate="64k", format="adts")
    arguments = ffmpeg.compile(made.global_args("-hide_banner", "-loglevel", "error", "-nostdin"))
    try:
        data = subprocess.run(arguments, capture_output=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise DeviceError(f"ffmpeg does not run ({error}); install it, then export again") from error
    at, frames = 0, []
    while at + 7 <= len(data):
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames.append(data[at + 7 : at + length])
        at += max(length, 7)
    return frames[len(frames) // 2]
