"""Some simulated rooms in one process: `python -m wutong.bench.center.rooms.rooms_process ORDERS`.

Orders: `settled` (how many rooms hold a hearing of which the center has all), `begin` (forget what was seen), `report`.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wutong.bench.center.orders import RoomsOrders
from wutong.bench.center.orders_line import obey, serve
from wutong.bench.center.rooms.reel import Reel
from wutong.bench.center.rooms.replayed_room import ReplayedRoom
from wutong.bench.center.rooms.script import Script
from wutong.bench.center.samples import Samples


async def main(path: Path) -> None:
    """Run the rooms until told to stop."""
    orders, samples = RoomsOrders.read(path), Samples()
    reel = Reel.load(Path(orders.reel))
    script = Script.of(reel)
    rooms = [ReplayedRoom(one, orders.wires, reel, script, orders.segment_s, samples) for one in orders.rooms]
    gc.collect()
    gc.freeze()  # the reel and the script stay: to walk over them again and again is no work of a room

    async def settled() -> Mapping[str, Any]:
        return {"settled": sum(await asyncio.gather(*(room.settled() for room in rooms)))}

    async def report() -> Mapping[str, Any]:
        pending = sum(await asyncio.gather(*(room.pending() for room in rooms)))
        return {**samples.report(), "pending": pending}

    await obey({"settled": settled, "report": report}, samples, *(room.run() for room in rooms))


if __name__ == "__main__":
    serve(main)
