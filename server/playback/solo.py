"""听单席: one seat alone, out of the microphones' multichannel FLAC; lossless, and on the same time line to the sample.

`isolate` decodes whole fragments, takes one channel and writes FLAC again, one fragment for one, with the same media
time; nothing is resampled, leveled or filled in. A few milliseconds of work for a second of sound; it blocks. What it
decodes is what a room has sent, so it runs in a process of its own (`server.playback.solo_worker`) and nowhere else.
"""

from __future__ import annotations

import struct
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from sync.errors import MediaError
from sync.media.fmp4 import BoxReader, Fragment, Init


def isolate(data: bytes, channel: int) -> bytes:
    """The same range with channel `channel` (from 0) alone; `MediaError` when the track is not FLAC or has no such."""
    reader = BoxReader()
    init: Init | None = None
    encoder: _Mono | None = None
    parts: list[bytes] = []
    for item in reader.feed(data):
        if isinstance(item, Init):
            init = item
            encoder = _Mono(item, channel)
            continue
        assert init is not None
        assert encoder is not None
        parts.append(encoder.take(item))
    if init is None or encoder is None:
        raise MediaError("the range of the microphones' track has no beginning; ask again")
    return encoder.init() + b"".join(parts)


def load_codecs() -> None:
    """Have all in memory that `isolate` may need: afterwards there is no way to it."""
    encoder = _encoder(48_000, "s16", 480)
    silence = av.AudioFrame.from_ndarray(np.zeros((1, 480), np.int16), format="s16", layout="mono")
    silence.sample_rate = 48_000
    packets = encoder.encode(silence)
    decoder = av.CodecContext.create("flac", "r")
    decoder.extradata = encoder.extradata
    for packet in packets:
        decoder.decode(packet)


class _Mono:
    """One run of the track, decoded and encoded again; FLAC frames are independent, so it may begin anywhere."""

    def __init__(self, init: Init, channel: int) -> None:
        channels = init.table.channels or 0
        if not 0 <= channel < channels:
            raise MediaError(f"话筒轨道没有这个声道 (the track has {channels} channels)", code="not-found")
        self._source = init
        self._channel = channel
        self._decoder = av.CodecContext.create("flac", "r")
        self._decoder.extradata = init.streaminfo
        self._decoder.thread_count = 1
        self._encoders: dict[tuple[int, str], av.AudioCodecContext] = {}
        self._streaminfo = _mono_streaminfo(init.streaminfo)

    def init(self) -> bytes:
        """The init segment for one channel: the source's own, but for the number of channels."""
        data = bytearray(self._source.data.replace(self._source.streaminfo, self._streaminfo, 1))
        entry = data.index(b"fLaC")
        struct.pack_into(">H", data, entry + 4 + 16, 1)
        return bytes(data)

    def take(self, fragment: Fragment) -> bytes:
        """One fragment; `MediaError` when its bytes are not FLAC."""
        frames: list[tuple[bytes, int]] = []
        try:
            for sample in fragment.samples():
                for frame in self._decoder.decode(av.Packet(sample)):
                    frames.append(self._encode(frame))
        except (FFmpegError, ValueError) as error:
            raise MediaError(f"这段话筒声音无法解码 (a fragment cannot be decoded: {error})") from error
        return _fragment(self._source.table.track_id, fragment.sequence, fragment.decode_time, frames)

    def _encode(self, frame: av.AudioFrame) -> tuple[bytes, int]:
        samples: NDArray[Any] = frame.to_ndarray()  # 16 or 32 bits, as the recorder kept it
        if not frame.format.is_planar:
            samples = samples.reshape(-1, frame.layout.nb_channels).T
        one = np.ascontiguousarray(samples[self._channel]).reshape(1, -1)
        kind = frame.format.packed.name
        mono = av.AudioFrame.from_ndarray(one, format=kind, layout="mono")
        mono.sample_rate = frame.sample_rate
        encoder = self._encoders.get((frame.samples, kind))
        if encoder is None:
            encoder = _encoder(frame.sample_rate, kind, frame.samples)
            self._encoders[frame.samples, kind] = encoder
        return b"".join(bytes(packet) for packet in encoder.encode(mono)), frame.samples


def _encoder(rate_hz: int, kind: str, frame_size: int) -> av.AudioCodecContext:
    encoder = av.CodecContext.create("flac", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate = rate_hz
    encoder.format = kind
    encoder.layout = "mono"
    encoder.options = {"frame_size": str(frame_size), "compression_level": "2"}
    return encoder


def _mono_streaminfo(source: bytes) -> bytes:
    """STREAMINFO for one channel; it says nothing of frame sizes, length and checksum, which were another stream's."""
    head = bytearray(source)
    head[4:10] = bytes(6)
    head[12] &= 0b11110001  # the three bits (channels - 1)
    head[13] &= 0xF0
    head[14:34] = bytes(20)
    return bytes(head)


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def _fragment(track_id: int, sequence: int, decode_time: int, frames: list[tuple[bytes, int]]) -> bytes:
    """`moof` + `mdat` of frames (bytes, samples)."""
    table = b"".join(struct.pack(">II", samples, len(data)) for data, samples in frames)
    tfhd = _box(b"tfhd", struct.pack(">III", 0x020020, track_id, 0x02000000))  # from the moof; all are key samples
    tfdt = _box(b"tfdt", struct.pack(">IQ", 0x01000000, decode_time))
    mfhd = _box(b"mfhd", struct.pack(">II", 0, sequence))

    def moof(offset: int) -> bytes:
        trun = _box(b"trun", struct.pack(">IIi", 0x000301, len(frames), offset) + table)
        return _box(b"moof", mfhd + _box(b"traf", tfhd + tfdt + trun))

    return moof(len(moof(0)) + 8) + _box(b"mdat", b"".join(data for data, _ in frames))
