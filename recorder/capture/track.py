"""One track: the fragments of its runs, stamped with room time, published one by one and kept together.

A run's first fragments are held back until its clock is settled; after that each is published at once: a picture alone,
sound as it comes. What is kept are the same samples, joined to fragments of 100 to 200 ms (`KeptFragment`). A kept
fragment is given its moment when its first sample comes, and all its samples follow from there by the media's own
times, so a sample has the same decode time in the air and on disk. The samples stay as the encoder made them; which UTC
it was comes before them (`prft`).

A camera may send pictures of another size from one key frame on. Its worker says so by another init; then the track
goes on under a new number (`init_id`), so in a file of its own, and no picture is missing between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hardware.sources import TrackInfo
from recorder.capture.clock_fit import ClockFit, TrackTime
from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.capture.kept_fragment import KeptFragment
from recorder.capture.live_copy import LiveCopy
from recorder.capture.picture_parameters import picture_parameters
from sync.errors import MediaError
from sync.media.access_unit import SampleRow, StageStamps, pack_fragment
from sync.media.fmp4 import BoxReader, Fragment, Init, to_ns, to_ticks
from sync.media.fragment_rows import sample_bytes, sample_rows
from sync.media.prft import ReferenceTime
from sync.room.clock import RoomClock
from sync.runtime.units import NS_PER_S

SETTLE_NS = 500_000_000
SETTLE_BY_ARRIVAL_NS = 1_000_000_000
"""The same where only the arrival of pictures tells the time: the first ones often come in a burst."""
SETTLE_MOST_NS = 3_000_000_000
"""While each picture comes earlier than those before let expect, a run is not settled, but for no longer than this."""
IMPROVED_NS = 5_000_000
MAX_HELD = 600
FIRST_LEAP_NS = 1_000_000_000
LEAP_NS = 15_000_000_000
"""No picture lasts that long: before it the time stamps have leapt, as the first ones of some cameras do."""


class TrackRun:
    """One run of a track's worker, from the first byte of its pipe to the last."""

    def __init__(self, track: Track, init_id: int, fit: ClockFit, *, by_arrival: bool) -> None:
        """`by_arrival`: of its pictures nothing but their arrival is known."""
        self._track = track
        self.init_id = init_id
        """Of what comes now: it grows with each init."""
        self._fit = fit
        self._by_arrival = by_arrival
        self._reader = BoxReader()
        self._run: WorkerRun | None = None
        self._next: Init | None = None
        """The init under which the next fragment goes on."""
        self._announced = False
        self._parameters: bytes | None = None
        self._live: LiveCopy | None = None
        self._kept: KeptFragment | None = None
        self._kept_ticks = 0
        """The decode time of the fragment that grows, on the room's time line."""
        self._kept_utc_ns = 0
        self._time: TrackTime | None = None
        self._held: list[Fragment] = []
        self._first_ns = 0
        self._earliest_ns: int | None = None
        self._moved_ns = 0
        self._decode_time: int | None = None
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
                if self._run is None:
                    self._begin(item)
                else:
                    self._next = item
            else:
                if self._next is not None:
                    self._go_on(self._next, item)
                self._compare(item)
                self._take(item)

    def _begin(self, init: Init) -> None:
        self._run = WorkerRun(self.init_id, init)
        self._live = LiveCopy(init)
        self._kept = KeptFragment(init.kind, init.timescale)
        self._parameters, self._next, self._announced = None, None, False
        self._track.began(self._run)

    def _go_on(self, init: Init, fragment: Fragment) -> None:
        """The run goes on with another picture, which this fragment begins."""
        assert self._run is not None
        now_s = self._track.clock.now_ns() // NS_PER_S
        if init.timescale != self._run.init.timescale or not fragment.key_frame or self.init_id >= now_s:
            # Numbers are seconds of room time: a stream that changes more often would run ahead of them.
            raise MediaError(f"{self._track.info.name}的画面参数改变，重新启动该设备")
        self._keep(fragment.decode_time)
        self._held.clear()  # of the picture before, while it was not known yet when it was taken
        self.init_id = max(self.init_id + 1, now_s)
        self._begin(init)

    def end(self) -> None:
        """Nothing comes any more: what was published is kept."""
        self._keep(None)

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
        assert self._live is not None
        now_ns = self._track.clock.now_ns()
        timescale = self._run.init.timescale
        last, self._decode_time = self._decode_time, fragment.decode_time
        passed = fragment.decode_time - last if last is not None else 1
        if passed <= 0:
            raise MediaError(f"{self._track.info.name}的时间戳倒退，重新启动该设备")
        if to_ns(max(passed, fragment.duration), timescale) > (FIRST_LEAP_NS if self._time is None else LEAP_NS):
            if self._time is not None:
                raise MediaError(f"{self._track.info.name}的时间戳跳变，重新启动该设备")
            self._held.clear()  # what comes after the leap fits together, what came before does not
            if to_ns(fragment.duration, timescale) > FIRST_LEAP_NS:
                return
        self._first_ns = self._first_ns or now_ns
        end_ns = to_ns(fragment.decode_time + fragment.duration, timescale)
        self.media_end_ns = max(self.media_end_ns, end_ns)
        if fragment.stamps is not None:
            if fragment.stamps.lost_ns:
                self._fit.lost(to_ns(fragment.decode_time, timescale) - 1, fragment.stamps.lost_ns)
            taken_ns = self._track.clock.from_monotonic_ns(fragment.stamps.taken_ns)
            self._fit.observe(to_ns(fragment.decode_time + fragment.offset, timescale), min(taken_ns, now_ns))
        if self._live.see(fragment):
            self._announced = False
        self._held.append(fragment)
        if len(self._held) > MAX_HELD:
            raise MediaError("设备没有报告时间，重新启动")
        if self._time is None:
            if not self._settled(now_ns):
                return
            info = self._track.info
            late = self._by_arrival and info.kind == "video"
            self._time = TrackTime(self._fit, info.delay_ns, self._track.end_ns, pictures_late=late)
        if not self._announced:
            self._announced = True
            self._track.announce(self._run, self._live.init)
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
        """Publish it at its moment, and add it to what is kept."""
        kept, live, timescale = self._kept, self._live, run.init.timescale
        assert kept is not None
        assert live is not None
        broken = fragment.stamps is not None and fragment.stamps.lost_ns > 0
        if kept.ends_before(fragment, broken=broken):
            self._keep(fragment.decode_time)
        if kept.is_empty:
            self._kept_ticks = to_ticks(time.stamp(to_ns(fragment.decode_time, timescale)), timescale)
            ticks = self._kept_ticks
            self._kept_utc_ns = self._track.utc_of(to_ns(ticks, timescale))
        else:
            ticks = self._kept_ticks + fragment.decode_time - kept.decode_time
        rows = sample_rows(fragment, run.init)
        kept.add(fragment, rows)
        self._track.publish(fragment, rows, run, live, ticks)
        if kept.is_whole:
            self._keep(None)

    def _keep(self, next_decode_time: int | None) -> None:
        """Hand on what is kept together, so far; `next_decode_time`: of the picture that comes next."""
        kept, run = self._kept, self._run
        if kept is not None and run is not None and not kept.is_empty:
            key_frame = kept.key_frame
            rows, data = kept.take(next_decode_time)
            self._track.keep(rows, data, run, self._kept_ticks, self._kept_utc_ns, key_frame=key_frame)


