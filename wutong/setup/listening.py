"""Who speaks into which channel: the levels of an input device, and the channel that a voice is the loudest in."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from pathlib import Path
from typing import Any

from recorder.selftest.channel_identity import dominant
from recorder.selftest.evidence import HEARD_LEVELS, LiveLevel
from sync.errors import ConfigError
from sync.runtime.process.child_process import ChildError, ChildProcess, module_command
from sync.text.printable import printable
from wutong.setup.messages import ShownListening

LEVELS_NS = 100_000_000
MOST_LEVELS = 100
"""Ten seconds of levels: what was said longer ago proposes nothing."""


class Listening:
    """One input device that is heard. Methods belong to one event loop."""

    def __init__(self, name: str, channels: int) -> None:
        self.name = name
        self.channels = channels
        self._db: list[float] = []
        self._trouble = ""
        self._role = ""
        self._since: deque[list[float]] = deque(maxlen=MOST_LEVELS)
        self._task: asyncio.Task[None] | None = None

    def start(self, driver: str, device: str, file: Path | None, rate_hz: int) -> None:
        """Begin to hear it."""
        options = {
            "driver": driver,
            "device": device,
            "file": None if file is None else str(file),
            "channels": self.channels,
            "rate_hz": rate_hz,
        }
        self._task = asyncio.create_task(self._run(json.dumps(options)))

    async def stop(self) -> None:
        """Give the device back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def ask(self, role: str) -> None:
        """From now on it is `role` who speaks."""
        self._role = role
        self._since.clear()

    def take(self, db: list[float]) -> None:
        """The levels of a tenth of a second."""
        self._db = db
        self._since.append(db)

    @property
    def proposed(self) -> int | None:
        """The channel in which whoever was asked for spoke the loudest; None while nobody clearly did."""
        if not self._role:
            return None
        told = {
            str(channel): [LiveLevel(n * LEVELS_NS, db[channel]) for n, db in enumerate(self._since)]
            for channel in range(self.channels)
        }
        counts = dominant(told)
        best = max(counts, key=counts.__getitem__)
        others = sum(counts.values()) - counts[best]
        return int(best) if counts[best] >= HEARD_LEVELS and counts[best] > others else None

    def shown(self) -> ShownListening:
        """For the page."""
        return {
            "name": self.name,
            "db": list(self._db),
            "trouble": self._trouble,
            "role": self._role,
            "proposed": self.proposed,
        }

    async def _run(self, options: str) -> None:
        child: ChildProcess | None = None
        try:
            child = await ChildProcess.start(module_command("hardware.workers.microphone_levels", options))
            async for said in child.lines():
                if "code" in said:
                    self._trouble = printable(str(said["text"]))[:500]
                    return
                self.take(_levels(said, self.channels))
            self._trouble = "录音设备不再送来声音 (the microphones have fallen silent)"
        except (ChildError, ConfigError) as error:
            self._trouble = error.message
        finally:
            if child is not None:
                await child.end()


def _levels(said: dict[str, Any], channels: int) -> list[float]:
    db = said.get("db")
    if not isinstance(db, list) or len(db) != channels or not all(isinstance(one, int | float) for one in db):
        raise ConfigError("录音进程的回答无法识别 (the levels make no sense)")
    return [max(-96.0, min(0.0, float(one))) for one in db]
