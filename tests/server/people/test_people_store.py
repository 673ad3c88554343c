"""Persons, courts and posts: what is kept, what is refused, and that two processes know the same."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from server.people.acting import CENTER, ActingPerson
from server.people.court_tree import Court
from server.people.faults import FaultyFormError
from server.people.first_administrator import FirstCode
from server.people.person import PersonForm, Post, login_of
from server.store import tables as t
from sync.errors import AccessError, HearingError, WutongError
from sync.http.rights.people import Session
from tests.support.peers.people_store import people_at
from tests.support.peers.postgres_server import PostgresServer, migrated_database


def _session(person: str, role: str, court: str) -> Session:
    return Session(role, "", 0.0, 0.0, person=person, court=court)


async def test_a_post_reaches_its_court_and_those_below_and_a_tree_has_no_circles(
    database_url: str, tmp_path: Path
) -> None:
    async with people_at(database_url, tmp_path) as here:
        for slug, parent in [("p", None), ("c", "p"), ("d", "c"), ("e", "p")]:
            await here.court(slug, parent)
        judge = await here.person("甲", "inspector@c")
        assert here.known.reach(_session(judge.id, "inspector", "c")) == frozenset({"c", "d"})
        assert here.known.reach(_session(judge.id, "inspector", "p")) == frozenset()
        with pytest.raises(FaultyFormError) as refused:
            await here.courts.change("c", CENTER, name=None, level=None, parent="d")
        assert [fault.field for fault in refused.value.faults] == ["parent"]
        above = "d"
        for depth in range(3):
            above = (await here.court(f"x{depth}", above)).slug
        with pytest.raises(FaultyFormError):
            await here.court("too-deep", above)
        with pytest.raises(HearingError, match="下级法院"):
            await here.courts.remove("c", CENTER)
        await here.person("乙", "clerk@e")
        with pytest.raises(HearingError, match="人员"):
            await here.courts.remove("e", CENTER)
        await here.courts.change("d", CENTER, name="丁", level="district", parent="e")
        assert here.known.reach(_session(judge.id, "inspector", "c")) == frozenset({"c"})


async def test_no_one_holds_two_powers_and_nobody_gives_what_is_not_theirs(database_url: str, tmp_path: Path) -> None:
    async with people_at(database_url, tmp_path) as here:
        await here.court("p")
        await here.court("a", "p")
        await here.court("b", "p")
        for posts in (("clerk@a", "auditor@a"), ("administrator@a", "leader@a"), ("administrator@a", "auditor@b")):
            with pytest.raises(FaultyFormError):
                await here.person("甲", *posts)
        admin = await here.person("乙", "administrator@a")
        by = ActingPerson(admin.id, "administrator", "10.0.0.1", "a")
        form = PersonForm("bing", "丙", "a", (Post("clerk", "a"), Post("clerk", "b")))
        with pytest.raises(FaultyFormError) as refused:
            await here.store.add(form, by)
        assert [fault.field for fault in refused.value.faults] == ["posts.1.court"]
        other = await here.person("丁", "clerk@b")
        with pytest.raises(WutongError) as unknown:
            await here.store.lock(other.id, by)
        assert unknown.value.code == "not-found"
        mine = await here.store.add(replace(form, posts=(Post("clerk", "a"),)), by)
        with pytest.raises(FaultyFormError) as twice:
            await here.store.add(replace(form, posts=(Post("judge", "a"),)), by)
        assert [fault.field for fault in twice.value.faults] == ["login"]
        row = await here.database.read(
            lambda c: c.execute(select(t.audit).where(t.audit.c.what == "person-added").order_by(t.audit.c.row)).all()
        )
        assert (row[-1].person, json.loads(row[-1].detail)["of"]) == (admin.id, mine.id)


async def test_the_last_administrator_stays_and_who_has_left_does_not_come_back(
    database_url: str, tmp_path: Path
) -> None:
    async with people_at(database_url, tmp_path) as here:
        await here.court("a")
        await here.court("b")
        code = here.first.code.keep(wanted=not await here.first.is_known())
        here.first.code.check(code.lower())
        with pytest.raises(AccessError):
            here.first.code.check("ABCD-EFGH-JK")
        first = await here.first.make(PersonForm("root", "首任", "", ()), "10.0.0.1")
        (top,) = here.known.tree.tops
        assert here.known.reach(_session(first.id, "administrator", top.slug)) == frozenset({top.slug, "a", "b"})
        with pytest.raises(AccessError):
            await here.first.make(PersonForm("root2", "第二", "", ()), "10.0.0.1")
        assert here.first.code.keep(wanted=not await here.first.is_known()) == ""
        assert "administrator" not in FirstCode(tmp_path)._plain()
        by = ActingPerson(first.id, "administrator", "10.0.0.1", top.slug)
        for act in (
            here.store.lock(first.id, by),
            here.store.leave(first.id, by),
            here.store.change(first.id, by, posts=(Post("administrator", "a"),)),
        ):
            with pytest.raises(HearingError) as refused:
                await act
            assert refused.value.code == "last-administrator"
        second = await here.person("继任", f"administrator@{top.slug}")
        left = await here.store.leave(first.id, by)
        assert (left.state, here.known.stands(_session(first.id, "administrator", top.slug))) == ("left", False)
        with pytest.raises(HearingError):
            await here.store.unlock(first.id, CENTER)
        assert (await here.store.by_login("root")) == left
        with pytest.raises(HearingError):
            await here.store.lock(second.id, CENTER)


async def test_two_of_one_name_in_a_court_sit_in_nothing_until_one_is_gone(database_url: str, tmp_path: Path) -> None:
    async with people_at(database_url, tmp_path) as here:
        await here.court("a")
        await here.court("b")
        one = await here.person("张 伟", "judge@a")
        sits = _session(one.id, "judge", "a")
        assert here.known.sits_as(sits) == "张伟"
        other = await here.store.add(PersonForm("zw2", "张伟", "a", (Post("clerk", "a"),)), CENTER)
        assert (here.known.sits_as(sits), here.known.shares_name(one)) == ("", True)
        await here.store.add(PersonForm("zw3", "张伟", "b", (Post("clerk", "b"),)), CENTER)
        told: list[frozenset[str]] = []
        here.known.changed.add(told.append)
        await here.store.leave(other.id, CENTER)
        assert here.known.sits_as(sits) == "张伟"
        assert told == [frozenset({one.id, other.id})]
        assert here.known.sits_as(_session(one.id, "inspector", "a")) is None


async def test_what_one_process_changes_the_other_knows_when_it_is_answered(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = migrated_database(postgres)
    async with people_at(url, tmp_path) as one, people_at(url, tmp_path) as two:
        await one.court("a")
        person = await one.person("甲", "inspector@a")
        session = _session(person.id, "inspector", "a")
        assert two.known.stands(session)
        await one.store.change(person.id, CENTER, posts=(Post("leader", "a"),))
        assert not two.known.stands(session)
        made = await asyncio.gather(
            *(one.store.add(PersonForm("same", "乙", "a", (Post("clerk", "a"),)), CENTER) for one in (one, two)),
            return_exceptions=True,
        )
        assert sorted(type(result).__name__ for result in made) == ["FaultyFormError", "Person"]


def test_a_login_is_one_in_any_width_and_case() -> None:
    assert login_of(" Ｚhang.San@Court ") == "zhang.san@court"


async def test_courts_of_the_configuration_are_known_and_lie_below_the_top_once_it_is_administered(
    database_url: str, tmp_path: Path
) -> None:
    async with people_at(database_url, tmp_path) as here:
        await here.courts.adopt([("a", "甲院"), ("a", "甲院")])
        assert here.known.tree.courts == {"a": Court("a", "甲院", "", None)}
        await here.first.make(PersonForm("root", "首任", "", ()), "")
        await here.courts.adopt([("a", "甲院"), ("b", "")])
        assert here.known.tree.courts["b"] == Court("b", "b", "", "a")
