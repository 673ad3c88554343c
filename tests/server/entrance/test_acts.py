"""A lost factor and leaving the court need two administrators, and never the person themself."""

from __future__ import annotations

from tests.support.peers.entrance_here import PASSWORD, EntranceHere, an_administrator, somebody


async def test_a_lost_factor_is_reset_by_two_and_the_person_comes_anew(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    top = here.people.known.tree.tops[0].slug
    await here.court("city")
    _, second = await somebody(here, admin, "second", f"administrator@{top}")
    person, browser = await somebody(here, admin, "wangfang", "inspector@city")
    asked = await admin.post("/api/admin/acts", kind="reset-factor", person=person.id, why="手机丢失")
    assert (asked["state"], asked["mine"], asked["by_name"]) == ("waiting", True, "admin")
    assert (await admin.post("/api/admin/acts", kind="reset-factor", person=person.id, why="x"))[
        "code"
    ] == "asked-already"
    assert (await admin.post(f"/api/admin/acts/{asked['id']}/confirm"))["code"] == "same-person"
    done = await second.post(f"/api/admin/acts/{asked['id']}/confirm")
    assert (done["state"], done["confirmed_by_name"]) == ("done", "second")
    assert (await browser.get("/api/session"))["code"] == "signed-out"
    assert (await here.browser().post("/api/sign-in", login="wangfang", password=PASSWORD))["code"] == "password"
    assert (await here.browser().signs_up("wangfang", done["code"], "another good password"))["step"] == "done"
    assert (await second.post(f"/api/admin/acts/{asked['id']}/confirm"))["code"] == "not-waiting"
    assert [act["state"] for act in (await second.get("/api/admin/acts"))["rows"]] == ["done"]


async def test_the_only_administrator_is_told_the_way_out(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    person, _ = await somebody(here, admin, "wangfang", "inspector@city")
    refused = await admin.post("/api/admin/acts", kind="reset-factor", person=person.id, why="手机丢失")
    assert refused["code"] == "only-administrator"
    assert "wutong center administrator-code" in refused["message"]


async def test_nobody_acts_about_themself_or_beyond_their_reach(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    top = here.people.known.tree.tops[0].slug
    await here.court("city")
    await here.court("town")
    second, _ = await somebody(here, admin, "second", f"administrator@{top}")
    _, low = await somebody(here, admin, "low", "administrator@town")
    person, _ = await somebody(here, admin, "wangfang", "inspector@city")
    me = await here.people.store.by_login("admin")
    assert me is not None
    said = {"kind": "leave-court", "why": "调离"}
    assert (await admin.post("/api/admin/acts", person=me.id, **said))["code"] == "self"
    assert (await low.post("/api/admin/acts", person=person.id, **said))["code"] == "not-found"
    assert (await low.get(f"/api/admin/people/{person.id}/sessions"))["code"] == "not-found"
    asked = await admin.post("/api/admin/acts", person=person.id, **said)
    assert (await low.post(f"/api/admin/acts/{asked['id']}/confirm"))["code"] == "not-found"
    assert (await low.get("/api/admin/acts"))["rows"] == []
    about_second = await admin.post("/api/admin/acts", person=second.id, **said)
    assert about_second["code"] == "only-administrator"


async def test_who_has_left_by_two_comes_in_no_more(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    top = here.people.known.tree.tops[0].slug
    await here.court("city")
    _, second = await somebody(here, admin, "second", f"administrator@{top}")
    person, browser = await somebody(here, admin, "wangfang", "inspector@city")
    asked = await admin.post("/api/admin/acts", kind="leave-court", person=person.id, why="调离")
    taken_back = await admin.post(f"/api/admin/acts/{asked['id']}/refuse")
    assert taken_back["state"] == "refused"
    asked = await admin.post("/api/admin/acts", kind="leave-court", person=person.id, why="调离")
    assert "code" not in await second.post(f"/api/admin/acts/{asked['id']}/confirm")
    assert (await browser.get("/api/session"))["code"] == "signed-out"
    assert (await here.browser().post("/api/sign-in", login="wangfang", password=PASSWORD))["code"] == "password"


async def test_an_act_that_waited_too_long_is_over(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    top = here.people.known.tree.tops[0].slug
    await here.court("city")
    _, second = await somebody(here, admin, "second", f"administrator@{top}")
    person, _ = await somebody(here, admin, "wangfang", "inspector@city")
    asked = await admin.post("/api/admin/acts", kind="reset-factor", person=person.id, why="手机丢失")
    here.now_s += 3 * 24 * 3600 + 1
    assert (await second.post(f"/api/admin/acts/{asked['id']}/confirm"))["code"] == "not-waiting"
    assert [act["state"] for act in (await second.get("/api/admin/acts"))["rows"]] == ["expired"]


async def test_an_administrator_ends_somebody_s_sessions(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    person, browser = await somebody(here, admin, "wangfang", "inspector@city")
    listed = (await admin.get(f"/api/admin/people/{person.id}/sessions"))["sessions"]
    assert [(one["role"], one["court_name"]) for one in listed] == [("inspector", "city法院")]
    ended = await admin.ask("DELETE", f"/api/admin/people/{person.id}/sessions/{listed[0]['id']}")
    assert ended == (200, {"ended": 1})
    assert (await browser.get("/api/session"))["code"] == "signed-out"
    assert (await browser.ask("GET", "/api/admin/acts"))[0] == 401
