"""Sessions of several processes: opened and ended for all, at rest for all, and over once their code is another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from server.access.shared_rights import SharedRights
from server.access.shared_sessions import USE_S, SharedSessions
from server.store.database import open_database
from server.store.rights.rights_rows import NOTHING_SEEN, sessions
from sync.errors import AccessError
from sync.http.rights.people import ABSOLUTE_S, IDLE_S, MAX_SESSIONS, People, Session, key_of
from tests.support.peers.center_peers import until
from tests.support.peers.postgres_server import PostgresServer, migrated_database

pytestmark = pytest.mark.process
NOW = 1_795_000_000.0


class SignedIn:
    """The people of one process, at a clock that the test turns for all."""

    def __init__(self, url: str, file: Path, now: list[float]) -> None:
        self.database = open_database(url)
        self.rights = SharedRights(self.database)
        self.rights.utc_s = lambda: now[0]  # type: ignore[method-assign]
        self.people = People.open(file, {"inspector": "督查员"}, now_s=lambda: now[0], shares_sessions=True)
        self.ended: list[Session] = []
        self.sessions = SharedSessions(self.database, self.people, self.rights, self.ended.append)

    async def start(self) -> None:
        await self.sessions.begin()
        await self.rights.start()

    async def stop(self) -> None:
        await self.rights.stop()
        self.database.close()

    async def sign_in(self) -> str:
        """A token."""
        token, session = self.people.sign_in(self.people.plain_codes()["inspector"], "127.0.0.1")
        try:
            await self.sessions.opened(key_of(token), session)
        except AccessError:
            self.people.drop(key_of(token))
            raise
        return token

    async def kept(self) -> set[str]:
        query = select(sessions.c.token_sha256)
        return set(await self.database.read(lambda connection: list(connection.execute(query).scalars())))


@pytest.fixture
def now() -> list[float]:
    return [NOW]


@contextlib.asynccontextmanager
async def processes(
    postgres: PostgresServer, folder: Path, now: list[float]
) -> AsyncIterator[tuple[SignedIn, SignedIn]]:
    url = migrated_database(postgres)
    one, two = (SignedIn(url, folder / "access.json", now) for _ in range(2))
    await one.start()
    await two.start()
    try:
        yield one, two
    finally:
        await one.stop()
        await two.stop()


async def test_who_is_signed_in_by_one_is_by_the_other_and_who_signs_out_is_out_at_both(
    postgres: PostgresServer, tmp_path: Path, now: list[float]
) -> None:
    async with processes(postgres, tmp_path, now) as (one, two):
        token = await one.sign_in()
        session = two.people.session(token)
        assert session is not None
        assert token not in str(await two.kept()), "the hash of it alone is kept"
        one.people.sign_out(token)
        await one.sessions.ended(key_of(token))
        assert two.people.session(token) is None
        assert two.ended == [session]
        assert session.ended
        assert await one.kept() == set()


async def test_who_signs_in_while_all_is_read_anew_is_not_signed_out_by_it(
    postgres: PostgresServer, tmp_path: Path, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a line to the database that was lost: what was read before the session was kept is taken after it."""
    async with processes(postgres, tmp_path, now) as (one, _):
        write = one.database.write
        known: list[tuple[str, bool]] = []

        async def written(work: Callable[[Connection], Any], **options: Any) -> Any:
            before = await asyncio.to_thread(one.rights.read_news, NOTHING_SEEN)
            version = await write(work, **options)
            await one.rights.take_news(before)
            return version

        async def settled(_: int, hearing: str = "") -> None:
            known.extend((key, session.ended) for key, session in one.people.known().items())

        monkeypatch.setattr(one.database, "write", written)
        monkeypatch.setattr(one.rights, "settled", settled)
        token = await one.sign_in()
        assert known == [(key_of(token), False)]
        assert one.people.session(token) is not None


