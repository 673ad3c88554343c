"""Room time: one line on which a room puts every sample, frame, word and touch; and what UTC it was then.

*Room time* is nanoseconds since the room's epoch, an instant fixed once in the life of a device. Within one boot it
is `CLOCK_MONOTONIC` plus a constant that all processes of the room share through one small file, so no step of the
system clock can move it. `ClockMap` is the other half: it turns room time into UTC and notices when the system clock
was stepped. See docs/time.md.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sync.errors import ConfigError
from sync.runtime.files.durable_files import replace_file
from sync.runtime.units import NS_PER_MS, NS_PER_S

NOTED_NS = 15 * NS_PER_S
"""How far room time may have come beyond what is written down of it."""
STEP_NS = 20 * NS_PER_MS
"""A change of (UTC - monotonic) larger than this is a step that is told; smaller ones the map follows in silence."""
FOLLOW_NS = NS_PER_MS
"""Smaller changes than this are not followed: two clocks cannot be read at the same instant."""
MAX_PIECES = 100_000
_READINGS = 5


class Clock(Protocol):
    """Where a process gets time from; tests pass their own."""

    def monotonic_ns(self) -> int:
        """Nanoseconds of `CLOCK_MONOTONIC`."""

    def utc_ns(self) -> int:
        """Nanoseconds of UTC since 1970, as the system clock believes."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        return time.time_ns()


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _read(path: Path) -> dict[str, Any]:
    """What the file says; `ConfigError` when it is damaged: no line that a guess begins could be trusted later."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        if not all(type(state[key]) is int for key in ("epoch_utc_ns", "last_room_ns")):
            raise TypeError("its times are no whole numbers")
        if not all(type(offset) is int for offset in state["boots"].values()):
            raise TypeError("its boots are no whole numbers")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"the room's clock {path} is damaged ({error}); put it back from the second copy of the disk, or, when no "
            "hearing is open, remove it: room time begins anew"
        ) from error
    return dict(state)


class RoomClock:
    """Room time for one process. All processes that name the same file agree to the nanosecond."""

    def __init__(self, offset_ns: int, clock: Clock | None = None, state: Mapping[str, Any] | None = None) -> None:
        """`offset_ns` is room time minus `CLOCK_MONOTONIC`, `state` what the file says; use `open` outside of tests."""
        self._offset_ns = offset_ns
        self._state = state or {"epoch_utc_ns": 0, "boots": {}, "last_room_ns": 0}
        self._clock: Clock = clock or SystemClock()

    @classmethod
    def open(
        cls, path: Path, clock: Clock | None = None, boot_id: Callable[[], str] = _boot_id, *, noted: bool = False
    ) -> RoomClock:
        """Read the room's epoch from `path`, or fix it now if this device never had one.

        On the first call after a boot the line is continued by the system clock's UTC: room time never runs backwards
        over a restart, not even if the system clock woke up in 1970. Where the file was noted lately in this boot, or
        the caller sees to it that it will be (`noted`), nothing is written and nobody waits for the disk.
        """
        clock = clock or SystemClock()
        if (at_hand := cls._of_this_boot(path, clock, boot_id(), noted=noted)) is not None:
            return at_hand
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            state: dict[str, Any] = {"epoch_utc_ns": clock.utc_ns(), "boots": {}, "last_room_ns": 0}
            if path.exists():
                state = _read(path)
            boots = state["boots"]
            boot = boot_id()
            known = boot in boots
            if not known:
                # `note` is called every few seconds only: what was recorded after the last must not be recorded over.
                last_ns = state["last_room_ns"] + (NOTED_NS if state["last_room_ns"] else 0)
                room_ns = max(clock.utc_ns() - state["epoch_utc_ns"], last_ns)
                boots.clear()  # a past boot's offset is of no use: its CLOCK_MONOTONIC is gone
                boots[boot] = room_ns - clock.monotonic_ns()
            offset_ns = int(boots[boot])
            state["last_room_ns"] = clock.monotonic_ns() + offset_ns
            try:
                replace_file(path, json.dumps(state))
            except OSError:
                if not known:
                    raise
                # A full disk must not keep a room from recording: in this boot the file says the same anyway.
        finally:
            os.close(folder)
        return cls(offset_ns, clock, state)

    @classmethod
    def _of_this_boot(cls, path: Path, clock: Clock, boot: str, *, noted: bool) -> RoomClock | None:
        """The file is only ever replaced as a whole, so it can be read while another process writes it."""
        if not path.exists():
            return None
        state = _read(path)
        if boot not in state["boots"] or not state["last_room_ns"]:
            return None
        offset_ns = int(state["boots"][boot])
        if not noted and clock.monotonic_ns() + offset_ns - state["last_room_ns"] >= NOTED_NS:
            return None
        return cls(offset_ns, clock, state)

    def note(self, path: Path) -> None:
        """Write down how far the line has come; call it every `NOTED_NS` or less. `OSError` when that fails.

        A file that was damaged or removed since it was read is written anew.
        """
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            try:
                state = _read(path)
            except (ConfigError, FileNotFoundError):
                state = dict(self._state)
            state["last_room_ns"] = max(state["last_room_ns"], self.now_ns())
            replace_file(path, json.dumps(state))
        finally:
            os.close(folder)

    def now_ns(self) -> int:
        """Room time now."""
        return self._clock.monotonic_ns() + self._offset_ns

    def from_monotonic_ns(self, monotonic_ns: int) -> int:
        """Room time of a `CLOCK_MONOTONIC` stamp of this boot."""
        return monotonic_ns + self._offset_ns

    def to_monotonic_ns(self, room_ns: int) -> int:
        """`CLOCK_MONOTONIC` stamp of a moment of this boot."""
        return room_ns - self._offset_ns

    def utc_now_ns(self) -> int:
        """UTC now, as the system clock believes."""
        return self._clock.utc_ns()


@dataclass(frozen=True)
class ClockStep:
    """The system clock was moved by hand or by NTP: from `at_room_ns` on, UTC is `by_ns` later than before."""

    at_room_ns: int
    by_ns: int


class ClockMap:
    """Room time -> UTC, in pieces; a step begins a new piece and never changes an old one.

    NTP slews both clocks together, so their difference changes only where the system clock was set. Whatever moved it,
    the map follows from the look that saw it on; what has come together to more than `STEP_NS` is told as a step.
    """

    def __init__(self, clock: RoomClock) -> None:
        self._clock = clock
        now_ns, offset_ns, _ = self._read()
        self._from_ns = [now_ns]
        self._offset_ns = [offset_ns]
        self._told_ns = offset_ns

    def told(self, offset_ns: int) -> None:
        """What UTC minus room time was when it was last told, by an earlier life of this service: the next look finds
        the step that happened in between."""
        self._told_ns = offset_ns

    def poll(self) -> ClockStep | None:
        """Compare the clocks; call about once a second. Returns the step, if there was one since the last look."""
        now_ns, offset_ns, doubt_ns = self._read()
        if abs(offset_ns - self._offset_ns[-1]) > FOLLOW_NS + doubt_ns:
            self._from_ns.append(now_ns)
            self._offset_ns.append(offset_ns)
            if len(self._from_ns) > MAX_PIECES:
                del self._from_ns[0], self._offset_ns[0]
        by_ns = self._offset_ns[-1] - self._told_ns
        if abs(by_ns) <= STEP_NS:
            return None
        self._told_ns = self._offset_ns[-1]
        return ClockStep(now_ns, by_ns)

    def _read(self) -> tuple[int, int, int]:
        """(room time, UTC minus room time, how far that may be off): a process that is interrupted between the two
        clocks would see a step that never was, so the reading that took the shortest counts."""
        best: tuple[int, int, int] | None = None
        for _ in range(_READINGS):
            before_ns = self._clock.now_ns()
            utc_ns = self._clock.utc_now_ns()
            took_ns = self._clock.now_ns() - before_ns
            if best is None or took_ns < best[2]:
                best = (before_ns, utc_ns - before_ns - took_ns // 2, took_ns)
            if took_ns < FOLLOW_NS // 10:
                break
        assert best is not None
        return best

    @property
    def offset_ns(self) -> int:
        """UTC minus room time, as the last look saw it."""
        return self._offset_ns[-1]

    def utc_ns(self, room_ns: int) -> int:
        """UTC of a moment; moments before the first look use the first piece."""
        piece = max(bisect_right(self._from_ns, room_ns) - 1, 0)
        return room_ns + self._offset_ns[piece]
