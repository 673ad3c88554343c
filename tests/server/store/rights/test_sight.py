"""What may not be seen is not taken: neither hits nor hearings beyond sight take a place from those within it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql

from server.access.classification import Classification, Classifications
from server.access.shared_rights import SharedRights
from server.events.admission import read_event
from server.store import tables as t
from server.store.archive.filters import HearingFilter, WordFilter
from server.store.database import Database, open_database
from server.store.reader import MAX_HEARINGS, MAX_HITS, MOST_AHEAD, RecordReader
from server.store.rights.sight import Sight
from server.store.writer import RecordWriter
from sync.http.rights.people import Session
from sync.record.bodies.session import is_public
from sync.record.sealed_parts import SealedPart
from sync.runtime.units import NS_PER_MS
from tests.support.peers.center_peers import ROOM_NS, event, opening, said

DAY_MS = 86_400_000


class Archive:
    """A record store, what is said of its levels, and a room that fills it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.record, self.reader = RecordWriter(database), RecordReader(database)
        self.rights = SharedRights(database)
        self.levels = Classifications(self.record, self.reader, self.rights)
        self._last = 0

    def number(self) -> int:
        self._last += 1
        return self._last

    async def hold(self, hearing: str, lines: int, *, day: int, public: object = True, word: str = "借条") -> None:
        first = opening(self.number(), hearing=hearing, at_ms=day * DAY_MS)
        first["body"]["case"]["public"] = public
        story = [first] + [
            said(self.number(), f"关于{word}的第{n}句", hearing=hearing, at_ms=day * DAY_MS + n) for n in range(lines)
        ]
        batch = [read_event("court1/c03", json.dumps(one).encode()) for one in story]
        await self.record.store_events(batch)
        self.levels.stored(batch)

    async def seal(self, hearing: str, level: Classification = Classification.WITHDRAWN) -> None:
        await self.levels.set(who("archivist"), "127.0.0.1", hearing, level, "理由")

    async def hits(self, role: str, word: str = "借条的") -> list[dict[str, Any]]:
        return (await self.reader.search(word, WordFilter(), self.levels.sight(role))).rows

    async def listed(self, role: str, **wanted: str) -> list[str]:
        rows = await self.reader.hearings(HearingFilter(**wanted), self.levels.sight(role))
        return [row["id"] for row in rows if self.levels.lets(role, row["id"])]


def who(role: str) -> Session:
    return Session(role, "", 0, 0)


@pytest_asyncio.fixture
async def archive(database_url: str) -> AsyncIterator[Archive]:
    database = open_database(database_url)
    try:
        yield Archive(database)
    finally:
        database.close()


@pytest.mark.parametrize("closed", [37, 217, 3 * MAX_HITS])
@pytest.mark.parametrize("how", ["withdrawn", "restricted", "not public"])
async def test_no_number_of_sealed_lines_changes_what_is_found_of_open_ones(
    archive: Archive, closed: int, how: str
) -> None:
    await archive.hold("old", MAX_HITS + 20, day=0)
    before = await archive.hits("inspector")
    assert len(before) == MAX_HITS
    await archive.hold("new", closed, day=9, public=how != "not public")
    if how != "not public":
        await archive.seal("new", Classification(how))
    assert await archive.hits("inspector") == before
    archivist = {hit["hearing"] for hit in await archive.hits("archivist")}
    assert ("new" in archivist) is (how != "withdrawn")
    assert await archive.hits("nobody", "条的") == await archive.hits("inspector", "条的")  # not by the index


async def test_a_room_that_says_live_that_its_case_is_closed_is_believed_before_its_opening_says_otherwise(
    archive: Archive,
) -> None:
    archive.levels.opened("court1/c03", "h1", {"public": False})
    await archive.hold("h1", 3, day=0)
    assert await archive.hits("inspector") == []
    assert len(await archive.hits("archivist")) == 3
    await archive.seal("h1", Classification.OPEN)  # the archivist's word is above both
    assert len(await archive.hits("inspector")) == 3


