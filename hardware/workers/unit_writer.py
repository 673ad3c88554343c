"""What a worker of pictures writes to its pipe: an init segment, then each coded picture alone, at once.

Promises: a picture is on the pipe when `write` returns; nothing waits for the next one to be known, so the duration
that is said of a picture is what its worker expects, and the recorder takes the true one from the next picture's time.
Before each stand the moments at which it was taken and handed on (`WorkerStamps`), so the recorder knows the clock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from fractions import Fraction
from io import BytesIO
from typing import Any

import av

from sync.media.access_unit import DELTA_FLAGS, KEY_FLAGS, SampleRow, WorkerStamps, pack_fragment
from sync.media.fmp4 import parse_init
from sync.media.nal_units import length_prefixed

_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1024 * 1024
INIT_OPTIONS = {"movflags": "empty_moov+default_base_moof+skip_trailer", "video_track_timescale": "90000"}
"""Of the library's own muxer, which describes the codec; it is given no picture."""
CODECS = {"h264": "avc1", "hevc": "hvc1"}
"""What MP4 holds as it comes, with its name there."""


def init_of(stream: Any) -> bytes:
    """`ftyp` and `moov` of a stream that the library reads or encodes."""
    file = BytesIO()
    with av.open(file, "w", format="mp4", options=INIT_OPTIONS) as out:
        copy = out.add_stream_from_template(stream)
        copy.codec_context.codec_tag = CODECS[stream.codec_context.name]
        out.start_encoding()
        return file.getvalue()


class UnitWriter:
    """The pipe of one track of pictures. `OSError` when the recorder is gone."""

    def __init__(self, media_fd: int, init: bytes) -> None:
        self._fd = media_fd
        with contextlib.suppress(OSError):  # a key frame in one piece; the default size works too
            fcntl.fcntl(media_fd, _F_SETPIPE_SZ, _PIPE_BYTES)
        table = parse_init(init).table
        self._track_id = table.track_id
        self.base = Fraction(1, table.timescale)
        """A tick of the track, in seconds."""
        self._number = 0
        self._send(init)

    def go_on(self, init: bytes) -> None:
        """What follows is to be decoded by another init; its times go on, in ticks as before."""
        self._send(init)

    def write(
        self, picture: bytes, *, pts: int, dts: int, duration: int, key_frame: bool, taken_ns: int, lost_ns: int = 0
    ) -> None:
        """One picture as an encoder or a camera gives it, with start codes; times in ticks, `dts` growing from 0 on.

        `taken_ns` (`CLOCK_MONOTONIC`): the moment of its `pts`, or somewhat later, never earlier. `lost_ns`: so much
        was not taken just before it, and media time goes on as if it had not been.
        """
        sample = length_prefixed(picture)
        self._number += 1
        row = SampleRow(duration, len(sample), KEY_FLAGS if key_frame else DELTA_FLAGS, pts - dts)
        unit = pack_fragment(self._track_id, self._number, dts, [row], sample)
        self._send(WorkerStamps(max(taken_ns, 0), time.monotonic_ns(), lost_ns).pack() + unit)

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
