"""A program that keeps a disk busy: `python -m wutong.bench.load.disk random|sequential|copy FILE`.

`random`: 4 KiB at a random place of a file of 64 MiB, synced each time, as a database does. `sequential`: 1 MiB after
the other, synced each time, in a file that begins anew at 512 MiB, as a recorder does. `copy`: 1 MiB after the other
into a new file that nobody syncs, up to 1 GiB and then anew: the kernel has to write it back while others sync.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

SMALL_BYTES = 4096
LARGE_BYTES = 1 << 20
RANDOM_FILE_BYTES = 64 << 20
SEQUENTIAL_FILE_BYTES = 512 << 20
COPY_BYTES = 1 << 30


def _random(fd: int) -> None:
    os.posix_fallocate(fd, 0, RANDOM_FILE_BYTES)
    data = os.urandom(SMALL_BYTES)
    while True:
        os.pwrite(fd, data, random.randrange(RANDOM_FILE_BYTES // SMALL_BYTES) * SMALL_BYTES)  # noqa: S311 (a place)
        os.fdatasync(fd)


def _sequential(fd: int) -> None:
    data = os.urandom(LARGE_BYTES)
    while True:
        for at in range(0, SEQUENTIAL_FILE_BYTES, LARGE_BYTES):
            os.pwrite(fd, data, at)
            os.fdatasync(fd)
        os.ftruncate(fd, 0)


def _copy(fd: int) -> None:
    data = os.urandom(LARGE_BYTES)
    while True:
        for at in range(0, COPY_BYTES, LARGE_BYTES):
            os.pwrite(fd, data, at)
        os.ftruncate(fd, 0)


def main() -> None:
    """Until it is killed."""
    kind, path = sys.argv[1], Path(sys.argv[2])
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    {"random": _random, "sequential": _sequential, "copy": _copy}[kind](fd)


if __name__ == "__main__":
    main()