async def test_closed_hearings_take_no_place_of_open_ones_in_a_list(archive: Archive) -> None:
    await archive.hold("old", 1, day=0)
    await archive.hold("new", 1, day=1)

    def fill(connection: Any) -> None:
        row = dict(connection.execute(select(t.hearings).where(t.hearings.c.id == "new")).one()._mapping)
        more = [{**row, "id": f"closed{n}", "public": False} for n in range(MAX_HEARINGS + 1)]
        connection.execute(insert(t.hearings), more)

    await archive.database.write(fill)
    await archive.rights.start()
    assert await archive.listed("inspector") == ["new", "old"]
    assert await archive.listed("inspector", case="123") == ["new", "old"]
    assert await archive.listed("nobody", case="123") == ["new", "old"]
    rows = await archive.reader.hearings(HearingFilter(case="123"), archive.levels.sight("inspector"))
    assert len(rows) == 2, "who looks for a case learns nothing from the length of the list"


async def test_what_queries_ask_for_is_what_the_audit_log_says_after_a_migration(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'center.db'}"
    database = open_database(url)
    archive = Archive(database)
    for number, public in enumerate((True, False, "false", True)):
        await archive.hold(f"h{number}", 1, day=number, public=public)
    await archive.seal("h1", Classification.OPEN)
    await archive.seal("h3", Classification.RESTRICTED)

    def of_before(connection: Any) -> None:
        connection.execute(delete(t.levels))
        connection.execute(update(t.audit).values(detail=t.audit.c.detail))
        old = {"hearing": "h0", "level": "sealed", "before": "open", "reason": ""}
        line = {"utc_ns": 1, "what": "level", "role": "archivist", "address": "", "granted": True}
        connection.execute(insert(t.audit), [{**line, "detail": json.dumps(old)}])
        gone = ["device_certificates", "sealed_parts", "audit_leaves", "audit_heads"]
        gone += ["courts", "persons", "posts", "sittings", "room_entries"]
        gone += ["credentials", "sign_up_codes", "two_person_acts", "last_posts", "docket_changes"]
        later = (*(f"DROP TABLE {table}" for table in gone), "ALTER TABLE files DROP COLUMN fault")
        later = (*later, "DROP INDEX audit_person", "ALTER TABLE audit DROP COLUMN person")
        later = (*later, *(f"ALTER TABLE utterances DROP COLUMN {name}" for name in ("said_from_ns", "said_to_ns")))
        of_lists = ("court_part", "newest", "not_public", "room", "room_part", "state")
        later = (*later, *(f"DROP INDEX hearings_{name}" for name in of_lists))
        later = (*later, *(f"DROP TRIGGER hearing_{name}" for name in ("opened", "gone", "said")))
        own = (
            "DROP TABLE hearing_folded",
            "CREATE INDEX hearings_opened ON hearings (opened_utc_ns)",
            "DROP INDEX audit_what",
            "DROP INDEX files_sha256",
            "ALTER TABLE hearings DROP COLUMN public",
            "DROP TABLE levels",
        )
        for statement in (*later, *own):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0006'")

    await database.write(of_before)
    database.close()
    again = Archive(open_database(url))
    try:
        await again.rights.start()
        assert await again.listed("inspector") == ["h1"]
        assert sorted(await again.listed("archivist")) == ["h1", "h2", "h3"]
        for hearing in ("h0", "h1", "h2", "h3"):
            rows = await again.reader.hearings(HearingFilter(case="123"), again.levels.sight("inspector"))
            assert (hearing in [row["id"] for row in rows]) is again.levels.lets("inspector", hearing)
    finally:
        again.database.close()


async def test_a_room_whose_clock_is_far_ahead_takes_no_place_of_the_others(archive: Archive) -> None:
    await archive.hold("h1", 2, day=0)
    for number in range(30):
        await archive.hold(f"ahead{number}", 1, day=40_000 + number)
    listed = await archive.listed("inspector")
    assert listed[0] == "h1"
    assert len(listed) == 1 + MOST_AHEAD
    assert [hit["hearing"] for hit in await archive.hits("inspector")][:2] == ["h1", "h1"]


