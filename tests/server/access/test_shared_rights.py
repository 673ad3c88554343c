"""The version of rights, followed: who hears nothing knows nothing, and nobody is answered before the others know."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection
from typing import Any

import pytest
from sqlalchemy import Connection, text

from server.access.classification import Classification, Classifications
from server.access.rights_follower import GONE_S
from server.access.shared_rights import SILENCE_S, RightsSnapshot, SharedRights
from server.store.database import Database, open_database
from server.store.reader import RecordReader
from server.store.rights.rights_rows import KEPT_CHANGES, NOTHING_SEEN, raise_version, rights_changes
from server.store.writer import RecordWriter
from sync.errors import WutongError
from tests.support.peers.center_peers import until
from tests.support.peers.frozen_line import FrozenLine
from tests.support.peers.postgres_server import PASSWORD, USER, PostgresServer, migrated_database

pytestmark = pytest.mark.process
KIND = "hearing"


class Levels:
    """Keeps what the table of levels says, and can be slow to take it."""

    def __init__(self) -> None:
        self.now: dict[str, str] = {}
        self.read_whole = 0
        self.taken: list[Collection[str] | None] = []

    def read(self, connection: Connection, names: Collection[str] | None) -> dict[str, str]:
        self.read_whole += names is None
        return {row.hearing: row.level for row in connection.execute(text("SELECT hearing, level FROM levels"))}

    def take(self, names: Collection[str] | None, found: dict[str, str]) -> None:
        self.taken.append(names)
        self.now = found if names is None else {**self.now, **{n: found[n] for n in names if n in found}}


class Process:
    """What stands for a process of a center: a database of its own, what it keeps, and a clock that the test moves."""

    def __init__(self, url: str, *, ahead_ns: int = 0) -> None:
        self.database: Database = open_database(url)
        self.levels = Levels()
        self.ahead_s = 0.0
        self.rights = SharedRights(
            self.database,
            monotonic_s=lambda: time.monotonic() + self.ahead_s,
            utc_ns=lambda: time.time_ns() + ahead_ns,
        )
        self.rights.keep(KIND, self.levels)

    async def set(self, hearing: str, level: str) -> int:
        """An act: committed, and taken here."""

        def work(connection: Connection) -> int:
            version = raise_version(connection, [(KIND, hearing)])
            connection.execute(text("DELETE FROM levels WHERE hearing = :h"), {"h": hearing})
            connection.execute(text("INSERT INTO levels VALUES (:h, :l)"), {"h": hearing, "l": level})
            return version

        version = await self.database.write(work)
        if self.rights.own(version, [(KIND, hearing)]):
            self.levels.now[hearing] = level
        return version

    async def stop(self) -> None:
        await self.rights.stop()
        self.database.close()


@contextlib.asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[None]:
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


async def test_an_act_is_settled_when_the_others_have_taken_it(url: str) -> None:
    one, two = Process(url), Process(url)
    async with running(one, two):
        for number in range(20):
            version = await one.set("h1", f"level {number}")
            await one.rights.settled(version)
            assert two.levels.now["h1"] == f"level {number}"
        assert two.levels.read_whole == 1, "then only what has changed"
        assert two.levels.taken[-1] == {"h1"}


async def test_who_cannot_take_it_knows_nothing_when_the_act_is_settled(url: str) -> None:
    one, two = Process(url), Process(url)
    async with running(one, two):

        async def stuck(news: object) -> int | None:
            return None

        assert two.rights.known()
        two.rights.take_news = stuck  # type: ignore[method-assign]  # as a loop that does not get to it
        await one.rights.settled(await one.set("h1", "withdrawn"))
        assert "h1" not in two.levels.now
        assert not two.rights.known()
        with pytest.raises(WutongError, match=r"无法确认查阅权限.*try again") as refused:
            two.rights.check()
        assert refused.value.code == "rights-unknown"
        del two.rights.take_news
        await two.rights.until_known()
        assert two.levels.now == {"h1": "withdrawn"}


async def test_a_request_waits_a_moment_for_a_version_that_was_only_just_lost(url: str) -> None:
    one = Process(url)
    async with running(one):

        async def stuck(news: object) -> int | None:
            return None

        await one.rights.soon()
        one.ahead_s += SILENCE_S
        assert not one.rights.known()
        await one.rights.soon()
        assert one.rights.known(), "the next beat has come"
        one.rights.take_news = stuck  # type: ignore[method-assign]  # as a database that does not come back
        await one.set("h1", "withdrawn")
        one.ahead_s += SILENCE_S
        await one.rights.soon()
        assert not one.rights.known()
        del one.rights.take_news


async def test_what_was_read_is_judged_by_rights_that_are_as_new(url: str) -> None:
    one, two = Process(url), Process(url)
    async with running(one, two):
        held: list[Any] = []

        async def hold(news: Any) -> int | None:
            held.append(news)
            return None

        two.rights.take_news = hold  # type: ignore[method-assign]  # as a loop that does not get to it
        version = await one.set("h1", "withdrawn")
        waiting = [
            asyncio.ensure_future(two.rights.until_taken(version, two.rights.anew)),
            asyncio.ensure_future(two.rights.catch_up()),
        ]
        await until(lambda: held)
        assert not any(task.done() for task in waiting)
        del two.rights.take_news
        await asyncio.gather(*waiting)
        assert two.levels.now == {"h1": "withdrawn"}
        await two.rights.catch_up()
        two.ahead_s += SILENCE_S
        two.rights.take_news = hold  # type: ignore[method-assign]
        await one.set("h1", "restricted")
        with pytest.raises(WutongError) as refused:
            await two.rights.catch_up()
        assert refused.value.code == "rights-unknown"
        del two.rights.take_news


async def test_who_waits_for_a_version_that_is_gone_with_its_database_waits_no_longer_than_for_the_copy(
    postgres: PostgresServer, url: str
) -> None:
    one = Process(url)
    async with running(one):
        for number in range(3):
            await one.set("h1", str(number))
        await until(lambda: one.rights._seen == 3)
        waiting = asyncio.ensure_future(one.rights.until_taken(9, one.rights.anew))
        postgres.run("UPDATE rights_version SET version = 1", database=url.rpartition("/")[2])
        await waiting
        assert one.rights._seen == 1


async def test_a_line_that_hangs_is_an_end_of_knowing_and_is_followed_on_when_it_flows(
    postgres: PostgresServer, url: str
) -> None:
    line = FrozenLine(postgres.port)
    async with line.running() as port:
        name = url.rpartition("/")[2]
        through = await asyncio.to_thread(Process, f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{name}")
        one = Process(url)
        async with running(one, through):
            line.freeze()
            await one.rights.settled(await one.set("h1", "withdrawn"))
            assert not through.rights.known()
            assert through.levels.now == {}
            line.thaw()
            await asyncio.wait_for(through.rights.until_known(), 30)
            assert through.levels.now == {"h1": "withdrawn"}


async def test_who_stood_still_knows_nothing_when_it_goes_on(url: str) -> None:
    one = Process(url)
    async with running(one):
        assert one.rights.known()
        one.ahead_s += SILENCE_S  # as after SIGSTOP, or a machine that slept
        assert not one.rights.known()
        await one.rights.until_known()


async def test_a_process_that_is_gone_is_waited_for_no_more_and_one_that_lives_joins_again(
    postgres: PostgresServer, url: str
) -> None:
    name = url.rpartition("/")[2]
    postgres.run("INSERT INTO rights_followers VALUES ('dead', 0, 7)", database=name)
    one = Process(url)
    async with running(one):

        def followers() -> set[str]:
            return {str(row[0]) for row in postgres.run("SELECT process FROM rights_followers", database=name)}

        await until(lambda: one.rights._follower is not None and "dead" in one.rights._follower._others)
        assert followers() == {"dead", one.rights.process}
        one.ahead_s += GONE_S
        await until(lambda: followers() == {one.rights.process})
        postgres.run("DELETE FROM rights_followers", database=name)
        await until(lambda: followers() == {one.rights.process})
        await one.rights.until_known()
    assert followers() == set(), "one that ends in good order is waited for by nobody"


async def test_what_was_read_before_an_act_of_its_own_is_not_taken(url: str) -> None:
    one = Process(url)
    async with running(one):
        await one.set("h1", "open")
        early = await asyncio.to_thread(one.rights.read_news, NOTHING_SEEN)
        version = await one.set("h1", "withdrawn")
        # Whatever the follower has done meanwhile: what is older than the act is not put in its place.
        one.rights._own[(KIND, "h1")] = version
        assert await one.rights.take_news(early) is None
        changed = RightsSnapshot(early.version, {KIND: {"h1"}}, early.found)
        assert await one.rights.take_news(changed) is None
        assert one.levels.now["h1"] == "withdrawn"


async def test_who_was_away_longer_than_changes_are_kept_reads_everything(url: str) -> None:
    one = Process(url)
    try:

        def many(connection: Connection) -> int:
            connection.execute(text("UPDATE rights_version SET version = :v"), {"v": 3 * KEPT_CHANGES})
            return raise_version(connection, [(KIND, "h1")])

        await one.database.write(many)
        seen = await asyncio.to_thread(one.rights.read_news, 3 * KEPT_CHANGES)
        assert seen.names == {KIND: {"h1"}}
        for before in (NOTHING_SEEN, 1, 3 * KEPT_CHANGES + 2):
            assert (await asyncio.to_thread(one.rights.read_news, before)).names is None
        rows = await one.database.read(lambda c: c.execute(rights_changes.select()).all())
        assert len(rows) == 1
    finally:
        one.database.close()


async def test_a_copy_that_was_put_in_the_database_s_place_is_read_as_a_whole(
    postgres: PostgresServer, url: str
) -> None:
    name = url.rpartition("/")[2]
    one = Process(url)
    async with running(one):
        for number in range(3):
            await one.set("h1", str(number))
        await until(lambda: one.rights._seen == 3)
        postgres.run(
            "UPDATE levels SET level = 'of the copy'",
            "DELETE FROM rights_changes",
            "UPDATE rights_version SET version = 1",
            database=name,
        )
        await until(lambda: one.rights._seen == 1)
        assert one.levels.now == {"h1": "of the copy"}


async def test_what_a_room_says_of_a_closed_hearing_at_one_closes_it_at_all(url: str) -> None:
    one, two = Process(url), Process(url)
    levels = [
        Classifications(RecordWriter(process.database), RecordReader(process.database), process.rights)
        for process in (one, two)
    ]
    async with running(one, two):
        levels[0].opened("court1/c03", "h1", {"public": True})
        levels[0].opened("court1/c03", "h2", {"public": False})
        assert levels[0].of("h2") is Classification.RESTRICTED
        await until(lambda: levels[1].of("h2") is Classification.RESTRICTED)
        assert levels[1].of("h1") is Classification.OPEN
        for number in range(3, 10):
            levels[0].opened("court1/c03", f"h{number}", {"public": False})
            await until(lambda name=f"h{number}": levels[1].of(name) is Classification.RESTRICTED)  # type: ignore[misc]
        assert levels[1].of("h2") is Classification.OPEN, "the last few of each room count"


async def test_what_a_room_said_last_counts_whatever_the_clock_of_who_heard_it_before(url: str) -> None:
    one, two = Process(url), Process(url)
    ahead, behind = RecordWriter(one.database, utc_ns=lambda: 9 * 10**18), RecordWriter(two.database, utc_ns=lambda: 1)
    levels = Classifications(ahead, RecordReader(one.database), one.rights)
    async with running(one, two):
        await ahead.note_closed([("court1/c03", f"h{number}") for number in range(4)])
        await behind.note_closed([("court1/c03", "h9"), ("court1/c04", "h8")])
        await until(lambda: levels.of("h9") is levels.of("h8") is levels.of("h3") is Classification.RESTRICTED)
        assert levels.of("h0") is Classification.OPEN


async def test_all_processes_have_the_database_s_clock(url: str) -> None:
    behind, ahead = Process(url, ahead_ns=-3600 * 10**9), Process(url, ahead_ns=3600 * 10**9)
    async with running(behind, ahead):
        await until(lambda: all(abs(one.rights.utc_ns() - time.time_ns()) < 10**9 for one in (behind, ahead)))


async def test_where_one_process_has_the_database_it_always_knows_and_waits_for_nobody(tmp_path: Any) -> None:
    one = Process(f"sqlite:///{tmp_path / 'center.db'}")
    async with running(one):
        assert not one.rights.shared
        version = await one.set("h1", "withdrawn")
        assert version == 0
        assert one.levels.now == {"h1": "withdrawn"}
        await one.rights.settled(version)
        one.ahead_s += 1e9
        one.rights.check()