async def test_a_session_that_is_used_at_one_rests_at_none(
    postgres: PostgresServer, tmp_path: Path, now: list[float]
) -> None:
    async with processes(postgres, tmp_path, now) as (one, two):
        token = await one.sign_in()
        now[0] += IDLE_S - USE_S
        assert two.people.session(token) is not None
        await two.sessions.say_use()
        await one.sessions.say_use()
        now[0] += IDLE_S - 1
        assert one.people.session(token) is not None, "though it was never used there"
        now[0] += IDLE_S
        assert one.people.session(token) is None
        assert two.people.session(token) is None
        again = await one.sign_in()
        assert await one.kept() == {key_of(again)}, "what is over is swept away"
        now[0] += ABSOLUTE_S
        assert two.people.session(again) is None


async def test_a_guest_has_one_session_and_none_when_the_grant_is_over(
    postgres: PostgresServer, tmp_path: Path, now: list[float]
) -> None:
    async with processes(postgres, tmp_path, now) as (one, two):
        tokens = []
        for process in (one, two):
            token, session = process.people.let_in("party", "原告 张三", "g1", NOW + 100)
            await process.sessions.opened(key_of(token), session)
            tokens.append(token)
        for process in (one, two):
            assert process.people.session(tokens[0]) is None
            assert process.people.session(tokens[1]) is not None
        one.people.end("g1")
        await one.sessions.ended_of("g1")
        assert two.people.session(tokens[1]) is None


async def test_more_than_there_are_people_end_at_all(
    postgres: PostgresServer, tmp_path: Path, now: list[float]
) -> None:
    async with processes(postgres, tmp_path, now) as (one, two):
        first = await one.sign_in()
        rows = [
            {"token_sha256": f"{n:064}", "id": f"{n}", "role": "party", "name": "", "since_s": NOW, "used_s": NOW + 1}
            for n in range(MAX_SESSIONS)
        ]
        await two.database.write(
            lambda c: c.execute(sessions.insert(), [{**row, "grant": f"g{row['id']}", "until_s": None} for row in rows])
        )
        now[0] += 10
        await two.sign_in()
        assert one.people.session(first) is None
        assert len(await one.kept()) == MAX_SESSIONS


async def test_a_code_that_was_made_anew_ends_its_sessions_and_opens_none_with_the_old_one(
    postgres: PostgresServer, tmp_path: Path, now: list[float]
) -> None:
    async with processes(postgres, tmp_path, now) as (one, two):
        token = await one.sign_in()
        old = one.people.plain_codes()["inspector"]
        guest, session = one.people.let_in("party", "赵律师", "g1", NOW + 100)
        await one.sessions.opened(key_of(guest), session)
        (tmp_path / "access.json").unlink()
        (tmp_path / "codes.json").unlink()
        third = SignedIn(two.database.engine.url.render_as_string(hide_password=False), tmp_path / "access.json", now)
        await third.start()
        try:
            for process in (one, two):
                await until(lambda process=process: process.people.session(token) is None)  # type: ignore[misc]
                assert process.people.session(guest) is not None, "who has a grant has no code"
                with pytest.raises(AccessError):
                    process.people.sign_in(old, "10.0.0.1")
            again = await third.sign_in()
            assert two.people.session(again) is not None
            assert await two.sign_in()
        finally:
            await third.stop()


async def test_a_process_that_cannot_read_the_new_codes_lets_nobody_in_by_the_old_ones(
    postgres: PostgresServer, tmp_path: Path, now: list[float]
) -> None:
    async with processes(postgres, tmp_path, now) as (one, two):
        (tmp_path / "elsewhere").mkdir()
        url = two.database.engine.url.render_as_string(hide_password=False)
        third = SignedIn(url, tmp_path / "elsewhere" / "access.json", now)
        await third.start()
        try:
            with pytest.raises(AccessError, match="已更换"):
                await one.sign_in()
            assert one.people.known() == {}
            assert await third.sign_in()
        finally:
            await third.stop()
