"""Pages of the archive hold what a plain look at every row finds, each row once, however they come about."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, delete, insert

from server.store import tables as t
from server.store.archive import archive_reader
from server.store.archive.archive_reader import MOST_COUNTED, ArchivePage, ArchiveReader
from server.store.archive.filters import DAY_NS, HearingFilter, WordFilter, day_utc_ns
from server.store.archive.place import ArchivePlace
from server.store.database import Database, open_database
from server.store.folded import folded_case, folded_filter
from server.store.rights.sight import Sight
from sync.runtime.units import NS_PER_S
from sync.text.equal import fold

pytestmark = pytest.mark.process

FIRST_NS = day_utc_ns("2026-03-01")
NOW_NS = FIRST_NS + 100 * DAY_NS
INSPECTOR, ARCHIVIST = Sight(frozenset({"open"})), Sight(frozenset({"open", "restricted"}))
CAUSES = ("民间借贷", "离婚纠纷", "买卖合同")
WORDS = ("借条是真的", "原告陈述请求", "被告答辩", "张三说利息", "李四到庭")


def hearings(count: int, chance: random.Random) -> list[dict[str, Any]]:
    rows = []
    for n in range(count):
        number = f"({chance.choice((2025, 2026))})黑{chance.randrange(1, 9):02}民初{n}号"
        parties = {"原告": chance.choice(("张三", "王小五")), "被告": "李四"}
        case = {"case_no": number, "cause": chance.choice(CAUSES), "title": "", "parties": parties}
        # Some are opened at one moment, and some rooms have a clock that is years ahead.
        opened_ns = FIRST_NS + chance.randrange(40) * 12 * 3600 * NS_PER_S
        ahead = n % 29 == 0
        rows.append(
            {
                "id": f"h{chance.randrange(10**6)}-{n}",
                "room": f"court{chance.randrange(3)}/c0{chance.randrange(3)}",
                "court_name": "法院",
                "room_name": "法庭",
                "case_no": number,
                "case_json": json.dumps(case),
                "tracks_json": "[]",
                "state": chance.choice(("closed", "closed", "open")),
                "state_number": 1,
                "opened_ns": 0,
                "opened_utc_ns": opened_ns + (3000 * DAY_NS if ahead else 0),
                "folded": folded_case(case),
                "public": chance.random() < 0.8,
            }
        )
    return rows


def lines(of: Sequence[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    rows = []
    for hearing in of:
        for n in range(chance.randrange(5)):
            text = chance.choice(WORDS) + chance.choice(("", "，原告", "一万元"))
            start_ns = chance.randrange(3) * NS_PER_S  # some begin at one moment
            said = {"start_ns": start_ns, "end_ns": start_ns + 1, "said_from_ns": start_ns, "said_to_ns": start_ns + 1}
            line = {"hearing": hearing["id"], "id": f"u{n}", "seat": "", "role": chance.choice(("原告", "被告"))}
            rows.append({**line, **said, "text": text, "folded": fold(text)})
    return rows


@dataclasses.dataclass
class Filled:
    """A store with an archive, and the same as lists."""

    database: Database
    hearings: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    levels: dict[str, str]
    clock: Iterator[float] = dataclasses.field(default_factory=lambda: itertools.repeat(0.0))

    @property
    def reader(self) -> ArchiveReader:
        return ArchiveReader(self.database, clock_s=lambda: next(self.clock), utc_ns=lambda: NOW_NS)

    def level(self, row: dict[str, Any], hidden: frozenset[str] = frozenset()) -> str:
        if row["id"] in hidden:
            return "restricted"
        return self.levels.get(row["id"], "open" if row["public"] else "restricted")

    def wanted(self, asked: HearingFilter, sight: Sight) -> list[dict[str, Any]]:
        """Looked for row by row, newest first."""

        def holds(row: dict[str, Any]) -> bool:
            court, _, room = row["room"].partition("/")
            opened = row["opened_utc_ns"]
            keys = folded_filter(asked.case)
            return (
                (not asked.court or court == asked.court.lower())
                and (not asked.room or asked.room in (row["room"], room))
                and (not asked.state or row["state"] == asked.state)
                and (not asked.level or self.level(row, sight.hidden) == asked.level)
                and (not asked.from_date or opened >= day_utc_ns(asked.from_date))
                and (not asked.to_date or opened < day_utc_ns(asked.to_date) + DAY_NS)
                and (not asked.case or (any(k in row["folded"] for k in keys) and self.seen(row, sight)))
            )

        return sorted(filter(holds, self.hearings), key=_order)

    def seen(self, row: dict[str, Any], sight: Sight) -> bool:
        return self.level(row, sight.hidden if "restricted" not in sight.levels else frozenset()) in sight.levels

    def spoken(self, words: str, asked: WordFilter, sight: Sight) -> list[tuple[str, str]]:
        rows = {row["id"]: row for row in self.wanted(asked.hearings, sight) if self.seen(row, sight)}
        terms = [fold(one) for one in words.split()]
        found = [
            line
            for line in self.lines
            if line["hearing"] in rows
            and all(term in line["folded"] for term in terms)
            and (not asked.role or line["role"] == asked.role)
        ]
        found.sort(key=lambda line: (*_order(rows[line["hearing"]]), line["start_ns"], line["id"]))
        return [(line["hearing"], line["id"]) for line in found]


def _order(row: dict[str, Any]) -> tuple[bool, int, str]:
    return row["opened_utc_ns"] > NOW_NS + DAY_NS, -row["opened_utc_ns"], row["id"]


@pytest_asyncio.fixture
async def filled(database_url: str) -> AsyncIterator[Filled]:
    chance = random.Random(7)
    database = open_database(database_url)
    rows = hearings(90, chance)
    said = lines(rows, chance)
    levels = {row["id"]: chance.choice(("open", "restricted", "withdrawn")) for row in rows if chance.random() < 0.2}

    def store(connection: Connection) -> None:
        connection.execute(insert(t.hearings), rows)
        connection.execute(insert(t.utterances), said)
        connection.execute(insert(t.levels), [{"hearing": one, "level": level} for one, level in levels.items()])

    try:
        await database.write(store)
        yield Filled(database, rows, said, levels)
    finally:
        database.close()


@pytest.fixture(params=["by an index", "piece by piece", "in no time"])
def way(request: pytest.FixtureRequest, filled: Filled, monkeypatch: pytest.MonkeyPatch) -> str:
    """How rows are found: all of them are few; none are; none are, and after each piece the time is over."""
    if request.param != "by an index":
        monkeypatch.setattr("server.store.words.word_index.FREQUENT", 0)
        monkeypatch.setattr(archive_reader, "_FIRST_HEARINGS", 17)
        monkeypatch.setattr(archive_reader, "_MOST_HEARINGS", 17)
        monkeypatch.setattr(archive_reader, "_FIRST_SPOKEN", 12)
        monkeypatch.setattr(archive_reader, "_MOST_SPOKEN", 20)
    if request.param == "in no time":
        filled.clock = itertools.count(0.0, 10.0)
    return str(request.param)


async def all_hearings(filled: Filled, asked: HearingFilter, sight: Sight, most: int) -> list[ArchivePage]:
    pages = [await filled.reader.hearings(asked, sight, None, most)]
    while pages[-1].next is not None:
        pages.append(await filled.reader.hearings(asked, sight, _through_text(pages[-1].next), most))
    return pages


async def all_words(filled: Filled, words: str, asked: WordFilter, sight: Sight, most: int) -> list[ArchivePage]:
    pages = [await filled.reader.words(words, asked, sight, None, most)]
    while pages[-1].next is not None:
        pages.append(await filled.reader.words(words, asked, sight, _through_text(pages[-1].next), most))
    return pages


def _through_text(place: ArchivePlace) -> ArchivePlace:
    assert ArchivePlace.read(place.said()) == place
    return ArchivePlace.read(place.said())


def asked_for(chance: random.Random) -> HearingFilter:
    """Some filters together."""
    day = "2026-03-05", "2026-03-12"
    of_all = {
        "court": "Court1",
        "room": chance.choice(("c01", "court2/c00")),
        "case": chance.choice(("民初", "离婚", "2026黑05", "王小五", "张三", "借", "zz")),
        "state": "open",
        "from_date": day[0],
        "to_date": day[1],
        "level": chance.choice(("open", "restricted", "withdrawn")),
    }
    return HearingFilter(**{name: of_all[name] for name in chance.sample(sorted(of_all), chance.randrange(3))})


async def test_lists_with_any_filters_hold_each_row_once_in_their_order(filled: Filled, way: str) -> None:
    chance = random.Random(way)
    for _ in range(8):
        asked, most = asked_for(chance), chance.choice((9, 30, 200))
        sight = chance.choice((INSPECTOR, ARCHIVIST, dataclasses.replace(INSPECTOR, hidden=some(filled, chance))))
        pages = await all_hearings(filled, asked, sight, most)
        wanted = [row["id"] for row in filled.wanted(asked, sight)]
        assert [row["id"] for page in pages for row in page.rows] == wanted, asked
        assert all(len(page.rows) <= most for page in pages)
        assert all(page.count is None for page in pages[1:])
        first = pages[0]
        assert first.count is not None
        assert first.count == len(wanted) if first.counted else first.count <= len(wanted), asked
        if way != "in no time":
            assert first.counted
            assert not any(page.stopped for page in pages)


def some(filled: Filled, chance: random.Random) -> frozenset[str]:
    """Hearings that rooms have just said to be closed, of which nobody has set a level."""
    open_ones = [row["id"] for row in filled.hearings if row["public"] and row["id"] not in filled.levels]
    return frozenset(chance.sample(open_ones, 12))


async def test_words_with_any_filters_are_found_once_each_in_their_order(filled: Filled, way: str) -> None:
    chance = random.Random(way)
    names = {field.name for field in dataclasses.fields(WordFilter)}
    for _ in range(8):
        of_hearings = dataclasses.asdict(asked_for(chance))
        asked = WordFilter(**{name: value for name, value in of_hearings.items() if name in names})
        asked = dataclasses.replace(asked, role=chance.choice(("", "", "原告")))
        words = chance.choice(("借条", "原告", "张三", "利息 张三", "借", "一万元", "绝无此词", "被告答辩 原告"))
        sight, most = chance.choice((INSPECTOR, ARCHIVIST)), chance.choice((9, 30, 200))
        pages = await all_words(filled, words, asked, sight, most)
        found = [(hit["hearing"], hit["utterance"]) for page in pages for hit in page.rows]
        assert found == filled.spoken(words, asked, sight), (words, asked)
        assert all(len(page.rows) <= most for page in pages)


async def test_without_an_index_the_same_is_found(filled: Filled) -> None:
    filled.database.full_text = False
    for case in ("2026黑05", "王小五", "民初"):
        pages = await all_hearings(filled, HearingFilter(case=case), INSPECTOR, 50)
        wanted = filled.wanted(HearingFilter(case=case), INSPECTOR)
        assert [row["id"] for page in pages for row in page.rows] == [row["id"] for row in wanted]


async def test_a_page_that_ran_out_of_time_says_how_far_it_came_and_the_next_goes_on(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store.words.word_index.FREQUENT", 0)
    monkeypatch.setattr(archive_reader, "_FIRST_SPOKEN", 10)
    monkeypatch.setattr(archive_reader, "_MOST_SPOKEN", 10)
    filled.clock = itertools.count(0.0, 10.0)
    pages = await all_words(filled, "绝无此词", WordFilter(), ARCHIVIST, 50)
    assert len(pages) > 7
    assert all(page.rows == [] for page in pages)
    assert all(page.stopped for page in pages[:-1])
    looked_to = [page.next.opened_ms for page in pages[:-1] if page.next is not None]
    timely = [one for one in looked_to if one is not None and one * 1e6 <= NOW_NS + DAY_NS]
    assert timely == sorted(timely, reverse=True)


async def test_to_the_end_is_to_the_end_however_long(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.store.words.word_index.FREQUENT", 0)
    filled.clock = itertools.count(0.0, 10.0)
    page = await filled.reader.words("原告", WordFilter(), ARCHIVIST, most=200, to_the_end=True)
    wanted = filled.spoken("原告", WordFilter(), ARCHIVIST)
    assert [(hit["hearing"], hit["utterance"]) for hit in page.rows] == wanted[:200]
    assert not page.stopped


async def test_what_is_opened_while_somebody_turns_pages_moves_nothing(filled: Filled) -> None:
    wanted = [row["id"] for row in filled.wanted(HearingFilter(), ARCHIVIST)]
    seen: list[str] = []
    after: ArchivePlace | None = None
    for turn in itertools.count():
        page = await filled.reader.hearings(HearingFilter(), ARCHIVIST, after, 40)
        seen += [row["id"] for row in page.rows]
        after = page.next
        if after is None:
            break
        newer = {**filled.hearings[1], "id": f"newer{turn}", "opened_utc_ns": NOW_NS + turn}
        await filled.database.write(lambda connection, row=newer: connection.execute(insert(t.hearings), [row]))  # type: ignore[misc]
    assert seen == wanted


async def test_no_more_are_counted_than_anybody_reads(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_COUNTED == 10_000
    monkeypatch.setattr(archive_reader, "MOST_COUNTED", 20)
    for asked in (HearingFilter(), HearingFilter(case="民初"), HearingFilter(court="court1")):
        page = await filled.reader.hearings(asked, ARCHIVIST, None, 5)
        assert (page.count, page.counted) == (21, True)
    monkeypatch.setattr("server.store.words.word_index.FREQUENT", 0)
    page = await filled.reader.hearings(HearingFilter(case="民初"), ARCHIVIST, None, 5)
    assert (page.count, page.counted) == (21, True)


async def test_who_looks_for_a_case_is_told_nothing_of_what_is_beyond_sight(filled: Filled) -> None:
    """Neither its rows nor its number: with and without those beyond sight every page is the same."""
    asked = HearingFilter(case="民初")
    before = await all_hearings(filled, asked, INSPECTOR, 30)
    beyond = [row["id"] for row in filled.hearings if not filled.seen(row, INSPECTOR)]
    assert len(beyond) > 8

    def forget(connection: Connection) -> None:
        connection.execute(delete(t.utterances).where(t.utterances.c.hearing.in_(beyond)))
        connection.execute(delete(t.hearings).where(t.hearings.c.id.in_(beyond)))

    await filled.database.write(forget)
    assert await all_hearings(filled, asked, INSPECTOR, 30) == before


async def test_questions_that_nobody_honest_asks_are_answered(filled: Filled) -> None:
    for odd in ("\0", "%", "_", '"', "''; --", "\\", "🂡" * 50, "AND OR NOT", "*", "a" * 200):
        for page in (
            await filled.reader.hearings(HearingFilter(case=odd, court=odd, room=odd, state=odd), INSPECTOR),
            await filled.reader.words(odd, WordFilter(case=odd, role=odd, court=odd), INSPECTOR),
            await filled.reader.hearings(HearingFilter(case=odd), INSPECTOR),
            await filled.reader.words(odd, WordFilter(), INSPECTOR),
        ):
            assert page.rows == []
            assert page.next is None
