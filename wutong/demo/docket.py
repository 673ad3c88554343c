"""The day's docket of the demo's rooms: who is the clerk finds the bundled case there, as a court's clerk would."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import httpx

from hardware.simulation.scenario import ScenarioCase
from sync.errors import CenterError
from sync.record.docket import Docket, DocketEntry
from wutong.demo.stack import Stack

AHEAD = timedelta(minutes=10)
"""So much later than the demo's start the hearing is planned: time to look around before anybody misses it."""


def docket_of(case: ScenarioCase, now: datetime) -> Docket:
    """The docket of the day of `now` with this case alone, still on the same day."""
    at = min(now + AHEAD, datetime.combine(now.date(), time(23, 59), now.tzinfo))
    entry = DocketEntry(id=f"demo-{now:%Y%m%d-%H%M%S}", time=f"{at:%H:%M}", **case.model_dump())
    return Docket(date=f"{now:%Y-%m-%d}", hearings=[entry])


async def put_on_docket(stack: Stack, case: ScenarioCase) -> None:
    """Give every room's docket to the center, through the interface of the court's own systems.

    `CenterError` when the center refuses or does not answer.
    """
    docket = docket_of(case, datetime.now().astimezone())
    try:
        async with httpx.AsyncClient(
            base_url=stack.center_url, headers={"X-Wutong": "1"}, timeout=30, verify=stack.trusted()
        ) as http:
            (await http.post("/api/session", json={"code": stack.inspector_code()})).raise_for_status()
            for room in stack.rooms:
                (await http.put(f"/api/docket/{room.address}", json=docket.model_dump())).raise_for_status()
    except httpx.HTTPError as error:
        raise CenterError(
            f"the center did not take the docket: {error or type(error).__name__}", code="docket"
        ) from error