class TrackOutlet(Protocol):
    """Who takes what a track gives."""

    def began(self, run: WorkerRun) -> None:
        """A run has told what it is; nothing of it is published yet."""

    def announce(self, run: WorkerRun, init: bytes) -> None:
        """What comes of the run from now on is to be decoded by this init."""

    def publish(self, fragment: StampedFragment) -> None:
        """Something to be seen or heard live, at once."""

    def keep(self, fragment: StampedFragment) -> None:
        """Something to be kept: samples that were published."""


class Track:
    """What stays of a track over all its runs."""

    def __init__(self, info: TrackInfo, clock: RoomClock, utc_of: Callable[[int], int], outlet: TrackOutlet) -> None:
        self.info = info
        self.clock = clock
        self.utc_of = utc_of
        self._outlet = outlet
        self._published = self._kept = 0
        self.end_ns = 0
        """Room time at which the last fragment ended."""

    def began(self, run: WorkerRun) -> None:
        """A run has told what it is."""
        self._outlet.began(run)

    def announce(self, run: WorkerRun, init: bytes) -> None:
        """How its live copy begins."""
        self._outlet.announce(run, init)

    def publish(self, fragment: Fragment, rows: list[SampleRow], run: WorkerRun, live: LiveCopy, ticks: int) -> None:
        """Number and stamp the live copy of something, and hand it on."""
        data = sample_bytes(fragment)
        if len(rows) == 1:
            data = live.picture(data, key_frame=fragment.key_frame)
            rows = [rows[0]._replace(size=len(data))]
        from_ns = to_ns(ticks, run.init.timescale)
        before = b""
        if fragment.stamps is not None:
            coded_ns = self.clock.from_monotonic_ns(fragment.stamps.coded_ns) - from_ns
            before = StageStamps(coded_ns // 1000, (self.clock.now_ns() - from_ns) // 1000).pack()
        self._published += 1
        utc_ns = self.utc_of(from_ns)
        media = self._media(rows, data, run, ticks, utc_ns, self._published)
        self._outlet.publish(
            self._stamped(rows, before + media, run, ticks, utc_ns, self._published, fragment.key_frame)
        )

    def keep(
        self, rows: list[SampleRow], data: bytes, run: WorkerRun, ticks: int, utc_ns: int, *, key_frame: bool
    ) -> None:
        """Number and stamp a fragment of the record, and hand it on."""
        self._kept += 1
        media = self._media(rows, data, run, ticks, utc_ns, self._kept)
        self._outlet.keep(self._stamped(rows, media, run, ticks, utc_ns, self._kept, key_frame))

    @staticmethod
    def _media(rows: list[SampleRow], data: bytes, run: WorkerRun, ticks: int, utc_ns: int, number: int) -> bytes:
        track_id = run.init.table.track_id
        return ReferenceTime(track_id, utc_ns, ticks).pack() + pack_fragment(track_id, number, ticks, rows, data)

    def _stamped(
        self, rows: list[SampleRow], data: bytes, run: WorkerRun, ticks: int, utc_ns: int, number: int, key_frame: bool
    ) -> StampedFragment:
        timescale = run.init.timescale
        end_ns = to_ns(ticks + sum(row.duration for row in rows), timescale)
        self.end_ns = max(self.end_ns, end_ns)
        return StampedFragment(
            run=run,
            sequence=(number - 1) & 0xFFFFFFFF,
            data=data,
            from_ns=to_ns(ticks, timescale),
            to_ns=end_ns,
            utc_ns=utc_ns,
            key_frame=key_frame,
            pictures=len(rows),
        )
