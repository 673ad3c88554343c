"""A sealed part ends no earlier than any process of the center has heard of the hearing, whichever is asked."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.access.classification import Classifications
from server.access.heard_furthest import HeardFurthest
from server.access.sealing import Sealing
from server.access.shared_rights import SharedRights
from server.config import RoomEntry
from server.rooms import Rooms
from server.store.database import open_database
from server.store.reader import RecordReader
from server.store.rights.heard_rows import KEPT_QUESTIONS
from server.store.writer import RecordWriter
from sync.errors import StorageError, WutongError
from sync.http.rights.people import Session
from tests.support.peers.center_peers import until
from tests.support.peers.postgres_server import PostgresServer, migrated_database

pytestmark = pytest.mark.process

ROOM = "court1/c03"
S = 10**9
LIVE = {"id": "h1", "state": "open", "case": {"public": True}}


class Hearing:
    """What one process knows of it, by clocks that stand still."""

    def __init__(self, url: str) -> None:
        self.now_s = 0.0
        self.patience_s: Iterator[float] = itertools.repeat(0.0)
        self.database = open_database(url)
        self.rights = SharedRights(self.database)
        self.rooms = Rooms([RoomEntry(court="court1", room="c03")], monotonic_s=lambda: self.now_s)
        record = RecordWriter(self.database)
        self.sealing = Sealing(record, Classifications(record, RecordReader(self.database), self.rights), self.rights)
        self.furthest = HeardFurthest(
            self.database,
            self.rooms,
            self.sealing,
            self.rights,
            lambda: [ROOM],
            monotonic_s=lambda: next(self.patience_s),
        )

    def hears(self, seconds: float, *, session: str = "a") -> None:
        said: dict[str, Any] = {"online": True, "session": session, "room_ns": round(seconds * S), "hearing": LIVE}
        self.rooms.status(ROOM, json.dumps(said).encode())

    async def stop(self) -> None:
        await self.rights.stop()
        self.database.close()


@contextlib.asynccontextmanager
async def running(*processes: Hearing) -> AsyncIterator[None]:
    for one in processes:
        await one.rights.start()
    try:
        yield
    finally:
        for one in processes:
            await one.stop()


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return migrated_database(postgres)


async def test_who_hears_nothing_of_the_room_is_told_how_far_it_is_by_who_does(url: str) -> None:
    owner, other = Hearing(url), Hearing(url)
    async with running(owner, other):
        owner.hears(900)
        assert other.rooms.now_ns(ROOM) is None
        for _ in range(3):
            assert 900 * S <= await other.furthest.of(ROOM, "h1") < 960 * S
        assert await owner.furthest.of(ROOM, "h1") >= 900 * S


async def test_what_one_heard_before_another_device_began_anew_counts_at_the_other(url: str) -> None:
    owner, other = Hearing(url), Hearing(url)
    async with running(owner, other):
        owner.hears(900)
        other.hears(5, session="b")
        assert await other.furthest.of(ROOM, "h1") >= 900 * S


async def test_what_a_process_heard_of_a_part_that_goes_on_outlives_it(url: str) -> None:
    dead, other = Hearing(url), Hearing(url)
    async with running(other):
        await dead.rights.start()
        dead.hears(900)
        await dead.furthest.poll()
        assert dead.furthest._written == {}, "of a hearing of which no part goes on nothing is written"
        await other.sealing.seal(Session("archivist", "", 0, 0), "", "h1", 0, None, "withdrawn", "隐私")
        await dead.furthest.poll()
        await dead.stop()
        other.hears(5, session="b")
        for _ in range(2):  # also once the row of the dead one has become everybody's
            assert await other.furthest.of(ROOM, "h1") >= 900 * S


async def test_a_hearing_that_goes_on_as_it_did_is_not_written_again(url: str) -> None:
    one = Hearing(url)
    async with running(one):
        await one.sealing.seal(Session("archivist", "", 0, 0), "", "h1", 0, None, "withdrawn", "隐私")
        one.hears(900)
        await one.furthest.poll()
        kept: list[Any] = []
        one.furthest._keep = lambda heard: kept.append(heard)  # type: ignore[method-assign,assignment,return-value]
        await one.furthest.poll()
        assert kept == []


async def test_nobody_hears_the_room_and_nobody_says_how_far_it_is(url: str) -> None:
    one, two = Hearing(url), Hearing(url)
    async with running(one, two):
        two.hears(900)
        two.now_s += 60
        two.rooms.poll()
        with pytest.raises(WutongError) as refused:
            await one.furthest.of(ROOM, "h1")
        assert refused.value.code == "room-away"


async def test_a_process_that_does_not_answer_ends_nothing(url: str) -> None:
    one, two = Hearing(url), Hearing(url)
    async with running(one, two):
        one.hears(900)

        async def refuse(heard: object) -> None:
            raise StorageError("no database")

        two.furthest._keep = refuse  # type: ignore[method-assign]
        one.patience_s = iter([0.0, 1.0, 2.0, 3.0])
        with pytest.raises(WutongError, match=r"尚未应答.*try again") as refused:
            await one.furthest.of(ROOM, "h1")
        assert refused.value.code == "busy"
        del two.furthest._keep
        one.patience_s = itertools.repeat(0.0)
        assert await one.furthest.of(ROOM, "h1") >= 900 * S


async def test_who_comes_while_somebody_waits_answers_too_and_old_questions_are_forgotten(
    postgres: PostgresServer, url: str
) -> None:
    one, late = Hearing(url), Hearing(url)
    name = url.rpartition("/")[2]
    async with running(one):
        one.hears(900)
        for number in range(3):
            await one.furthest.of(ROOM, f"h{number}")
        async with running(late):

            def answered() -> set[str]:
                rows = postgres.run("SELECT hearing, process FROM heard_furthest", database=name)
                return {str(row[0]) for row in rows if row[1] == late.rights.process}

            await until(lambda: answered() == {"h0", "h1", "h2"})
            postgres.run(f"UPDATE rights_version SET version = version + {2 * KEPT_QUESTIONS}", database=name)
            assert await one.furthest.of(ROOM, "h9") >= 900 * S
            assert {str(row[0]) for row in postgres.run("SELECT hearing FROM heard_furthest", database=name)} == {"h9"}


async def test_where_there_is_one_process_nobody_is_asked(tmp_path: Path) -> None:
    one = Hearing(f"sqlite:///{tmp_path / 'center.db'}")
    async with running(one):
        with pytest.raises(WutongError) as refused:
            await one.furthest.of(ROOM, "h1")
        assert refused.value.code == "room-away"
        one.hears(900)
        assert await one.furthest.of(ROOM, "h1") == 900 * S
        await one.furthest.poll()
