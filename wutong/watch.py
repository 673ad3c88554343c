"""`wutong doctor PROFILE --watch`: a room at a glance in a terminal, from its own feeds, its log and /proc.

Promises: it only listens, so it can slow or change nothing; a service that is not there is shown as such; one screen
of 80×24 says everything, a larger one more of the alarms. Refuses: to guess; what was not said for a while is "?".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
import termios
import time
import tty
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from hardware.profile import Profile
from sync.record.hearing import Hearing, State
from sync.room.event_log import RoomLog
from sync.room.feed import FRESH_S, FeedClient
from sync.room.follower import Follower
from sync.room.paths import RoomPaths
from wutong.processes import ServiceProcesses, service_pid

REFRESH_S = 0.5
ONCE_WITHIN_S = 3.0
SERVICES = {"recorder": ["levels", "status"], "transcriber": ["status"], "edge": [], "uplink": ["link"]}
FLOOR_DB = -60.0


class RoomWatch:
    """What is known of the room now. All methods belong to one event loop."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._layout = RoomPaths(profile.storage.data)
        self._said: dict[str, tuple[float, Any]] = {}
        self._pids: dict[str, int | None] = dict.fromkeys(SERVICES)
        self._processes = ServiceProcesses()
        self._hearing: Hearing | None = None
        self._waiting: int | None = None

    async def run(self) -> None:
        """Listen for ever."""
        async with asyncio.TaskGroup() as group:
            for service, topics in SERVICES.items():
                if topics:
                    group.create_task(self._listen(service, topics))
            group.create_task(self._poll())

    @property
    def known(self) -> bool:
        """Whether everything that runs has spoken once."""
        awaited = {"recorder": "recorder/levels", "transcriber": "transcriber/status", "uplink": "uplink/link"}
        return all(said in self._said for service, said in awaited.items() if self._pids[service] is not None)

    async def _listen(self, service: str, topics: list[str]) -> None:
        async for topic, payload in FeedClient(self._layout.feed(service), topics).messages():
            with contextlib.suppress(ValueError):
                self._said[f"{service}/{topic}"] = (time.monotonic(), json.loads(payload))

    async def _poll(self) -> None:
        room_log: RoomLog | None = None
        follower: Follower | None = None
        try:
            while True:
                await asyncio.to_thread(self._look_for_services)
                self._processes.poll([pid for pid in self._pids.values() if pid is not None])
                if room_log is None and self._layout.log.exists():
                    room_log = RoomLog(self._layout.log)
                    follower = Follower(room_log)
                    await follower.start()
                if follower is not None:
                    await follower.poll()
                    self._hearing = follower.hearing
                self._waiting = await asyncio.to_thread(_waiting, self._layout.log)
                await asyncio.sleep(REFRESH_S)
        finally:
            if room_log is not None:
                room_log.close()

    def _look_for_services(self) -> None:
        for name, pid in self._pids.items():
            if pid is None or not Path(f"/proc/{pid}").exists():
                self._pids[name] = service_pid(self._layout.feed(name))

    def _of(self, what: str) -> dict[str, Any] | None:
        at, value = self._said.get(what, (0.0, None))
        service = what.partition("/")[0]
        # Retained words are said once: they count for as long as who said them lives.
        fresh = self._pids[service] is not None and (service != "recorder" or time.monotonic() - at < FRESH_S)
        return value if fresh and isinstance(value, dict) else None

    def frame(self, height: int) -> RenderableType:
        """One screen of at most `height` lines."""
        recorder = self._of("recorder/status")
        parts: list[RenderableType] = [self._head(), self._seats(), Rule(style="dim"), self._tracks(recorder)]
        parts += [Rule(style="dim"), *self._lines(recorder), *self._services()]
        alarms = self._alarms(recorder)
        used = 6 + len(self._lines(recorder)) + len(SERVICES) + (len(self._profile.seats) + 1) // 2
        used += len((recorder or {}).get("tracks", [])) or 1
        room = max(1, height - used)
        parts += alarms[:room]
        if len(alarms) > room:
            parts[-1] = Text(f"! … and {len(alarms) - room + 1} more alarms", style="bold red")
        return Group(*parts)

    def _head(self) -> Text:
        room, hearing = self._profile.room, self._hearing
        text = Text(f"{room.court_name} {room.room_name}  ", style="bold", no_wrap=True, overflow="ellipsis")
        if hearing is None or hearing.state is State.CLOSED:
            text.append("no hearing", style="dim")
        else:
            color = "red" if hearing.state is State.OPEN else "yellow"
            text.append("● ", style=color)
            why = f" ({hearing.pauses[-1].reason})" if hearing.state is State.PAUSED else ""
            text.append(f"{hearing.state.value}{why} {hearing.case.get('case_no', '')}")
        return text.append(f"  {datetime.now().astimezone():%H:%M:%S}", style="dim")

    def _seats(self) -> Table:
        levels = (self._of("recorder/levels") or {}).get("seats", {})
        table = Table.grid(padding=(0, 1), expand=True)
        for _ in range(2):
            table.add_column(width=10, no_wrap=True)
            table.add_column(width=18, no_wrap=True)
            table.add_column(width=7, justify="right", no_wrap=True)
        cells: list[RenderableType] = []
        for seat in self._profile.seats:
            level = levels.get(seat.id)
            cells += [Text(seat.role), _bar(level), Text("?" if level is None else f"{level['rms_db']:.0f} dB")]
        for at in range(0, len(cells), 6):
            table.add_row(*cells[at : at + 6])
        return table

    def _tracks(self, recorder: dict[str, Any] | None) -> RenderableType:
        if recorder is None:
            return Text("recorder: says nothing; tracks are not known", style="bold red")
        table = Table.grid(padding=(0, 1))
        for width in (10, 10, 9, 9, 12):
            table.add_column(width=width, no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        for track in recorder.get("tracks", []):
            state = str(track.get("state"))
            kept = Text("● kept", style="red") if track.get("kept") else Text("not kept", style="dim")
            table.add_row(
                Text(str(track.get("id"))),
                Text(state, style="green" if state == "running" else "bold red"),
                kept,
                _bytes(track.get("kept_bytes")),
                f"restarts {track.get('restarts', '?')}",
                Text(str(track.get("why") or ""), style="yellow"),
            )
        return table

    def _lines(self, recorder: dict[str, Any] | None) -> list[Text]:
        disk, clock = (recorder or {}).get("disk", {}), (recorder or {}).get("clock", {})
        error = clock.get("error_ms")
        steps = 0 if self._hearing is None else len(self._hearing.clock_steps)
        doubt = "unknown" if error is None else f"± {error} ms"
        link, words = self._of("uplink/link"), self._of("transcriber/status")
        hours = disk.get("hours_left")
        return [
            _line("disk", f"{_bytes(disk.get('free_bytes'))} free, {'?' if hours is None else f'{hours:.1f}'} h left"),
            _line("clock", f"{clock.get('source', '?')}, {doubt}; steps in this hearing: {steps}"),
            _line("outbox", self._outbox(link)),
            _line("words", "?" if words is None else f"{words.get('state')}, {words.get('lag_ms', 0):.0f} ms behind"),
        ]

    def _outbox(self, link: dict[str, Any] | None) -> str:
        if link is None:
            return f"{'?' if self._waiting is None else self._waiting} events wait; the uplink is not there"
        there = ", ".join(f"{what} {'ok' if link.get(what) else 'AWAY'}" for what in ("broker", "center"))
        last = link.get("last_receipt_utc_ns")
        receipt = "none" if not last else f"{max(0.0, time.time() - last / 1e9):.0f} s ago"
        waiting = f"{link.get('pending_events', '?')} events, {_bytes(link.get('pending_bytes'))} wait"
        return f"{there}; {waiting}; receipt: {receipt}"

    def _services(self) -> Iterator[Text]:
        for service, pid in self._pids.items():
            if pid is None:
                yield _line(service, "not running", style="bold red")
                continue
            workers = self._processes.children(pid)
            text = self._processes.describe(pid)
            if workers:
                each = "  ".join(
                    f"{self._processes.name(w)} {self._processes.describe(w, short=True)}" for w in workers
                )
                text += f" | {len(workers)} workers: {each}"
            yield _line(service, text)

    def _alarms(self, recorder: dict[str, Any] | None) -> list[Text]:
        said = [(a.get("code"), a.get("subject"), a.get("text")) for a in (recorder or {}).get("alarms", [])]
        hearing = self._hearing
        if hearing is not None and hearing.state is not State.CLOSED:
            said += [(a.code, a.subject, a.text) for a in hearing.alarms if a.cleared_ns is None]
        once = dict.fromkeys(f"! {code} {subject}: {text}" for code, subject, text in said)
        style = "bold red"
        lines = [Text(line, style=style, no_wrap=True, overflow="ellipsis") for line in once]
        return lines or [Text("no alarms", style="green")]


def _line(name: str, text: str, *, style: str = "") -> Text:
    line = Text(f"{name:<12}", style="dim", no_wrap=True, overflow="ellipsis")
    return line.append(text, style=style or "default")


def _bar(level: dict[str, float] | None, cells: int = 18) -> Text:
    if level is None:
        return Text("─" * cells, style="dim")
    filled = round(cells * min(1.0, max(0.0, 1 - level["rms_db"] / FLOOR_DB)))
    color = "red" if level["peak_db"] > -1 else "green"
    return Text("█" * filled, style=color).append("·" * (cells - filled), style="dim")


def _bytes(value: Any) -> str:
    if not isinstance(value, int | float):
        return "?"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            break
        value, unit = value / 1024, {"B": "KiB", "KiB": "MiB", "MiB": "GiB", "GiB": "TiB"}[unit]
    return f"{value:.0f} {unit}" if unit in ("B", "KiB") else f"{value:.1f} {unit}"


def _waiting(log: Path) -> int | None:
    """Events that wait for the center, read without touching the log."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True, timeout=1)) as db:
            return int(db.execute("SELECT count(*) FROM outbox").fetchone()[0])
    except sqlite3.Error:
        return None


@contextlib.contextmanager
def _keys(stop: asyncio.Event) -> Iterator[None]:
    """q ends it; nothing is echoed over the picture."""
    if not sys.stdin.isatty():
        yield
        return
    fd, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    loop.add_reader(fd, lambda: stop.set() if os.read(fd, 64).lower().find(b"q") >= 0 else None)
    try:
        yield
    finally:
        loop.remove_reader(fd)
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


async def watch(profile: Profile, console: Console, *, once: bool) -> None:
    """Show the room until q, Ctrl-C or, with `once`, until everything that runs has spoken."""
    view = RoomWatch(profile)
    task = asyncio.create_task(view.run())
    stop = asyncio.Event()
    try:
        if once:
            deadline = time.monotonic() + ONCE_WITHIN_S
            await asyncio.sleep(2 * REFRESH_S)  # processor time is a difference of two looks
            while not view.known and time.monotonic() < deadline:
                await asyncio.sleep(0.1)
            console.print(view.frame(console.height))
            return
        with _keys(stop), Live(view.frame(console.height), console=console, screen=True, auto_refresh=False) as live:
            while not stop.is_set() and not task.done():
                live.update(view.frame(console.height), refresh=True)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), REFRESH_S)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def run(profile: Profile, console: Console, *, once: bool) -> int:
    """The command; the exit code."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch(profile, console, once=once))
    return 0
