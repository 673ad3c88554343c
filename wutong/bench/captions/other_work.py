"""Other programs that keep the processors busy for a while, again and again (`wutong.bench.load.programs`)."""

from __future__ import annotations

import asyncio

from wutong.bench.load.programs import Load, other_programs

BURST_S = 10.0
EVERY_S = 30.0


async def bursts() -> None:
    """For ever: `BURST_S` of other work, from the first moment on, then rest until `EVERY_S` have passed."""
    while True:
        async with other_programs([Load.CPU]):
            await asyncio.sleep(BURST_S)
        await asyncio.sleep(EVERY_S - BURST_S)
