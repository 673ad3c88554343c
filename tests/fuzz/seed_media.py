"""Small segments of each kind of track, made here."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache

import av
import numpy as np

from sync.media.fmp4 import BoxReader, Fragment, Init

_OPTIONS = {"movflags": "empty_moov+default_base_moof+frag_every_frame+skip_trailer"}


@cache
def segments() -> tuple[bytes, ...]:
    """Pictures (H.264), and sound as FLAC in four channels and as AAC: a few fragments each."""
    return _pictures(), _sound("flac", "quad"), _sound("aac", "mono")


def init_segments() -> Iterator[bytes]:
    """What each of them begins with."""
    yield from (item.data for data in segments() for item in BoxReader().feed(data) if isinstance(item, Init))


def fragments() -> Iterator[bytes]:
    """The first fragment of each."""
    for data in segments():
        yield next(item.data for item in BoxReader().feed(data) if isinstance(item, Fragment))


def _pictures() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options=_OPTIONS) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "x264-params": "info=0"})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for level in (0, 80, 160):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), level, np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return file.getvalue()


def _sound(codec: str, layout: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options=_OPTIONS | {"strict": "-2"}) as container:
        stream = container.add_stream(codec, rate=16_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        kind = "s16" if codec == "flac" else "fltp"
        channels = av.AudioLayout(layout).nb_channels
        for number in range(3):
            shape = (1, 1024 * channels) if codec == "flac" else (channels, 1024)
            samples = np.zeros(shape, np.int16 if codec == "flac" else np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format=kind, layout=layout)
            frame.sample_rate, frame.pts = 16_000, number * 1024
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return file.getvalue()
