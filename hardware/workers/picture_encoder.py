"""Pictures in memory (yuv420p) to H.264 on the pipe to the recorder, each at once (`hardware.workers.unit_writer`).

What is encoded has no B frames, shows BT.709, and begins anew with a key frame each second of media time, however many
pictures there are.
"""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import PictureType
from numpy.typing import NDArray

from hardware.drivers.x264_options import KEY_EARLY_NS, KEY_NS, KEY_PICTURES
from hardware.workers.picture_distance import PictureDistance
from hardware.workers.unit_writer import INIT_OPTIONS, UnitWriter
from sync.errors import DeviceError
from sync.runtime.units import NS_PER_S

TICKS = 90_000
"""Of media time, a second."""


class PictureEncoder:
    """Encodes one run. `OSError` when the recorder is gone, `DeviceError` when the encoder does not work."""

    def __init__(self, width: int, height: int, fps: int, media_fd: int, options: dict[str, str]) -> None:
        """`fps`: what the encoder shares its bits by; times are those of the pictures. `options`: of libx264."""
        self._width, self._height = width, height
        self._distance = PictureDistance(TICKS // fps)
        self._key_ns = 0
        description = BytesIO()
        try:
            self._out = av.open(description, "w", format="mp4", options=INIT_OPTIONS)  # it is given no picture
            self._stream: Any = self._out.add_stream("libx264", rate=fps, options=options)
            context = self._stream.codec_context
            context.width, context.height, context.pix_fmt = width, height, "yuv420p"
            context.gop_size, context.max_b_frames, context.thread_count = KEY_PICTURES, 0, 1
            self._stream.time_base = context.time_base = Fraction(1, TICKS)
            self._out.start_encoding()
        except FFmpegError as error:
            raise DeviceError(f"画面编码器无法启动：{error}") from error
        self._writer = UnitWriter(media_fd, description.getvalue())

    def write(self, picture: NDArray[np.uint8], media_ns: int, taken_ns: int, lost_ns: int = 0) -> None:
        """A picture (all planes, one after the other) of a moment; its moments grow from 0 on.

        `taken_ns`: when it was taken (`CLOCK_MONOTONIC`). `lost_ns`: so much before it was not.
        """
        rows = picture.reshape(self._height * 3 // 2, self._width)
        self.encode(av.VideoFrame.from_numpy_buffer(rows, format="yuv420p"), media_ns, taken_ns, lost_ns)

    def encode(self, frame: av.VideoFrame, media_ns: int, taken_ns: int, lost_ns: int = 0) -> None:
        """A picture that the library has already; of the size that was said."""
        frame.pts = (media_ns * TICKS + NS_PER_S // 2) // NS_PER_S
        frame.time_base = Fraction(1, TICKS)
        frame.pict_type = PictureType.NONE
        if media_ns >= self._key_ns:
            frame.pict_type = PictureType.I
            self._key_ns = media_ns + KEY_NS - KEY_EARLY_NS
        try:
            packets = self._stream.encode(frame)
        except FFmpegError as error:
            raise DeviceError(f"画面编码中断：{error}") from error
        for packet in packets:
            self._writer.write(
                bytes(packet),
                pts=packet.pts,
                dts=packet.dts,
                duration=self._distance.after(packet.pts),
                key_frame=packet.is_keyframe,
                taken_ns=taken_ns,
                lost_ns=lost_ns,
            )
