"""Keeps one source alive: run after run, each with a new init, until the service ends.

A run that dies, whose media is not media, whose media time stops or whose clock parts from the room's is ended and
begun again after a short pause that grows to a few seconds while it keeps failing. A source that may be left off (the
program track) and cannot keep up is left off until `again`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import structlog

from hardware.sources import Source
from recorder.capture.clock_fit import ClockFit
from recorder.capture.process import LINE_BYTES, EndCode, WorkerProcess
from recorder.capture.track import Track, TrackRun
from sync.errors import ConfigError, DeviceError
from sync.room.clock import RoomClock
from sync.runtime.process.service import cancel_and_wait
from sync.runtime.units import NS_PER_S
from sync.text.printable import printable
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

STALL_NS = 5 * NS_PER_S // 2
SAID_NS = 8 * NS_PER_S // 5
"""So long without media is said; the worker has until `STALL_NS` before it is restarted."""
STARVED_NS = 30 * NS_PER_S
"""Longer than this, a worker that gets no processor is restarted like any other."""
ADVANCE_NS = NS_PER_S // 2
"""Media time must come this much further within `STALL_NS`."""
WATCH_S = 0.2
PAUSES_S = (0.1, 0.3, 0.5)
"""A device that was plugged in again is to be heard within three seconds, so it is looked for that often."""
STABLE_NS = 10 * NS_PER_S
SIGN_IN_PAUSES_S = (20.0, 60.0, 300.0, 600.0)
"""A camera that is asked with a wrong password again and again locks itself, also for those who know the right one:
many do after five to seven times in half an hour. Another password, and a hearing that begins, are tried sooner."""
SECRET_S = 2.0
"""How often it is looked whether the password is another one."""
_SIGN_IN_FAULTS = ("password", "sign-in")
MOST_CHARACTERS = 500
"""Of a sentence that a worker says."""
NO_MEDIA_WHY = "设备没有送来媒体"
STOPPED_WHY = "媒体时间停止前进"

State = Literal["starting", "running", "failed", "off"]


class SourceRunner:
    """One source. `on_levels` gets up to when was heard, and (peak, rms, clipped) of each channel.

    `on_change` is called at each new `state`.
    """

    def __init__(
        self,
        source: Source,
        tracks: list[Track],
        clock: RoomClock,
        *,
        on_levels: Callable[[int, list[tuple[int, float, float]]], None],
        on_trouble: Callable[[int, str], None],
        on_change: Callable[[], None],
        last_id: int = 0,
    ) -> None:
        """`last_id`: of the last init that these tracks had before."""
        self.source = source
        self.state: State = "starting"
        self.why: str | None = None
        self.fault = ""
        """The code of `why`, where the device has one."""
        self.restarts = 0
        self._tracks = tracks
        self._clock = clock
        self._on_levels = on_levels
        self._on_trouble = on_trouble
        self._on_change = on_change
        self._worker: WorkerProcess | None = None
        self._fit = ClockFit()
        self.last_id = last_id
        """Of the newest init."""
        self._reported_ns = 0
        """Room time at which the last sample of the newest report had come."""
        self._gave_up = False
        self._again = asyncio.Event()
        self._secret = ""
        """What the newest run was given."""

    @property
    def pid(self) -> int | None:
        """The number of the worker process, for tests and for people who look."""
        return None if self._worker is None else self._worker.pid

    async def run(self) -> None:
        """Run until it is canceled."""
        failures = refusals = 0
        while True:
            began_ns = self._clock.now_ns()
            try:
                code, why, fault, stderr = await self._once()
            except (DeviceError, ConfigError) as error:
                code, why, fault, stderr = EndCode.FAILED, error.message, error.code, []
            now_ns = self._clock.now_ns()
            self.restarts += 1
            stable = now_ns - began_ns > STABLE_NS
            failures = 0 if stable else min(failures + 1, len(PAUSES_S) - 1)
            refusals = 0 if stable else refusals
            log.warning("source_ended", source=self.source.id, at_ns=now_ns, why=why, fault=fault, stderr=stderr[-5:])
            if self.source.off_why and (self._gave_up or code is EndCode.STALLED):
                await self._stay_off(now_ns)
                continue
            self._set("failed", why, fault)
            self._on_trouble(now_ns, why)
            if fault in _SIGN_IN_FAULTS:
                await self._wait_refused(SIGN_IN_PAUSES_S[min(refusals, len(SIGN_IN_PAUSES_S) - 1)])
                refusals += 1
            else:
                await asyncio.sleep(PAUSES_S[failures])

    def again(self) -> None:
        """A hearing began or ended: what was left off, or refused to be signed in to, may try again."""
        self._again.set()

    async def _wait_refused(self, pause_s: float) -> None:
        """Until the pause is over, the password is another one, or a hearing begins or ends."""
        self._again.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                while not self._again.is_set():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._again.wait(), SECRET_S)
                    with contextlib.suppress(ConfigError):
                        if await asyncio.to_thread(self.source.secret) != self._secret:
                            return

    async def _stay_off(self, now_ns: int) -> None:
        self._gave_up = False
        self._again.clear()
        self._set("off", self.source.off_why)
        self._on_trouble(now_ns, self.source.off_why)
        await self._again.wait()

    def _set(self, state: State, why: str | None, fault: str = "") -> None:
        if (state, why, fault) != (self.state, self.why, self.fault):
            self.state, self.why, self.fault = state, why, fault
            self._on_change()

    async def _once(self) -> tuple[EndCode, str, str, list[str]]:
        self._fit = ClockFit()
        # Seconds of room time: grows over restarts of this service as well.
        self.last_id = max(self.last_id + 1, self._clock.now_ns() // NS_PER_S)
        source = self.source
        self._secret = secret = await asyncio.to_thread(source.secret)  # it may be in a file
        runs = [TrackRun(track, self.last_id, self._fit, by_arrival=source.by_arrival) for track in self._tracks]
        self._worker = worker = WorkerProcess()
        log.info("source_starts", source=source.id, run=self.last_id, at_ns=self._clock.now_ns())
        try:
            await worker.start(self.source.command, [run.feed for run in runs], partial(self._report, secret), secret)
            watch = asyncio.create_task(self._watch(worker, runs))
            try:
                ended = asyncio.create_task(worker.ended.wait())
                await asyncio.wait([ended, watch], return_when=asyncio.FIRST_COMPLETED)
                if watch.done():  # a defect; it must not leave the source unwatched
                    log.error("watch_failed", source=self.source.id, exc_info=watch.exception())
                    worker.end("设备监视出错，重新启动该设备")
            finally:
                await cancel_and_wait(watch, ended)
        finally:
            await worker.stop()
            for run in runs:
                run.end()
                self.last_id = max(self.last_id, run.init_id)
        return worker.code, worker.why, worker.fault, list(worker.stderr)

    async def _watch(self, worker: WorkerProcess, runs: list[TrackRun]) -> None:
        """End a run whose media time does not advance."""
        mark_ns = self._clock.now_ns() + int(self.source.first_s * NS_PER_S) - STALL_NS
        media_ns = waited_before_ns = 0
        begun = False
        advanced_ns = self._clock.now_ns()
        while True:
            before_ns = self._clock.now_ns()
            await asyncio.sleep(WATCH_S)
            now_ns = self._clock.now_ns()
            # A machine so busy that even this loop is late starves the worker too: that is not the device's fault.
            mark_ns += max(now_ns - before_ns - int(2 * WATCH_S * NS_PER_S), 0) * 2
            slowest_ns = min(run.media_end_ns for run in runs)
            if slowest_ns > 0 and not begun:  # its first media: from now on it has no more time than any other
                begun = True
                mark_ns = min(mark_ns, now_ns)
            if slowest_ns - media_ns >= ADVANCE_NS:
                mark_ns = advanced_ns = now_ns
                media_ns, waited_before_ns = slowest_ns, worker.waited_ns()
                if all(run.flowing for run in runs):
                    self._set("running", None)
            elif now_ns - mark_ns > SAID_NS:
                waited_ns = worker.waited_ns()
                starved = waited_ns - waited_before_ns > (now_ns - mark_ns) // 4
                if starved and now_ns - advanced_ns < STARVED_NS:
                    # It wants to work and is not let: a restart would only cost more.
                    mark_ns, waited_before_ns = now_ns, waited_ns
                elif now_ns - mark_ns > STALL_NS:
                    worker.end(NO_MEDIA_WHY if slowest_ns == 0 else STOPPED_WHY, EndCode.STALLED)
                elif self.state == "running" and not self.source.off_why:  # that one judges itself
                    self._set("failed", "媒体中断")

    def _report(self, secret: str, line: bytes) -> None:
        """What the worker of a run says that was given this secret."""
        value = _report_of(line)
        if "clock" in value:
            media_ns, monotonic_ns = value["clock"]
            self._reported_ns = self._clock.from_monotonic_ns(monotonic_ns)
            self._fit.observe(media_ns, self._reported_ns)
        elif "levels" in value:
            self._on_levels(self._reported_ns, value["levels"])
        elif "lost" in value:
            media_ns, by_ns, why = value["lost"]
            self._fit.lost(media_ns, by_ns)
            self._on_trouble(self._clock.now_ns(), why)
            log.warning("samples_lost", source=self.source.id, ms=by_ns / 1e6, why=why)
        elif "trouble" in value:
            self._on_trouble(self._clock.now_ns(), value["trouble"])
            log.warning("pictures_lost", source=self.source.id, why=value["trouble"])
        elif "refused" in value:
            self.source.refused(secret)
            log.warning("key_frames_refused", source=self.source.id)
        elif "off" in value:
            self._gave_up = True
            raise DeviceError(value["off"])
        elif "failed" in value:
            raise DeviceError(value["failed"], code=value["code"])


def _report_of(line: bytes) -> dict[str, Any]:
    """What a line of a worker says (`hardware.workers.reporter`), each value of its kind; of words the beginning.

    A worker speaks to a device, and is believed no more than that: `DeviceError` for what no worker says.
    """
    try:
        value = read_strict(line, limit=LINE_BYTES)
        if not isinstance(value, dict):
            raise TypeError("a report is an object")
        if "clock" in value:
            return {"clock": _times(value["clock"], 2)}
        if "levels" in value:
            return {"levels": [(int(peak), float(rms), float(clipped)) for peak, rms, clipped in value["levels"]]}
        if "lost" in value:
            *times, why = value["lost"]
            return {"lost": (*_times(times, 2), _words(why))}
        if "trouble" in value:
            return {"trouble": _words(value["trouble"])}
        if "refused" in value:
            return {"refused": True}
        if "off" in value:
            return {"off": _words(value["off"])}
        if "failed" in value:
            return {"failed": _words(value["failed"]), "code": _words(value.get("code") or "device")[:40]}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DeviceError("设备进程的报告无法读懂") from None
    return {}


def _times(values: Sequence[Any], count: int) -> tuple[int, ...]:
    """So many numbers of ns; `ValueError` for anything else."""
    if len(values) != count or any(type(value) is not int for value in values):
        raise ValueError("these are no times")
    return tuple(values)


def _words(said: object) -> str:
    return printable(str(said)[:MOST_CHARACTERS])
