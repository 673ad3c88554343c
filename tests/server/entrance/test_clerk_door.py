"""Who takes a room's panel: the center says it to the room, signed, and to nobody else."""

from __future__ import annotations

import json
from typing import Any

from edge.clerks.known_clerk import SignedNote, read_clerk
from server.entrance.clerk_door import ClerkAnswer
from server.people.acting import CENTER as CENTER_ITSELF
from sync.ledger.keys import CENTER
from sync.ledger.messages.signed_message import check_text
from sync.ledger.note import Verifier
from tests.support.peers.entrance_here import KEY, PASSWORD, ROOM, EntranceHere, an_administrator, somebody

VERIFIERS = [Verifier(CENTER, KEY.public_key())]


async def asked(here: EntranceHere, login: str, totp: str = "", password: str = PASSWORD) -> Any:
    """As the room asks, by what it is known by."""
    room = here.browser()
    room.show_room()
    body = {"login": login, "password": password, "totp": totp}
    return await room.post("/api/rooms/clerk-sign-in", **body)


async def test_the_room_learns_who_it_is_by_what_the_center_has_signed_for_it(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    person, _ = await somebody(here, admin, "shuji", "clerk@city")
    assert (await asked(here, "shuji"))["code"] == "second-factor"
    answer: ClerkAnswer = await asked(here, "shuji", here.code("shuji"))
    signed = answer["signed"]
    numbers = check_text("clerk", ROOM, signed["note"], signed["clerk"], VERIFIERS)
    said = json.loads(signed["clerk"])
    assert (said["person"], said["role"], said["room"]) == (person.id, "clerk", ROOM)
    assert numbers[1] // 1_000_000 == answer["until_utc_ms"] == said["until_utc_ms"]
    assert numbers[0] == int(here.now_s * 1_000_000_000)
    assert ("sign-in", "clerk", f"clerk {ROOM}", person.id) in here.notes


async def test_who_sits_at_another_court_or_only_watches_gets_no_panel(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    await here.court("town")
    await somebody(here, admin, "elsewhere", "clerk@town")
    await somebody(here, admin, "watches", "inspector@city")
    for login in ("elsewhere", "watches"):
        assert (await asked(here, login, here.code(login)))["code"] == "post"


async def test_wrong_ones_are_refused_and_guesses_at_a_room_keep_nobody_out_elsewhere(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    await somebody(here, admin, "shuji", "clerk@city")
    assert (await asked(here, "nobody", "123456"))["code"] == "password"
    assert (await asked(here, "shuji", "123456"))["code"] == "code"
    for _ in range(6):
        await asked(here, "shuji", password="wrong and wrong")
    assert (await asked(here, "shuji", here.code("shuji")))["code"] == "throttled"
    assert (await here.browser().signs_in("shuji"))["step"] == "done"


async def test_who_was_never_signed_in_is_sent_to_the_pages_and_strangers_away(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    person = await here.person("shuji", "clerk@city")
    code = (await admin.post(f"/api/admin/people/{person.id}/sign-up-code"))["code"]
    assert (await asked(here, "shuji", "", code))["code"] == "first-time"
    stranger = await here.browser().ask("POST", "/api/rooms/clerk-sign-in", {"login": "shuji", "password": PASSWORD})
    assert stranger[1]["code"] == "token"


async def test_the_room_is_told_who_may_have_no_panel_any_more(here: EntranceHere) -> None:
    await an_administrator(here)
    for court in ("city", "town"):
        await here.court(court)
    stays = await here.person("stays", "clerk@city", "clerk@town")
    locked = await here.person("locked", "clerk@city")
    elsewhere = await here.person("elsewhere", "judge@town")
    await here.people.store.lock(locked.id, CENTER_ITSELF)
    room = here.browser()
    room.show_room()
    persons = [stays.id, locked.id, elsewhere.id, "0123456789abcdef"]
    assert (await room.post("/api/rooms/clerk-standing", persons=persons))["gone"] == persons[1:]
    assert (await here.browser().ask("POST", "/api/rooms/clerk-standing", {"persons": persons}))[1]["code"] == "token"
    assert (await room.post("/api/rooms/clerk-standing", persons=["x"] * 65))["code"] == "invalid"


async def test_a_room_believes_what_the_center_says(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    person, _ = await somebody(here, admin, "shuji", "clerk@city")
    answer: ClerkAnswer = await asked(here, "shuji", here.code("shuji"))
    clerk = read_clerk(SignedNote(**answer["signed"]), ROOM, VERIFIERS, here.now_s)
    assert (clerk.person, clerk.name, clerk.role) == (person.id, "shuji", "clerk")
    assert int(clerk.until_s * 1000) == answer["until_utc_ms"]
