"""The demo's child processes: started in order, restarted when they die (as systemd would), stopped together.

Every child dies with this process even if it is killed: the kernel is asked for that, so nothing is left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from sync.runtime.process.processes import die_with_parent, weigh

STOP_S = 4.0
"""How long a child may take to close its files before it is killed."""
RESTART_S = 1.0


@dataclass
class Child:
    """One service: how it is started and where its log goes."""

    name: str
    command: list[str]
    log: Path
    niceness: int = 0
    """What its unit says: it is weighed before it reads its first program, as systemd does it."""
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started_s: float = field(default=0.0)

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the demo, which then stops it in order."""

        def weighed() -> None:
            die_with_parent()
            if self.niceness:
                weigh(self.niceness)

        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=weighed,
            )
        self.started_s = time.monotonic()

    def signal_group(self, number: int) -> None:
        """Send a signal to the child and whatever it started in its group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def last_words(self, lines: int = 3) -> str:
        """The end of its log, for an error message."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.strip().splitlines()[-lines:])


class DemoProcesses:
    """All children of a demo."""

    def __init__(self, log_dir: Path) -> None:
        self.log_dir = log_dir
        self.children: list[Child] = []

    def start(self, name: str, command: list[str], niceness: int = 0) -> Child:
        """Start one more child; its log is `<name>.log`."""
        child = Child(name, command, self.log_dir / f"{name}.log", niceness)
        child.log.unlink(missing_ok=True)
        child.start()
        self.children.append(child)
        return child

    async def watch(self) -> None:
        """Restart for ever what dies; cancel to stop watching."""
        while True:
            for child in self.children:
                if child.pid is None and time.monotonic() - child.started_s > RESTART_S:
                    child.restarts += 1
                    child.start()
            await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """Stop all, the last started first; whoever takes longer than `STOP_S` is killed."""
        for child in reversed(self.children):
            child.signal_group(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        while time.monotonic() < deadline and any(child.pid is not None for child in self.children):
            await asyncio.sleep(0.05)
        for child in self.children:
            child.signal_group(signal.SIGKILL)  # also what a child may have left in its group
            if child.process is not None:
                child.process.wait()
