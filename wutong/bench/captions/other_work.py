"""Other programs that keep the processors busy: as many as there are processors, each run as a user's own would be.

Promises: each has the niceness 0 and a session of its own, so that the kernel weighs it like any login; all are gone
when the block ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator

from sync.runtime.processes import die_with_parent

BURST_S = 10.0
EVERY_S = 30.0
_LOOP = "while True:\n    pass\n"


@contextlib.asynccontextmanager
async def burst() -> AsyncIterator[None]:
    """Keep all processors busy while the block runs."""
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _LOOP, start_new_session=True, preexec_fn=die_with_parent
        )
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for one in started:
            with contextlib.suppress(ProcessLookupError):
                one.kill()
        for one in started:
            await one.wait()


async def bursts() -> None:
    """For ever: `BURST_S` of other work, from the first moment on, then rest until `EVERY_S` have passed."""
    while True:
        async with burst():
            await asyncio.sleep(BURST_S)
        await asyncio.sleep(EVERY_S - BURST_S)
