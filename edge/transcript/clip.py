"""The sound of a moment, out of the kept segments, the growing one included: a WAV that every browser plays.

Promises: sample for sample what was kept, down to one channel and 16 bits; what is missing is silence, so that the
moment keeps its length. `NoSoundError` where nothing of it was kept. It decodes, so it blocks: call it in a thread.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from sync.errors import MediaError
from sync.media.fmp4 import BoxReader, Fragment, Indexed, Init, index_file
from sync.record.timeline import Segment

MAX_NS = 120 * 1_000_000_000
PRIMING = 1
"""Fragments decoded before the first one that is wanted: AAC overlaps."""

Samples = NDArray[np.int16]


class NoSoundError(MediaError):
    """Nothing of the moment was kept."""

    code = "no-media"


@dataclass(frozen=True, slots=True)
class Moment:
    """Mono samples; `from_ns` is the room time of the first."""

    samples: Samples
    rate_hz: int
    from_ns: int

    def wav(self) -> bytes:
        """As a file."""
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate_hz)
            file.writeframes(self.samples.astype("<i2").tobytes())
        return out.getvalue()


def moment(folder: Path, closed: Sequence[Segment], from_ns: int, to_ns: int, channel: int | None = None) -> Moment:
    """[from_ns, to_ns) of the track in `folder`, at most `MAX_NS` of it: all channels mixed, or `channel` alone."""
    to_ns = min(to_ns, from_ns + MAX_NS)
    known = {Path(segment.file).name: segment for segment in closed}
    out: Samples | None = None
    rate_hz = 0
    first_ns = last_ns = 0
    for path in sorted(folder.glob("*.mp4")):
        segment = known.get(path.name)
        if segment is not None and (segment.to_ns <= from_ns or segment.from_ns >= to_ns):
            continue
        for at_ns, rate, samples in _decoded(path, from_ns, to_ns, channel):
            if out is None:
                rate_hz, first_ns = rate, max(from_ns, at_ns)
                out = np.zeros(_count(to_ns - first_ns, rate_hz), np.int16)
            start = round((at_ns - first_ns) * rate_hz / 1_000_000_000)
            piece = samples[max(0, -start) :][: max(0, len(out) - max(0, start))]
            out[max(0, start) : max(0, start) + len(piece)] = piece
            last_ns = max(last_ns, at_ns + round(len(samples) / rate * 1_000_000_000))
    if out is None:
        raise NoSoundError("这一刻没有录音 (nothing was recorded at this moment)")
    return Moment(out[: _count(min(last_ns, to_ns) - first_ns, rate_hz)], rate_hz, first_ns)


def _count(span_ns: int, rate_hz: int) -> int:
    return max(0, round(span_ns * rate_hz / 1_000_000_000))


def _decoded(path: Path, from_ns: int, to_ns: int, channel: int | None) -> Iterator[tuple[int, int, Samples]]:
    """(room time of the first sample, rate, mono samples) of each fragment of a file that lies in the range."""
    index = index_file(path, salvage=True)
    wanted = [i for i, f in enumerate(index.fragments) if f.to_ns > from_ns and f.from_ns < to_ns]
    if index.init is None or not wanted:
        return
    first = max(0, wanted[0] - PRIMING)
    chosen: Sequence[Indexed] = index.fragments[first : wanted[-1] + 1]
    with path.open("rb") as file:
        file.seek(chosen[0].offset)
        data = file.read(chosen[-1].offset + chosen[-1].bytes - chosen[0].offset)
    decoder = _decoder(index.init)
    reader = BoxReader()
    fragments = [item for item in reader.feed(index.init.data + data) if isinstance(item, Fragment)]
    for at, (where, fragment) in enumerate(zip(chosen, fragments, strict=False)):
        samples = _samples(decoder, fragment, channel)
        if first + at >= wanted[0] and len(samples):
            yield where.from_ns, decoder.sample_rate or index.init.table.rate_hz, samples


def _decoder(init: Init) -> av.AudioCodecContext:
    codec = "flac" if init.table.codec == "flac" else "aac"
    decoder = av.CodecContext.create(codec, "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.extradata = init.table.config
    return decoder


def _samples(decoder: av.AudioCodecContext, fragment: Fragment, channel: int | None) -> Samples:
    parts: list[NDArray[np.float64]] = []
    try:
        for sample in fragment.samples():
            parts.extend(_mono(frame, channel) for frame in decoder.decode(av.Packet(sample)))
    except (FFmpegError, ValueError) as error:
        raise MediaError(f"这段声音无法解码 (a fragment cannot be decoded: {error})") from error
    joined = np.concatenate(parts) if parts else np.zeros(0)
    return np.clip(np.rint(joined * 32767), -32768, 32767).astype(np.int16)


def _mono(frame: av.AudioFrame, channel: int | None) -> NDArray[np.float64]:
    """−1…1."""
    samples: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if channel is not None:
        if channel >= len(samples):
            raise MediaError(f"话筒轨道没有这个声道 (the track has {len(samples)} channels)", code="not-found")
        samples = samples[channel : channel + 1]
    scale = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    mixed: NDArray[np.float64] = samples.astype(np.float64).mean(axis=0) / scale
    return mixed
