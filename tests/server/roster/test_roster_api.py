"""Courts and people at the administrators' routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.files.migrated import new_store
from tests.support.peers.roster_here import RosterHere, SignedIn, roster_here


def sqlite(folder: Path) -> str:
    return f"sqlite:///{new_store(folder / 'center.db')}"


async def opened(here: RosterHere) -> SignedIn:
    """A small tree, and an administrator of its middle."""
    for slug, parent in (("p", None), ("c", "p"), ("d", "c"), ("e", "p")):
        await here.court(slug, parent)
    await here.person("chief", "administrator@p")
    return await here.signed_in(await here.person("mid", "administrator@c"))


async def test_people_are_searched_sorted_and_paged_within_the_reach(tmp_path: Path) -> None:
    async with roster_here(tmp_path, sqlite(tmp_path)) as here:
        admin = await opened(here)
        for number in range(12):
            await here.person(f"clerk{number:02d}", "clerk@d", name="张伟" if number == 3 else f"李{number:02d}")
        await here.person("outside", "clerk@e", name="李外")
        judge = await here.person("judge", "judge@c", "presiding@c", name="王法官")
        status, first = await admin.ask("GET", "/api/admin/people?sort=login&limit=5")
        assert (status, first["total"]) == (200, 14)
        assert [row["login"] for row in first["rows"]] == [f"clerk{number:02d}" for number in range(5)]
        for query, found in (
            ("q=李&sort=login&offset=9", ["clerk10", "clerk11"]),
            ("q=CLERK1&sort=-login", ["clerk11", "clerk10"]),
            ("q=张 伟", ["clerk03"]),
            ("q=外", []),
            ("q=%25", []),
            ("role=presiding", ["judge"]),
            ("court=c&role=judge", ["judge"]),
            ("court=d&q=王", []),
            ("court=e", []),
            ("court=p&q=mid", ["mid"]),
            ("state=locked", []),
        ):
            assert [row["login"] for row in await admin.rows(f"/api/admin/people?{query}")] == found, query
        one = (await admin.ask("GET", f"/api/admin/people/{judge.id}"))[1]
        assert one["posts"] == [{"role": "judge", "court": "c"}, {"role": "presiding", "court": "c"}]
        assert (one["court_name"], one["state"], one["seen_utc_ms"], one["shares_name"]) == (
            "c法院",
            "active",
            None,
            False,
        )
        assert (await admin.ask("GET", "/api/admin/people?limit=201"))[0] == 422
        assert (await admin.ask("GET", "/api/admin/people?sort=folded"))[0] == 422


async def test_a_form_with_faults_keeps_nothing_and_names_each_field(tmp_path: Path) -> None:
    async with roster_here(tmp_path, sqlite(tmp_path)) as here:
        admin = await opened(here)
        form = {"login": "x", "name": "", "court": "e", "posts": [{"role": "judge", "court": "d"}]}
        status, refused = await admin.ask("POST", "/api/admin/people", form)
        assert (status, refused["code"]) == (422, "invalid")
        assert {fault["field"] for fault in refused["faults"]} == {"login", "name", "court"}
        assert await admin.rows("/api/admin/people?q=judge") == []
        mixed = [
            {"role": "judge", "court": "d"},
            {"role": "auditor", "court": "d"},
            {"role": "judge", "court": "nowhere"},
        ]
        form = {"login": "wang", "name": "王", "court": "d", "posts": mixed}
        _, refused = await admin.ask("POST", "/api/admin/people", form)
        assert {fault["field"] for fault in refused["faults"]} == {"posts", "posts.2.court"}
        status, made = await admin.ask("POST", "/api/admin/people", {**form, "posts": mixed[:1]})
        assert (status, made["login"]) == (200, "wang")
        _, refused = await admin.ask("POST", "/api/admin/people", {**form, "posts": mixed[:1]})
        assert [fault["field"] for fault in refused["faults"]] == ["login"]
        assert (await admin.ask("POST", "/api/admin/people", {**form, "more": 1}))[0] == 422


async def test_somebody_is_changed_locked_and_unlocked_and_nobody_locks_themself(tmp_path: Path) -> None:
    async with roster_here(tmp_path, sqlite(tmp_path)) as here:
        admin = await opened(here)
        judge = await here.person("judge", "judge@d", name="王法官")
        path = f"/api/admin/people/{judge.id}"
        assert (await admin.ask("PATCH", path, {"name": "王大法官"}))[1]["name"] == "王大法官"
        posts = [{"role": "inspector", "court": "c"}]
        assert (await admin.ask("PATCH", path, {"posts": posts}))[1]["posts"] == posts
        changed = here.people.known.person(judge.id)
        assert changed is not None
        theirs = await here.signed_in(changed)
        assert (await admin.ask("POST", f"{path}/lock"))[1]["state"] == "locked"
        assert (await theirs.ask("GET", "/api/session"))[0] == 401
        assert (await admin.ask("POST", f"{path}/unlock"))[1]["state"] == "active"
        mine = (await admin.rows("/api/admin/people?q=mid"))[0]["id"]
        assert (await admin.ask("POST", f"/api/admin/people/{mine}/lock"))[0] == 403
        other = await here.person("outside", "clerk@e")
        for method, tail, body in (("GET", "", None), ("PATCH", "", {"name": "x"}), ("POST", "/lock", None)):
            assert (await admin.ask(method, f"/api/admin/people/{other.id}{tail}", body))[0] == 404


async def test_courts_are_a_tree_below_the_administrator_s_own(tmp_path: Path) -> None:
    async with roster_here(tmp_path, sqlite(tmp_path)) as here:
        admin = await opened(here)
        rows = await admin.rows("/api/admin/courts")
        assert [(row["slug"], row["depth"], row["people"]) for row in rows] == [("c", 0, 1), ("d", 1, 0)]
        assert [row["slug"] for row in await admin.rows("/api/admin/courts?q=D法院")] == ["d"]
        new = {"slug": "f", "name": "新法院", "level": "district", "parent": "d"}
        assert (await admin.ask("POST", "/api/admin/courts", new))[1] == {**new, "depth": 2, "people": 0}
        _, refused = await admin.ask("POST", "/api/admin/courts", {**new, "slug": "g", "parent": "e"})
        assert [fault["field"] for fault in refused["faults"]] == ["parent"]
        moved = {"name": "改名", "level": None, "parent": "c"}
        assert (await admin.ask("PATCH", "/api/admin/courts/f", moved))[1]["parent"] == "c"
        assert (await admin.ask("PATCH", "/api/admin/courts/e", {"name": "x"}))[0] == 404
        await here.person("clerk", "clerk@f")
        status, refused = await admin.ask("DELETE", "/api/admin/courts/f")
        assert (status, refused["code"]) == (409, "in-use")
        assert (await admin.ask("DELETE", "/api/admin/courts/d"))[0] == 200
        assert [row["slug"] for row in await admin.rows("/api/admin/courts?sort=slug")] == ["c", "f"]


@pytest.mark.parametrize("role", ["judge", "leader", "auditor"])
async def test_who_does_not_manage_people_gets_none_of_it(tmp_path: Path, role: str) -> None:
    async with roster_here(tmp_path, sqlite(tmp_path)) as here:
        await here.court("p")
        somebody = await here.signed_in(await here.person("somebody", f"{role}@p"))
        for method, path in (
            ("GET", "/api/admin/people"),
            ("POST", "/api/admin/people"),
            ("GET", "/api/admin/courts"),
            ("DELETE", "/api/admin/courts/p"),
            ("GET", "/api/admin/reports?from=2026-11-20&to=2026-11-20"),
        ):
            assert (await somebody.ask(method, path, {} if method == "POST" else None))[0] == 403, path
        assert (await somebody.ask("GET", "/api/admin/audit"))[0] == (200 if role == "auditor" else 403)
