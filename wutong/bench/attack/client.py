"""One hostile client, a process of its own: every attack at once until it is told to stop or `SECONDS` are over.

`python -m wutong.bench.attack.client TARGET SECONDS` prints one JSON object: what it did and what it was answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from wutong.bench.attack import web, wire
from wutong.bench.attack.target import Target

ATTACKS = (
    web.bodies,
    web.half_open,
    web.guesses,
    web.refusals,
    web.uploads,
    wire.take_over,
    wire.flood,
)


Attack = Callable[[Target, Counter[str]], Awaitable[None]]


async def _again_and_again(run: Attack, target: Target, done: Counter[str]) -> None:
    while True:
        try:
            await run(target, done)
        except (*web.NETWORK_ERRORS, ValueError) as error:  # shut out for a moment: it comes again
            done[f"shut out {type(error).__name__}"] += 1
            await asyncio.sleep(0.5)


async def attack(target: Target, seconds: float) -> Counter[str]:
    """What was done, counted."""
    done: Counter[str] = Counter()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    tasks = [asyncio.create_task(_again_and_again(run, target, done)) for run in ATTACKS]
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=5)
    return done


def main() -> None:
    """Run."""
    # It stands for another machine: it must not take the processor of the one that is attacked.
    os.nice(19)
    done = asyncio.run(attack(Target.read(Path(sys.argv[1])), float(sys.argv[2])))
    print(json.dumps(done))
    sys.stdout.flush()
    os._exit(0)  # threads of clients that are shut out would be waited for


if __name__ == "__main__":
    main()
