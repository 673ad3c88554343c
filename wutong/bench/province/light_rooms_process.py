"""Some hundreds of light rooms in one process: `python -m wutong.bench.province.light_rooms_process ORDERS`.

Orders: `there` (how many rooms are connected and receipted), `begin` (forget what was seen), `report`, and `quiet` (say
nothing new; how many events are not receipted).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wutong.bench.archive.made_words import MadeWords
from wutong.bench.center.orders_line import obey, serve
from wutong.bench.center.samples import Samples
from wutong.bench.province.light_room import LightRoom
from wutong.bench.province.province_orders import ProvinceOrders


async def main(path: Path) -> None:
    """Run the rooms until told to stop."""
    orders, samples = ProvinceOrders.read(path), Samples()
    words, center_key = MadeWords(random.Random(0)), bytes.fromhex(orders.center_key)  # noqa: S311 (no secret)
    rooms = [LightRoom(one, orders.mqtt_port, orders.pace, center_key, words, samples) for one in orders.rooms]

    async def there() -> Mapping[str, Any]:
        return {"there": sum(room.is_there for room in rooms)}

    async def report() -> Mapping[str, Any]:
        seen = samples.report()
        totals = {
            "all_said": sum(room.said for room in rooms),
            "all_receipted": sum(room.receipted for room in rooms),
            "lines_lost": sum(room.lost_lines for room in rooms),
            "refused": sum(room.refused for room in rooms),
        }
        return {"ms": seen["ms"], "counts": {**seen["counts"], **totals}}

    async def quiet() -> Mapping[str, Any]:
        for room in rooms:
            room.be_quiet()
        return {"pending": sum(room.pending for room in rooms)}

    works = [room.run() for room in rooms]
    await obey({"there": there, "report": report, "quiet": quiet}, samples, *works)


if __name__ == "__main__":
    serve(main)
