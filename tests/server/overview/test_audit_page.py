"""What an auditor gets of the audit log, on each database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from server.overview import audit_page as pages
from server.overview import audit_span
from server.overview.audit_page import AuditFilter, AuditListed, audit_page
from server.overview.audit_span import row_at
from server.store.archive.filters import day_utc_ns
from server.store.audit_rows import append_rows
from sync.errors import WutongError
from tests.support.peers.people_store import PeopleAt, people_at

HOUR_NS = 3_600 * 10**9
DAY = day_utc_ns("2026-11-20")


def line(hours: float, what: str, person: str = "", detail: str = "", role: str = "judge") -> dict[str, Any]:
    row = {"utc_ns": DAY + int(hours * HOUR_NS), "what": what, "role": role, "address": "10.0.0.1", "detail": detail}
    return {**row, "granted": what != "refused", "person": person}


async def asked(
    here: PeopleAt, offset: int = 0, most: int = 50, *, oldest_first: bool = False, **more: Any
) -> AuditListed:
    wanted = AuditFilter(**{"courts": None, **more})
    return await here.database.read(lambda c: audit_page(c, wanted, offset, most, oldest_first=oldest_first))


def details(page: AuditListed) -> list[str]:
    return [row["detail"] for row in page["rows"]]


async def test_a_line_names_its_person_and_is_found_by_who_what_when_and_words(
    database_url: str, tmp_path: Path
) -> None:
    async with people_at(database_url, tmp_path) as here:
        await here.court("p")
        await here.court("a", "p")
        mine, other = await here.person("张伟", "judge@a"), await here.person("李娜", "inspector@p")
        lines = [
            line(1, "sign-in", mine.id, "one"),
            line(2, "view", other.id, '{"hearing": "h_1"}', "inspector"),
            line(3, "refused", "", "code", ""),
            line(30, "view", mine.id, '{"hearing": "h21"}'),
        ]
        await here.database.write(lambda c: append_rows(c, lines))
        everything = await asked(here, from_day="2026-11-20", to_day="2026-11-21")
        assert details(everything) == ['{"hearing": "h21"}', "code", '{"hearing": "h_1"}', "one"]
        assert (everything["total"], everything["at_least"], everything["looked_to_utc_ms"]) == (4, False, None)
        newest = everything["rows"][0]
        assert (newest["person"], newest["name"], newest["login"]) == (mine.id, "张伟", "login-张伟")
        assert everything["rows"][1]["name"] == ""
        for narrowed, found in (
            ({"person": mine.id, "to_day": "2026-11-22"}, ['{"hearing": "h21"}', "one"]),
            ({"what": "view"}, ['{"hearing": "h21"}', '{"hearing": "h_1"}']),
            ({"role": "inspector"}, ['{"hearing": "h_1"}']),
            ({"granted": False}, ["code"]),
            ({"words": "张伟", "to_day": "2026-11-22"}, ['{"hearing": "h21"}', "one"]),
            ({"words": "h_1"}, ['{"hearing": "h_1"}']),
            ({"words": "李娜 h21"}, []),
            ({"from_day": "2026-11-21", "to_day": "2026-11-21"}, ['{"hearing": "h21"}']),
            ({"to_day": "2026-11-20", "what": "sign-in"}, ["one"]),
        ):
            assert details(await asked(here, **narrowed)) == found, narrowed
        paged = await asked(here, 1, 2, to_day="2026-11-20", from_day="2026-11-20", oldest_first=True)
        assert details(paged) == ['{"hearing": "h_1"}', "code"]
        with pytest.raises(WutongError):
            await asked(here, from_day="yesterday")


async def test_who_audits_some_courts_reads_what_their_people_did_and_nothing_of_others(
    database_url: str, tmp_path: Path
) -> None:
    async with people_at(database_url, tmp_path) as here:
        await here.court("p")
        await here.court("a", "p")
        mine, other = await here.person("张伟", "judge@a"), await here.person("李娜", "inspector@p")
        lines = [line(1, "view", mine.id, "theirs"), line(2, "view", other.id, "above"), line(3, "refused", "", "code")]
        await here.database.write(lambda c: append_rows(c, lines))
        page = await asked(here, courts=frozenset({"a"}), from_day="2026-11-20", to_day="2026-11-20")
        assert (details(page), page["total"]) == (["theirs"], 1)
        assert details(await asked(here, courts=frozenset({"a"}), person=other.id)) == []


async def test_what_no_index_answers_is_looked_for_so_far_and_the_page_says_how_far(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_LOOKED_AT", 30)
    monkeypatch.setattr(pages, "MOST_COUNTED", 40)
    monkeypatch.setattr(audit_span, "AROUND", 0)
    async with people_at(database_url, tmp_path) as here:
        await here.court("p")
        mine = await here.person("张伟", "judge@p")
        lines = [line(n, "view", mine.id if n < 5 else "", f"line {n}") for n in range(100)]
        await here.database.write(lambda c: append_rows(c, lines))
        page = await asked(here, words="line", to_day="2026-12-31")
        assert (page["total"], details(page)[-1]) == (30, "line 70")
        assert page["looked_to_utc_ms"] == lines[70]["utc_ns"] / 1e6
        earlier = await asked(here, words="line", to_day="2026-11-21")
        assert details(earlier)[0] == "line 47"
        assert details(await asked(here, person=mine.id, words="line")) == [f"line {n}" for n in (4, 3, 2, 1, 0)]
        everything = await asked(here)
        assert (everything["total"], everything["at_least"]) == (40, True)


async def test_the_row_of_a_moment_is_found_where_rows_were_written_and_some_are_gone(
    database_url: str, tmp_path: Path
) -> None:
    async with people_at(database_url, tmp_path) as here:
        await here.database.write(lambda c: append_rows(c, [line(n, "view", "", str(n)) for n in range(17)]))
        first = (await asked(here, to_day="2026-11-21", from_day="2026-11-20", oldest_first=True))["rows"][0]["row"]

        def places(connection: Connection) -> list[int]:
            return [row_at(connection, DAY + n * HOUR_NS) - first for n in (-1, 0, 3, 16, 17)]

        found = await here.database.read(places)
        assert found[1:] == [0, 3, 16, 17]
        assert found[0] <= 0
