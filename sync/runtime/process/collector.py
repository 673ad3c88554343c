"""When the collector of cycles looks at what a long-lived service keeps: at a time of its own, seldom.

While it looks, every thread waits, and it looks at all that was kept since the program began: in a center with fifty
rooms that was 60 to 90 ms, just as a picture passed. What has lived for some seconds is therefore set aside, which
costs nothing, and looked at as a whole once an hour, or earlier where twice as much has come.
"""

from __future__ import annotations

import asyncio
import gc
import time

import structlog

log = structlog.get_logger(__name__)

SET_ASIDE_S = 5.0
WHOLE_S = 3600.0
GROWN = 2
"""Times as many objects as after the last whole look: what has come since may be what nobody holds any more."""
FEW_OBJECTS = 1_000_000
"""Below that nothing is looked at early."""


def _set_aside() -> None:
    """Look at everything once, and set what is left aside."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def keep_collector_away() -> None:
    """Until it is canceled."""
    _set_aside()
    kept, whole_s = gc.get_freeze_count(), time.monotonic()
    while True:
        await asyncio.sleep(SET_ASIDE_S)
        gc.freeze()
        if time.monotonic() - whole_s < WHOLE_S and gc.get_freeze_count() < max(GROWN * kept, FEW_OBJECTS):
            continue
        began_s = time.monotonic()
        before = gc.get_freeze_count()
        _set_aside()
        kept, whole_s = gc.get_freeze_count(), time.monotonic()
        log.info("memory_collected", objects=kept, freed=before - kept, ms=round((whole_s - began_s) * 1000))
