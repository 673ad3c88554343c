"""`wutong bench archive`: a small archive on both databases, asked every kind of question, and added to."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Connection, func, insert, select, text

from server.store import tables as t
from server.store.database import open_database
from sync.errors import ConfigError
from wutong.bench.archive import filled_archive
from wutong.bench.archive.filled_archive import fill
from wutong.bench.archive.made_hearings import LINES, MadeHearings
from wutong.bench.archive.measure import ArchivePlan, measure
from wutong.bench.archive.questions import questions

pytestmark = [pytest.mark.process, pytest.mark.slow]

QUIET = Console(quiet=True)


async def test_every_kind_of_question_is_asked_and_what_is_missed_is_named(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled_archive, "SOON", 50)
    figures = await measure(tmp_path, ArchivePlan(300, database_url, 2), QUIET)
    assert (figures["added"], figures["lines"]) == (300, 300 * LINES)
    assert set(figures["kinds"]) == set(questions(MadeHearings(), 300, 2))
    for kind, one in figures["kinds"].items():
        assert 0 < one["p50_ms"] <= one["p95_ms"] <= one["max_ms"], kind
    assert set(figures["missed"]) == {kind for kind, one in figures["kinds"].items() if one["p95_ms"] > 300}
    found = {kind: one["rows"] for kind, one in figures["kinds"].items()}
    assert found["list, first page"] == 50
    assert found["list, a case number"] >= 1
    assert found["words, 6 characters"] >= 1
    assert found["list, restricted"] > 0
    assert found["words, nothing to find"] == found["list, nothing to find"] == 0
    again = await measure(tmp_path, ArchivePlan(320, database_url, 2), QUIET)
    assert again["added"] == 20, "what is there is not made again"


def test_a_run_that_was_cut_goes_on_and_has_each_row_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled_archive, "PIECE", 40)
    monkeypatch.setattr(filled_archive, "SOON", 50)
    database = open_database(database_url)
    stored = filled_archive._tables
    turns = iter(range(100))

    def cut(rows: object) -> object:
        if next(turns) == 3:
            raise KeyboardInterrupt
        return stored(rows)  # type: ignore[arg-type]

    def seen(connection: Connection) -> list[int]:
        tables = (t.hearings, t.utterances, t.levels, t.sealed_parts)
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]

    try:
        monkeypatch.setattr(filled_archive, "_tables", cut)
        with pytest.raises(KeyboardInterrupt):
            fill(database, 200, QUIET)
        assert database.read_now(seen)[0] == 120
        monkeypatch.setattr(filled_archive, "_tables", stored)
        assert fill(database, 200, QUIET) == 80
        assert fill(database, 200, QUIET) == 0
        rows = next(MadeHearings().pieces(0, 200, 200))
        wanted = [len(one) for one in (rows.hearings, rows.utterances, rows.levels, rows.sealed_parts)]
        assert database.read_now(seen) == wanted
        if database.dialect == "postgresql":
            names = text("SELECT count(*) FROM pg_indexes WHERE indexname IN ('utterances_grams', 'hearings_grams')")
            assert database.read_now(lambda connection: connection.execute(names).scalar_one()) == 2
    finally:
        database.close()


def test_nothing_is_added_to_a_store_that_is_somebody_s(database_url: str) -> None:
    database = open_database(database_url)
    try:
        row = {**next(MadeHearings().pieces(0, 1, 1)).hearings[0], "id": "a-real-one"}
        with database.engine.begin() as connection:
            connection.execute(insert(t.hearings), [row])
        with pytest.raises(ConfigError):
            fill(database, 10, QUIET)
    finally:
        database.close()


def test_two_runs_have_the_same_archive() -> None:
    one, two = (next(MadeHearings().pieces(70, 90, 20)) for _ in range(2))
    assert one == two
    later = list(MadeHearings().pieces(60, 90, 7))
    assert [row for rows in later for row in rows.hearings][10:] == one.hearings
