"""One track: the fragments of its runs, stamped with room time and handed on.

A run's first fragments are held back until its clock is settled; after that each fragment is passed on at once. The
samples stay as the encoder made them; the decode time and the number of the fragment are written anew, and which UTC
that was comes before it (`prft`).
"""

from __future__ import annotations

from collections.abc import Callable

from hardware.sources import TrackInfo
from recorder.capture.clock_fit import ClockFit, TrackTime
from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.capture.picture_parameters import picture_parameters
from sync.errors import MediaError
from sync.media.fmp4 import BoxReader, Fragment, Init, retime, to_ns, to_ticks
from sync.room.clock import RoomClock

SETTLE_NS = 500_000_000
SETTLE_BY_ARRIVAL_NS = 1_000_000_000
"""The same where only the arrival of fragments tells the time: the first ones often come in a burst."""
SETTLE_MOST_NS = 3_000_000_000
"""While each fragment comes earlier than those before let expect, a run is not settled, but for no longer than this."""
IMPROVED_NS = 5_000_000
MAX_HELD = 200
FIRST_LEAP_NS = 1_000_000_000
LEAP_NS = 15_000_000_000
"""No fragment is that long: within it the time stamps have leapt, as the first ones of some cameras do."""


class TrackRun:
    """One run of a track's worker, from the first byte of its pipe to the last."""

    def __init__(
        self,
        track: Track,
        init_id: int,
        fit: ClockFit,
        *,
        reported: bool,
        by_arrival: bool,
    ) -> None:
        """`reported`: the worker says when its media came; else the arrival of fragments tells it.

        `by_arrival`: either way, nothing but the arrival of pictures is known.
        """
        self._track = track
        self._init_id = init_id
        self._fit = fit
        self._reported = reported
        self._by_arrival = by_arrival
        self._reader = BoxReader()
        self._run: WorkerRun | None = None
        self._parameters: bytes | None = None
        self._time: TrackTime | None = None
        self._held: list[Fragment] = []
        self._first_ns = 0
        self._earliest_ns: int | None = None
        self._moved_ns = 0
        self.media_end_ns = 0
        """How far this run's own media time has come."""

    @property
    def flowing(self) -> bool:
        """Stamped fragments come out."""
        return self._time is not None

    def feed(self, data: bytes) -> None:
        """Bytes from the worker; `MediaError` when they are not media, or its clock has parted from the room's."""
        for item in self._reader.feed(data):
            if isinstance(item, Init):
                if item.kind != self._track.info.kind:
                    raise MediaError(f"{self._track.info.name}送来的不是{self._track.info.kind}")
                self._run = WorkerRun(self._init_id, item)
                self._track.began(self._run)
            else:
                self._compare(item)
                self._take(item)

    def _compare(self, fragment: Fragment) -> None:
        """A camera that now sends another picture than its init says needs a run, and an init, of its own."""
        if self._run is None or not fragment.key_frame:
            return
        parameters = picture_parameters(fragment, self._run.init)
        if parameters is not None and parameters != (self._parameters or parameters):
            raise MediaError(f"{self._track.info.name}的画面参数改变，重新启动该设备")
        self._parameters = parameters or self._parameters

    def _take(self, fragment: Fragment) -> None:
        assert self._run is not None
        now_ns = self._track.clock.now_ns()
        timescale = self._run.init.timescale
        if to_ns(fragment.duration, timescale) > (FIRST_LEAP_NS if self._time is None else LEAP_NS):
            if self._time is not None:
                raise MediaError(f"{self._track.info.name}的时间戳跳变，重新启动该设备")
            self._held.clear()  # what comes after the leap fits together, what came before does not
            return
        self._first_ns = self._first_ns or now_ns
        end_ns = to_ns(fragment.decode_time + fragment.duration, timescale)
        self.media_end_ns = max(self.media_end_ns, end_ns)
        if not self._reported:
            # ffmpeg lets a fragment go when the first picture of the next one has come, which takes the time of one
            # picture: the stream's own, whatever rate the profile asks for.
            self._fit.observe(end_ns, now_ns - to_ns(fragment.duration, timescale) // len(fragment.sizes))
        self._held.append(fragment)
        if len(self._held) > MAX_HELD:
            raise MediaError("设备没有报告时间，重新启动")
        if self._time is None:
            if not self._settled(now_ns):
                return
            info = self._track.info
            late = self._by_arrival and info.kind == "video"
            self._time = TrackTime(self._fit, info.delay_ns, self._track.end_ns, pictures_late=late)
        held, self._held = self._held, []
        for one in held:
            self._stamp(one, self._run, self._time)

    def _settled(self, now_ns: int) -> bool:
        """The clock has been seen for long enough, and what was seen last says the same."""
        if not self._fit.observations:
            return False
        offset_ns = self._fit.offset_ns
        if self._earliest_ns is None or offset_ns < self._earliest_ns - IMPROVED_NS:
            self._earliest_ns, self._moved_ns = offset_ns, now_ns
        settle_ns = SETTLE_BY_ARRIVAL_NS if self._by_arrival else SETTLE_NS
        seen_ns = now_ns - self._first_ns
        return seen_ns >= settle_ns and (now_ns - self._moved_ns >= settle_ns // 2 or seen_ns >= SETTLE_MOST_NS)

    def _stamp(self, fragment: Fragment, run: WorkerRun, time: TrackTime) -> None:
        timescale = run.init.timescale
        ticks = to_ticks(time.stamp(to_ns(fragment.decode_time, timescale)), timescale)
        self._track.emit(fragment, run, ticks)


class Track:
    """What stays of a track over all its runs. `publish` takes what was stamped, `start` announces a run."""

    def __init__(
        self,
        info: TrackInfo,
        clock: RoomClock,
        utc_of: Callable[[int], int],
        start: Callable[[WorkerRun], None],
        publish: Callable[[StampedFragment], None],
    ) -> None:
        self.info = info
        self.clock = clock
        self._utc_of = utc_of
        self._start = start
        self._publish = publish
        self._sequence = 0
        self.end_ns = 0
        """Room time at which the last fragment ended."""

    def began(self, run: WorkerRun) -> None:
        """A run has told what it is."""
        self._start(run)

    def emit(self, fragment: Fragment, run: WorkerRun, ticks: int) -> None:
        """Number, stamp and hand on."""
        timescale = run.init.timescale
        from_ns = to_ns(ticks, timescale)
        utc_ns = self._utc_of(from_ns)
        retimed = retime(fragment, run.init, ticks, self._sequence + 1, utc_ns)
        end_ns = to_ns(ticks + fragment.duration, timescale)
        out = StampedFragment(
            run=run,
            sequence=self._sequence,
            data=retimed.data,
            from_ns=from_ns,
            to_ns=end_ns,
            utc_ns=utc_ns,
            key_frame=fragment.key_frame,
            pictures=len(fragment.sizes),
        )
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        self.end_ns = end_ns
        self._publish(out)