async def split_line(archive: Archive) -> None:
    """A line of a second, a part that is sealed within it, and a split that puts the words before the part."""
    first, line, act = opening(archive.number()), said(archive.number(), "隐私的话说在这里"), archive.number()
    cut = ROOM_NS + 200 * NS_PER_MS
    rest = {"id": "s1", "after": "u2", "seat": "judge", "role": "审判长", "start_ns": cut, "end_ns": cut + NS_PER_MS}
    changes = [
        {"line": "u2", "base": 2, "set": {"text": "隐私的话", "end_ns": cut}},
        {"new": {**rest, "text": "说在这里", "voice": "", "source": "split"}},
    ]
    body = {
        "id": "r",
        "act": "split",
        "by": "clerk",
        "tab": "",
        "name": "",
        "reason": "",
        "undoes": "",
        "changes": changes,
    }
    story = (first, line, event(act, "revision", body, at_ms=5000))
    batch = [read_event("court1/c03", json.dumps(one).encode()) for one in story]
    await archive.record.store_events(batch)
    part = SealedPart("p", ROOM_NS + 600 * NS_PER_MS, ROOM_NS + 2000 * NS_PER_MS, "restricted")
    row = {"utc_ns": 1, "what": "sealed-part", "role": "archivist", "address": "", "detail": "{}", "granted": True}
    await archive.record.set_part(row, "h1", part, "restricted")


async def test_words_that_were_split_off_a_sealed_part_are_found_by_nobody_who_may_not_see_it(archive: Archive) -> None:
    await split_line(archive)
    for words in ("隐私的话", "隐私", "说在这里", "说在"):
        assert await archive.hits("inspector", words) == [], words
        assert len(await archive.hits("archivist", words)) == 1, words


async def test_lines_of_before_are_found_by_who_may_see_all_until_it_is_known_when_they_were_said(
    archive: Archive,
) -> None:
    await split_line(archive)
    await archive.hold("h2", 3, day=1)
    u = t.utterances.c
    forget = update(t.utterances).values(said_from_ns=None, said_to_ns=None)
    await archive.database.write(lambda connection: connection.execute(forget.where(u.hearing == "h1")))
    assert await archive.hits("inspector", "隐私") == []
    assert len(await archive.hits("archivist", "隐私")) == 1
    assert len(await archive.hits("inspector")) == 3, "another hearing is found as ever"
    await archive.record.write_times()
    known = select(u.id, u.said_from_ns, u.said_to_ns).where(u.hearing == "h1").order_by(u.id)
    rows = await archive.database.read(lambda connection: [tuple(row) for row in connection.execute(known)])
    assert rows == [(name, ROOM_NS, ROOM_NS + 1000 * NS_PER_MS) for name in ("s1", "u2")]
    assert await archive.hits("inspector", "隐私") == []


@pytest.mark.parametrize(
    "case",
    [None, {}, [], "public", {"public": "true"}, {"public": "false"}, {"public": 0}, {"public": 1}, {"public": None}],
)
def test_what_nobody_has_called_public_is_not(case: object) -> None:
    assert not is_public(case)
    assert is_public({"public": True})


def test_the_condition_is_the_same_for_both_databases() -> None:
    query = select(t.hearings.c.id).where(Sight(frozenset({"open"}), frozenset({"h9"})).of_hearings())
    text = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]
    assert "hearings.public IS true" in text
    assert "IN ('open')" in text
    assert "NOT IN ('h9')" in text


async def test_an_event_is_of_no_use_for_raising_what_it_says(archive: Archive) -> None:
    """A second opening, as a room may say it again, changes no level."""
    await archive.hold("h1", 2, day=0, public=False)
    again = opening(archive.number(), hearing="h1")
    await archive.record.store_events([read_event("court1/c03", json.dumps(again).encode())])
    await archive.record.store_events(
        [read_event("court1/c03", json.dumps(event(archive.number(), "close", {})).encode())]
    )
    assert await archive.hits("inspector") == []


def test_the_condition_of_parts_is_the_same_for_both_databases() -> None:
    u = t.utterances.c
    query = select(u.id).where(Sight(frozenset({"open"})).of_moments(u.hearing, u.start_ns, u.end_ns))
    text = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]
    assert "FROM sealed_parts" in text
    assert "sealed_parts.hearing = utterances.hearing" in text
    assert "FROM utterances" in text
    assert text.count("FROM utterances") == 1, "the line that is asked for, and no other"
