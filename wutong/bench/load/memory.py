"""A program that makes memory short: `python -m wutong.bench.load.memory FILE`.

It takes memory until only `LEFT_SHARE` of the machine's is available, gives some back when others need it, and reads a
file without data (`FILE`, which it makes) that is larger than what is left: so the pages of other programs that nobody
holds just now leave the page cache, and have to be read from the disk again. It is the first to be ended when memory
runs out.
"""

from __future__ import annotations

import mmap
import os
import sys
import time
from pathlib import Path

from sync.runtime.process.processes import go_first_when_memory_is_short

LEFT_SHARE = 0.08
LEFT_BYTES = 1 << 30
"""At the least so much stays available, whatever the share is."""
BLOCK_BYTES = 64 << 20
PAUSE_S = 0.05
"""From one piece of the file to the next: the program wants memory, and no processor of its own."""


def _memory_bytes() -> tuple[int, int]:
    """(all of the machine's, available)."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    fields = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
    return fields["MemTotal"], fields["MemAvailable"]


def _block() -> mmap.mmap:
    block = mmap.mmap(-1, BLOCK_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page = os.urandom(4096)
    for _ in range(BLOCK_BYTES // len(page)):
        block.write(page)
    return block


def main() -> None:
    """Until it is killed."""
    go_first_when_memory_is_short()
    total, _ = _memory_bytes()
    floor = max(int(total * LEFT_SHARE), LEFT_BYTES)
    fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, 2 * floor)
    taken: list[mmap.mmap] = []
    at = 0
    while True:
        _, available = _memory_bytes()
        if available > floor + BLOCK_BYTES:
            taken.append(_block())
            continue
        if available < floor and taken:
            taken.pop().close()
        for _ in range(16):
            os.pread(fd, BLOCK_BYTES // 16, at)
            at = (at + BLOCK_BYTES // 16) % (2 * floor)
        time.sleep(PAUSE_S)  # a program of its own, paced by the clock


if __name__ == "__main__":
    main()
