"""When the collector of cycles looks at what a long-lived service keeps: at a time of its own, seldom.

While it looks, every thread waits, and it looks at all that was kept since the program began: in a center with fifty
rooms that was 60 to 90 ms, just as a picture passed. What has come in some seconds is therefore looked at by itself,
which is little, and what is left of it set aside; all is looked at as a whole once an hour, or earlier where twice as
much has come.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

SET_ASIDE_S = 5.0
WHOLE_S = 3600.0
GROWN = 2
"""Times as much memory as after the last whole look: what has come since may be what nobody holds any more."""
FEW_BYTES = 512 * 1024 * 1024
"""Below that nothing is looked at early."""


def _set_aside() -> None:
    """Look at everything once, and set what is left aside."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def keep_collector_away(monotonic_s: Callable[[], float] = time.monotonic) -> None:
    """Until it is canceled."""
    _set_aside()
    kept_bytes, whole_s = resident_bytes(), monotonic_s()
    while True:
        await asyncio.sleep(SET_ASIDE_S)
        gc.collect()  # of what came since: what nobody holds any more is not set aside with the rest
        gc.freeze()  # how many there are now is not asked: to count them is to walk over all of them
        now_bytes = resident_bytes()
        if monotonic_s() - whole_s < WHOLE_S and now_bytes < max(GROWN * kept_bytes, FEW_BYTES):
            continue
        began_s = monotonic_s()
        _set_aside()
        kept_bytes, whole_s = resident_bytes(), monotonic_s()
        log.info("memory_collected", bytes=kept_bytes, before=now_bytes, ms=round((whole_s - began_s) * 1000))


def resident_bytes() -> int:
    """The memory that this process has."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE_BYTES
