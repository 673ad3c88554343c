"""Where the small picture goes: to the feed, within its bounds, and to no file.

What a camera sends as its second stream is anybody's setting: another codec than browsers decode, a picture larger than
a tile, or more bytes than sixteen of them may take end the run with a reason.
"""

from __future__ import annotations

from collections.abc import Callable

from recorder.capture.fragment import StampedFragment, WorkerRun
from sync.errors import DeviceError
from sync.media.envelope import Envelope, Kind, pack_init
from sync.media.tracks import TILE
from sync.room.clock import RoomClock
from sync.room.feed import FeedServer
from sync.runtime.units import NS_PER_S

MOST_PIXELS = 720 * 576
MOST_BYTES_PER_S = 250_000
"""Two Mbit/s: what sixteen of them take fits into a LAN many times, and into the worker that decodes them."""
WINDOW_NS = 4 * NS_PER_S
UNFIT = "unfit"


class TileOutlet:
    """Of one room. All methods belong to the event loop."""

    def __init__(self, feed: FeedServer, clock: RoomClock, utc_of: Callable[[int], int]) -> None:
        self._feed = feed
        self._clock = clock
        self._utc_of = utc_of
        self.kept: Callable[[], bool] = lambda: False
        """Whether what is shown is being kept, of the camera that it is a picture of: who may see it hangs on it."""
        self._window_ns = 0
        self._bytes = 0

    def began(self, run: WorkerRun) -> None:
        """`DeviceError` for what is no small picture."""
        table = run.init.table
        if run.init.decoder != "h264" or table.width * table.height > MOST_PIXELS:
            said = f"{table.codec} {table.width}×{table.height}"
            raise DeviceError(f"子码流为 {said}；小画面需要 H.264、不超过 720×576 的子码流", code=UNFIT)

    def announce(self, run: WorkerRun, init: bytes) -> None:
        """How what comes is to be decoded."""
        now_ns = self._clock.now_ns()
        payload = pack_init(run.init.mime, init)
        message = Envelope(Kind.INIT, run.init_id, 0, now_ns, self._utc_of(now_ns), 0, payload)
        self._feed.publish(f"init/{TILE}", message.pack(), retain=True)

    def publish(self, fragment: StampedFragment) -> None:
        """A picture, at once; `DeviceError` where they are more than they may be."""
        self._measure(fragment)
        message = Envelope(
            kind=Kind.FRAGMENT,
            init_id=fragment.run.init_id,
            sequence=fragment.sequence,
            room_ns=fragment.from_ns,
            utc_ns=fragment.utc_ns,
            duration_us=(fragment.to_ns - fragment.from_ns) // 1000,
            payload=fragment.data,
            key_frame=fragment.key_frame,
            kept=self.kept(),
        )
        self._feed.publish(f"frag/{TILE}", message.pack())

    def keep(self, fragment: StampedFragment) -> None:
        """The record has the camera's own picture, and nothing of this one."""

    def _measure(self, fragment: StampedFragment) -> None:
        if not 0 <= fragment.from_ns - self._window_ns < WINDOW_NS:
            self._window_ns, self._bytes = fragment.from_ns, 0
        self._bytes += len(fragment.data)
        if self._bytes > MOST_BYTES_PER_S * WINDOW_NS // NS_PER_S:
            self._bytes = 0
            raise DeviceError("子码流超过 2 Mbit/s；请在摄像机上降低子码流的码率", code=UNFIT)
