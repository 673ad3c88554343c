"""One camera as the composer sees it: fragments of the recorder's feed in, the picture of a moment out.

Nothing is decoded before a picture is asked for: between hearings fragments are only kept back to the last key frame
that may still be needed. A picture is never older than `STALE_NS` at the moment it is shown for; then there is none.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.error import FFmpegError

from hardware.simulation.drawn_courtroom import Plane
from sync.errors import EnvelopeError, MediaError
from sync.media.envelope import Envelope, unpack_init
from sync.media.fmp4 import Fragment, Init, parse_fragment, parse_init, to_ns

STALE_NS = 2_000_000_000
REACH_NS = 3_000_000_000
"""While nothing is decoded, the key frame that is kept is at least this much older than the newest fragment."""
SKIP_NS = 1_000_000_000
"""Decoding that is this far behind goes on at a later key frame."""
MAX_BYTES = 24 * 1024 * 1024
MAX_WAITING = 64
_PLANAR = ("yuv420p", "yuvj420p")


@dataclass(frozen=True)
class Picture:
    """A decoded picture and the room time at which it was taken."""

    at_ns: int
    planes: tuple[Plane, Plane, Plane]

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.planes[0].shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.planes[0].shape[0])


@dataclass(frozen=True)
class _Coded:
    """A fragment that waits to be decoded."""

    from_ns: int
    key_frame: bool
    init_id: int
    data: bytes


class CameraFeed:
    """`init` and `fragment` may be called from one thread, `picture` from another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Coded] = deque()
        self._bytes = 0
        self._inits: dict[int, Init] = {}
        self._decoder: av.VideoCodecContext | None = None
        self._decoding = 0
        self._samples: Iterator[tuple[int, bytes]] = iter(())
        self._times: list[int] = []
        self._ready: deque[Picture] = deque()
        self._current: Picture | None = None
        self._asked_ns: int | None = None

    def init(self, payload: bytes) -> None:
        """A message `init/<camera>`; nonsense is ignored, its fragments then have no init."""
        try:
            message = Envelope.unpack(payload)
            init = parse_init(unpack_init(message.payload)[1])
        except (EnvelopeError, MediaError):
            return
        with self._lock:
            self._inits = {**dict(list(self._inits.items())[-2:]), message.init_id: init}

    def fragment(self, payload: bytes) -> None:
        """A message `frag/<camera>`."""
        try:
            message = Envelope.unpack(payload)
        except EnvelopeError:
            return
        with self._lock:
            self._waiting.append(_Coded(message.room_ns, message.key_frame, message.init_id, message.payload))
            self._bytes += len(message.payload)
            asked_ns = self._asked_ns
            # Who decodes takes them away himself; else what no picture will need any more goes here.
            horizon_ns = message.room_ns - REACH_NS
            if asked_ns is None or asked_ns < horizon_ns - REACH_NS or self._bytes > MAX_BYTES:
                self._drop_before(horizon_ns)
            while self._bytes > MAX_BYTES:
                self._bytes -= len(self._waiting.popleft().data)

    def picture(self, at_ns: int) -> Picture | None:
        """The newest picture taken at or before `at_ns`; None when that is older than `STALE_NS`."""
        with self._lock:
            self._asked_ns = at_ns
        while not (self._ready and self._ready[-1].at_ns > at_ns) and self._decode_next(at_ns):
            pass
        while self._ready and self._ready[0].at_ns <= at_ns:
            self._current = self._ready.popleft()
        current = self._current
        if current is None or not 0 <= at_ns - current.at_ns < STALE_NS:
            return None
        return current

    def rest(self) -> None:
        """No picture is needed for now: let go of the decoder and of all pictures."""
        with self._lock:
            self._asked_ns = None
        self._decoder = self._current = None
        self._samples = iter(())
        self._times.clear()
        self._ready.clear()

    def _drop_before(self, at_ns: int) -> None:
        """Forget what lies before the last key frame at or before a moment."""
        keys = [i for i, coded in enumerate(self._waiting) if coded.key_frame and coded.from_ns <= at_ns]
        for _ in range(keys[-1] if keys else 0):
            self._bytes -= len(self._waiting.popleft().data)

    def _decode_next(self, at_ns: int) -> bool:
        """Decode one more sample, or go to the next fragment; False when none is there or needed yet."""
        sample = next(self._samples, None)
        if sample is None:
            return self._next_fragment(at_ns)
        if self._decoder is None:
            return True  # it lost its way: the samples up to the next key frame are passed over
        time_ns, data = sample
        heapq.heappush(self._times, time_ns)
        try:
            frames = self._decoder.decode(av.Packet(data))
        except FFmpegError:
            self._decoder = None
            return True
        for frame in frames:
            # Pictures come in the order in which they are shown, so their times are the smallest that are left.
            if self._times:
                self._ready.append(Picture(heapq.heappop(self._times), _planes(frame)))
        if len(self._times) > MAX_WAITING:
            self._times.clear()
        return True

    def _next_fragment(self, at_ns: int) -> bool:
        with self._lock:
            behind = bool(self._waiting) and self._waiting[0].from_ns < at_ns - SKIP_NS
            if self._decoder is None or behind:
                before = len(self._waiting)
                self._drop_before(at_ns)
                if len(self._waiting) != before:
                    self._decoder = None  # it goes on at a key frame
            # A decoder that reorders holds pictures back: it needs more to let go of them.
            held = any(time_ns <= at_ns for time_ns in self._times)
            if not self._waiting or (self._waiting[0].from_ns > at_ns and not held):
                return False
            coded = self._waiting.popleft()
            self._bytes -= len(coded.data)
            init = self._inits.get(coded.init_id)
        if init is None:
            self._decoder = None
            return True
        try:
            fragment = parse_fragment(coded.data, init)
        except MediaError:
            self._decoder = None
            return True
        if self._decoder is None or coded.init_id != self._decoding:
            if not coded.key_frame:
                self._decoder = None
                return True
            self._begin(init, coded.init_id)
        self._samples = _timed(fragment, init)
        return True

    def _begin(self, init: Init, init_id: int) -> None:
        self._decoder = av.VideoCodecContext.create(init.decoder, "r")
        self._decoder.extradata = init.table.config
        self._decoder.thread_count = 1
        self._decoding = init_id
        self._times.clear()
        self._ready.clear()


def _timed(fragment: Fragment, init: Init) -> Iterator[tuple[int, bytes]]:
    """(room time, sample): a camera's pictures lie evenly in a fragment."""
    from_ns = to_ns(fragment.decode_time, init.timescale)
    length_ns = to_ns(fragment.duration, init.timescale)
    for index, sample in enumerate(fragment.samples()):
        yield from_ns + length_ns * index // len(fragment.sizes), sample


def _planes(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    if frame.format.name not in _PLANAR:
        frame = frame.reformat(format="yuv420p")
    high, wide = frame.height, frame.width
    shapes = ((high, wide), ((high + 1) // 2, (wide + 1) // 2), ((high + 1) // 2, (wide + 1) // 2))
    out = []
    for plane, (rows, columns) in zip(frame.planes, shapes, strict=True):
        rows_of: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        out.append(rows_of[:rows, :columns])
    return out[0], out[1], out[2]
