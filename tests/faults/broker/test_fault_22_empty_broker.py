"""Fault 22: the broker is started again and knows nothing of before, neither sessions nor what it had kept.

Lost: live pictures of the time between. All that either end must know is said again by whoever knows it: the room's
status, the docket, which tracks are watched, the beginnings of tracks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sync.media.envelope import Kind
from tests.support.peers.center_process import BENCH, CenterProcess, shows
from tests.support.peers.live_tab import Tab
from tests.support.peers.uplink_peers import ADDRESS, Mosquitto, until
from tests.support.rooms.uplink_room import UplinkRoom

DOCKET = {"date": "2026-11-22", "hearings": [{"id": "d1", "time": "09:30", "case_no": "(2026)黑05民初123号"}]}


@contextlib.asynccontextmanager
async def recording(room: UplinkRoom) -> AsyncIterator[None]:
    """Fragments come while the block runs."""

    async def run() -> None:
        while True:
            room.fragment()
            await asyncio.sleep(0.05)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def run_of(tab: Tab, init_id: int) -> list[Kind]:
    """What came of a run of the worker, in order."""
    return [one.kind for name, one in tab.media if name == BENCH and one.init_id == init_id]


async def test_after_the_restart_of_an_empty_broker_everything_is_there_again(
    broker: Mosquitto, center: CenterProcess, room: UplinkRoom
) -> None:
    numbers = [room.opens()]
    async with center.served.inspector() as http:
        assert (await http.put(f"/api/docket/{ADDRESS}", json=DOCKET)).status_code == 200
    await until(lambda: room.docket.get("date") == DOCKET["date"], 60)
    async with recording(room), center.watching("bench") as before:
        await shows(before)
        await until(lambda: len(before.sequences(BENCH)) > 5, 60)

        broker.kill()
        await room.online(is_up=False)
        room.kill()  # what it knew of the center is gone as well
        room.docket = {}
        room.begin()  # and the camera begins anew
        broker.start()
        room.start()
        await room.online()

        await shows(before)
        await until(lambda: room.docket.get("date") == DOCKET["date"], 60)
        await until(lambda: run_of(before, room.init_id).count(Kind.FRAGMENT) > 5, 60)
        assert run_of(before, room.init_id)[0] is Kind.INIT
        async with center.watching("bench") as newcomer:
            await shows(newcomer)
            await until(lambda: run_of(newcomer, room.init_id).count(Kind.FRAGMENT) > 5, 60)
            media = [one for name, one in newcomer.media if name == BENCH and one.kind is not Kind.THUMBNAIL]
            assert media[0].kind is Kind.INIT
            assert media[1].key_frame
        for _ in range(2):  # and a broker that comes and goes leaves everybody with the newest
            broker.kill()
            numbers.append(room.mark())
            broker.start()
            await room.online()
        come = len(before.media)
        await until(lambda: len(before.media) > come + 5 and before.sequences(BENCH)[-1] > room.sequence - 20, 60)
    await until(lambda: room.log.pending_count() == 0, 60)
    assert center.stored() == numbers
