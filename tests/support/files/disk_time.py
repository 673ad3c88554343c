"""How long the disk of this machine takes, which is no work of ours, while something else is looked at."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

EVERY_S = 0.05


@dataclass
class DiskTime:
    """The longest that a page of 4 KiB took to be on disk."""

    most_ms: float = 0.0


@contextmanager
def watched_disk(folder: Path) -> Iterator[DiskTime]:
    """Have a page of 4 KiB put on the disk of `folder`, again and again, until the block ends."""
    disk, ending = DiskTime(), threading.Event()
    fd = os.open(folder / "disk-time", os.O_RDWR | os.O_CREAT, 0o600)

    def look() -> None:
        while not ending.wait(EVERY_S):
            began_s = time.monotonic()
            os.pwrite(fd, os.urandom(4096), 0)
            os.fdatasync(fd)
            disk.most_ms = max(disk.most_ms, (time.monotonic() - began_s) * 1000)

    thread = threading.Thread(target=look, name="disk-time")
    thread.start()
    try:
        yield disk
    finally:
        ending.set()
        thread.join()
        os.close(fd)
