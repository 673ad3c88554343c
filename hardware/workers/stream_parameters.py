"""What a camera says of its pictures before a key frame. When that changes, what follows needs an init of its own.

A camera that is set to another size, or turned, says so in the stream and goes on. So does its track: the init segment
that follows here is made of that very key frame.
"""

from __future__ import annotations

from io import BytesIO
from typing import Literal

import av
from av.error import FFmpegError

from hardware.workers.unit_writer import init_of
from sync.errors import DeviceError
from sync.media.nal_units import annex_b_units, sequence_sets


class StreamParameters:
    """Of one stream; it is asked for each key frame in turn."""

    def __init__(self, decoder: Literal["h264", "hevc"]) -> None:
        self._decoder = decoder
        self._sets = b""

    def changed(self, key_frame: bytes) -> bytes | None:
        """The init segment of what begins with this key frame (with start codes), where it is another than before.

        What says nothing goes on as before. `DeviceError` where no init can be made of it.
        """
        sets = sequence_sets(annex_b_units(key_frame), self._decoder)
        if not sets or sets == self._sets:
            return None
        first, self._sets = not self._sets, sets
        return None if first else init_of_picture(key_frame, self._decoder)


def init_of_picture(key_frame: bytes, decoder: Literal["h264", "hevc"]) -> bytes:
    """`ftyp` and `moov` of a key frame that carries its parameter sets; `DeviceError` where the library makes none."""
    try:
        with av.open(BytesIO(key_frame), format=decoder) as file:
            return init_of(file.streams.video[0])
    except (FFmpegError, OSError, ValueError, IndexError) as error:
        raise DeviceError("摄像机的画面参数改变，重新连接", code="stream") from error
