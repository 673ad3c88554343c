"""A batch that cannot be stored whole: what is wrong with one event costs that event, and nobody else a receipt."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from server.events.admission import Received, read_event
from server.ingest.event_batches import MOST_FAILURES, PartedBatch, store_parted
from server.store.writer import BatchOutcome
from sync.errors import StorageError
from tests.support.peers.center_peers import RoomPeer, Served, event, opening, said, until
from tests.support.peers.device_signatures import device_key, signed_batch

ROOMS = ("court1/c03", "court1/c04")
TRIGGER = (
    "CREATE TRIGGER refuses BEFORE INSERT ON events WHEN NEW.room = 'court1/c03' AND NEW.number = 7 "
    "BEGIN SELECT RAISE(ABORT, 'no'); END"
)


def received(number: int, room: str = ROOMS[0], kind: str = "utterance") -> Received:
    one = said(number, f"第{number}句", at_ms=number, hearing=f"h-{room[-3:]}")
    if kind != "utterance":
        one = event(number, kind, {"id": "a", "from_ns": 1, "to_ns": None, "level": "restricted"})
    return read_event(room, json.dumps(one).encode())


class Shelf:
    """A store that refuses some events."""

    def __init__(self, *bad: tuple[str, int], error: Exception | None = None) -> None:
        self.bad = set(bad)
        self.error = error or ValueError("cannot be stored")
        self.stored: list[tuple[str, int]] = []
        self.tries = 0

    async def store(self, batch: Sequence[Received]) -> BatchOutcome:
        self.tries += 1
        names = [(one.room, one.event.number) for one in batch]
        if self.bad & set(names):
            raise self.error
        self.stored += names
        return BatchOutcome(fresh=list(batch))

    async def parted(self, batch: Sequence[Received]) -> PartedBatch:
        return await store_parted(self.store, batch)


def numbers(events: Sequence[Received]) -> list[tuple[str, int]]:
    return [(one.room, one.event.number) for one in events]


async def test_a_batch_in_which_all_is_well_is_stored_at_once() -> None:
    shelf = Shelf()
    parted = await shelf.parted([received(n, room) for n in range(2, 40) for room in ROOMS])
    assert (shelf.tries, parted.failed, parted.left) == (1, [], [])


@pytest.mark.parametrize("bad", [2, 3, 20, 39])
async def test_one_bad_event_costs_itself_alone_and_the_order_of_the_others_stays(bad: int) -> None:
    shelf = Shelf((ROOMS[0], bad))
    batch = [received(n, room) for n in range(2, 40) for room in ROOMS]
    parted = await shelf.parted(batch)
    assert [(r.room, r.event.number) for r, _ in parted.failed] == [(ROOMS[0], bad)]
    assert sorted(shelf.stored) == sorted(set(numbers(batch)) - {(ROOMS[0], bad)})
    for room in ROOMS:
        mine = [number for name, number in shelf.stored if name == room]
        assert mine == sorted(mine)
    assert shelf.tries <= 16
    assert sum(len(outcome.fresh) for outcome in parted.outcomes) == len(batch) - 1


async def test_a_store_that_takes_nothing_is_asked_once_and_what_it_took_before_is_told() -> None:
    shelf = Shelf((ROOMS[0], 5), error=StorageError("the disk is full"))
    parted = await shelf.parted([received(n) for n in range(2, 9)])
    assert (shelf.tries, parted.outcomes, len(parted.left)) == (1, [], 7)
    assert parted.unavailable is shelf.error

    class Ends(Shelf):
        async def store(self, batch: Sequence[Received]) -> BatchOutcome:
            if len(self.stored) >= 3:
                raise StorageError("the disk is full")
            return await super().store(batch)

    ends = Ends((ROOMS[0], 2))
    parted = await ends.parted([received(n) for n in range(2, 10)])
    assert numbers([one for outcome in parted.outcomes for one in outcome.fresh]) == ends.stored
    assert sorted(ends.stored + numbers(parted.left)) == [(ROOMS[0], n) for n in range(3, 10)]
    assert parted.unavailable is not None


async def test_where_everything_is_refused_it_ends() -> None:
    batch = [received(n) for n in range(2, 400)]
    shelf = Shelf(*numbers(batch))
    parted = await shelf.parted(batch)
    assert shelf.tries == MOST_FAILURES
    assert len(parted.failed) + len(parted.left) == len(batch)


async def test_behind_an_act_that_seals_and_cannot_be_stored_nothing_of_its_room_is() -> None:
    shelf = Shelf((ROOMS[0], 5))
    batch = [received(n, kind="sealed_part" if n == 5 else "utterance") for n in range(2, 12)]
    parted = await shelf.parted([*batch, *(received(n, ROOMS[1]) for n in range(2, 12))])
    assert [number for room, number in shelf.stored if room == ROOMS[0]] == [2, 3, 4]
    assert [number for room, number in shelf.stored if room == ROOMS[1]] == list(range(2, 12))
    assert numbers(parted.left) == [(ROOMS[0], n) for n in range(6, 12)]


async def test_a_center_receipts_what_is_beside_a_bad_event_and_the_event_itself_when_it_can(
    served: Served, room: RoomPeer
) -> None:
    await served.center.database.write(lambda c: c.execute(text(TRIGGER)))
    other = await RoomPeer(served.broker_port, ROOMS[1]).start()
    try:
        mine = [opening(1), *(said(n, f"第{n}句", at_ms=n) for n in range(2, 40))]
        theirs = [opening(1, hearing="h2"), *(said(n, f"第{n}句", at_ms=n, hearing="h2") for n in range(2, 40))]
        # In one turn of the center: as much as its inbox gives at once.
        served.center.ingest.offer(ROOMS[0], signed_batch(ROOMS[0], *mine, key=device_key(ROOMS[0])))
        served.center.ingest.offer(ROOMS[1], signed_batch(ROOMS[1], *theirs, key=device_key(ROOMS[1])))
        await until(lambda: other.receipts() == set(range(1, 40)))
        await until(lambda: room.receipts() == set(range(1, 40)) - {7})
        assert room.refused() == []
        assert "unfit" in served.center.rooms.states[ROOMS[0]].alarms
        assert "unfit" not in served.center.rooms.states[ROOMS[1]].alarms
        async with served.inspector() as http:
            found = (await http.get("/api/search", params={"q": "第8句"})).json()
        assert {hit["hearing"] for hit in found} == {"h1", "h2"}
        await served.center.database.write(lambda c: c.execute(text("DROP TRIGGER refuses")))
        room.publish("events", mine[6])
        await until(lambda: 7 in room.receipts())
    finally:
        other.stop()
