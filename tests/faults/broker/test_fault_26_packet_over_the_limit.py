"""Fault 26: a message that is larger than the broker takes. It is refused where it is made, and the line stays.

Lost: the message that is too large, with an error that is counted; an event of that kind stays in the room's log.
"""

from __future__ import annotations

import psutil

from sync.ledger.messages.event_batch import MAX_EVENT_BYTES
from sync.record.docket import MAX_DOCKET_BYTES
from sync.runtime.bounds.message_size import MAX_MESSAGE_BYTES
from tests.support.peers.center_process import BENCH, CenterProcess, shows
from tests.support.peers.uplink_peers import ADDRESS, until
from tests.support.rooms.uplink_room import UplinkRoom

HEARING = {"id": "d", "time": "09:30", "case_no": "1", "vocabulary": {"term": ['"' * 40] * 90}}


async def test_what_is_too_large_ends_no_connection(center: CenterProcess, room: UplinkRoom) -> None:
    numbers = [room.opens()]
    async with center.watching("bench") as tab:
        await shows(tab)
        await until(lambda: room.link.get("watched") == ["bench"], 60)
        room.fragment(key=True)
        await until(lambda: tab.sequences(BENCH), 60)
        sockets = {one.laddr for one in psutil.Process(room.pid).net_connections() if one.status == "ESTABLISHED"}

        large = room.mark("x" * MAX_EVENT_BYTES)
        largest = room.mark('"' * (MAX_EVENT_BYTES // 2 - 200))  # escaped twice it is four times as long
        numbers += [largest, room.mark()]
        too_large = room.fragment(MAX_MESSAGE_BYTES, key=True)
        after_it = room.fragment()
        next_one = room.fragment(key=True)
        await until(lambda: next_one in tab.sequences(BENCH), 60)
        assert not {too_large, after_it} & set(tab.sequences(BENCH))
        await until(lambda: [event.number for event in room.log.pending()] == [large], 60)
        assert center.stored() == numbers
        now = {one.laddr for one in psutil.Process(room.pid).net_connections() if one.status == "ESTABLISHED"}
        assert now & sockets, "the line to the broker is the one of before"
        assert room.link["broker"]

    route = f"/api/docket/{ADDRESS}"
    async with center.served.inspector() as http:
        large_body = b'{"date":"2026-11-22","x":"' + b"x" * MAX_DOCKET_BYTES + b'"}'
        assert (await http.put(route, content=large_body)).status_code == 413
        largest_docket = {"date": "2026-11-22", "hearings": [HEARING] * 120}
        assert (await http.put(route, json=largest_docket)).json() == {"published": True}
    await until(lambda: len(room.docket.get("hearings", ())) == 120, 60)
    last = room.mark()
    await until(lambda: last in center.stored(), 60)
