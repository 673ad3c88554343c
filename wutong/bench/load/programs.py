"""Runs other programs beside what is measured: as many and as heavy as an update, a backup or a build would be.

Promises: each has the niceness 0 and a session of its own, so that the kernel weighs it like any login; all are gone
when the block ends, and what they wrote with them. They write to the folder that is named, which should be on the file
system that the recording is on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from pathlib import Path

from sync.runtime.process.processes import die_with_parent

_BUSY = "while True:\n    pass\n"


class Load(StrEnum):
    """What is kept busy."""

    CPU = "cpu"
    """A loop for each processor."""
    DISK = "disk"
    """Small writes at random places and large ones in a row, each synced, and a copy that nobody syncs."""
    MEMORY = "memory"
    """Memory is taken until little is available, and the page cache is filled anew all the time."""


def _commands(load: Load, folder: Path) -> list[list[str]]:
    if load is Load.CPU:
        return [[sys.executable, "-c", _BUSY] for _ in range(os.cpu_count() or 1)]
    if load is Load.DISK:
        program = [sys.executable, "-m", "wutong.bench.load.disk"]
        return [[*program, kind, str(folder / kind)] for kind in ("random", "sequential", "copy")]
    return [[sys.executable, "-m", "wutong.bench.load.memory", str(folder / "cache")]]


@contextlib.asynccontextmanager
async def other_programs(loads: Sequence[Load], beside: Path | None = None) -> AsyncIterator[None]:
    """Keep these busy while the block runs. Their files are in a folder of their own in `beside`, or in the system's
    for temporary files, and go at the end.
    """
    folder = Path(tempfile.mkdtemp(prefix="wutong-load-", dir=beside))
    started = []
    try:
        for load in loads:
            for command in _commands(load, folder):
                started.append(
                    await asyncio.create_subprocess_exec(*command, start_new_session=True, preexec_fn=die_with_parent)
                )
        yield
    finally:
        for one in started:
            with contextlib.suppress(ProcessLookupError):
                one.kill()
        for one in started:
            await one.wait()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
