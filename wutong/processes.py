"""Which process serves a feed, which workers it has, and what they take: from the socket and /proc, asking nobody."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterable
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def service_pid(feed: Path) -> int | None:
    """The process behind a feed's socket, as the kernel says; None when nobody serves it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(0.5)
        try:
            sock.connect(str(feed))
        except OSError:
            return None
        pid, _, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(pid)


class ServiceProcesses:
    """Services and their children, looked at now and then; processor time is that between the last two looks."""

    def __init__(self) -> None:
        self._children: dict[int, list[int]] = {}
        self._ticks: dict[int, tuple[float, int]] = {}
        self._cpu: dict[int, float] = {}

    def poll(self, services: Iterable[int]) -> None:
        """Look at these processes and their children."""
        self._children = {pid: _children(pid) for pid in services}
        alive = {*self._children, *(child for children in self._children.values() for child in children)}
        now = time.monotonic()
        for pid in alive:
            ticks = _ticks(pid)
            before = self._ticks.get(pid)
            if ticks is not None and before is not None and now > before[0]:
                self._cpu[pid] = (ticks - before[1]) / _TICKS_PER_S / (now - before[0])
            if ticks is not None:
                self._ticks[pid] = (now, ticks)
        for gone in set(self._ticks) - alive:
            self._ticks.pop(gone)
            self._cpu.pop(gone, None)

    def children(self, pid: int) -> list[int]:
        """The workers of a service."""
        return self._children.get(pid, [])

    def describe(self, pid: int, *, short: bool = False) -> str:
        """Processor and memory of a process in words."""
        cpu = self._cpu.get(pid)
        used = "?" if cpu is None else f"{cpu * 100:.0f}%"
        rss = _rss_mib(pid)
        memory = "?" if rss is None else f"{rss:.0f}M"
        return f"{used} {memory}" if short else f"pid {pid}, cpu {used}, rss {memory}"

    def name(self, pid: int) -> str:
        """What a process calls itself."""
        try:
            return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        except OSError:
            return "gone"


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text(encoding="ascii").split()]
        except OSError:
            continue
    return sorted(found)


def _ticks(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[11]) + int(fields[12])


def _rss_mib(pid: int) -> float | None:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES / 2**20
    except OSError:
        return None
