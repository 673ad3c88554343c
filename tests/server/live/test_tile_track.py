"""The small picture of a room is watched and judged as every picture of it: by what it is of, when it is sent."""

from __future__ import annotations

import json

import pytest

from server.access.classification import ARCHIVIST
from sync.http.live.tab import LiveTab
from sync.media.tracks import TILE
from tests.server.live.test_queued import ROOM, SECRET, stalled, status, taken
from tests.server.live.test_sealed_live import fragment, fragments, ready, room_is, seal, slow_tab
from tests.support.peers.center_peers import Served
from tests.support.peers.live_tab import INIT

ADDRESS = f"{ROOM}/{TILE}"


def on_the_wall(served: Served, tab: LiveTab) -> LiveTab:
    served.center.live.media(ROOM, TILE, "init", INIT)
    served.center.live.gateway.hear(tab, {"watch": [ADDRESS], "sight": [ROOM]})
    return tab


def sent(got: list[str | bytes]) -> list[bytes]:
    return [one for one in got if isinstance(one, bytes) and SECRET.encode() in one]


async def test_of_a_sealed_part_no_small_picture_leaves_not_even_one_that_waits(served: Served) -> None:
    await ready(served)
    inspector = on_the_wall(served, slow_tab(served, "inspector"))
    archivist = on_the_wall(served, slow_tab(served, ARCHIVIST))
    for number in range(10):
        served.center.live.media(ROOM, TILE, "frag", fragment(number * 100, number))
    await seal(served, 500, 800)
    assert not {5, 6, 7} & set(fragments(await taken(inspector)))
    assert fragments(await taken(archivist)) == list(range(10))
    for number, at_ms in ((10, 600), (11, 1000)):
        served.center.live.media(ROOM, TILE, "frag", fragment(at_ms, number))
    assert fragments(await taken(inspector)) == [11]


async def test_a_hearing_that_may_not_be_seen_has_none_and_one_that_nobody_knows_neither(served: Served) -> None:
    status(served, "h1")
    inspector = on_the_wall(served, stalled(served, "inspector"))
    hub = served.center.live
    hub.media(ROOM, TILE, "frag", fragment(0, 1))
    assert len(sent(await taken(inspector))) == 1
    hub.media(ROOM, TILE, "frag", fragment(100, 2))
    status(served, "h2", case={"case_no": "不公开", "public": False})
    hub.media(ROOM, TILE, "frag", fragment(200, 3))
    assert sent(await taken(inspector)) == []
    room_is(served, 300, None)
    hub.media(ROOM, TILE, "frag", fragment(400, 4))  # it is being kept, so a hearing runs that nobody knows
    assert sent(await taken(inspector)) == []


async def test_a_room_is_asked_for_it_while_a_wall_shows_it(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    status(served, None)
    asked: list[list[str]] = []

    def tell(room: str, purpose: str, text: str, *, before: object) -> bool:
        asked.append(json.loads(text)["tracks"])
        return True

    monkeypatch.setattr(served.center.live.demands._publisher, "tell", tell)
    tab = on_the_wall(served, stalled(served, "inspector"))
    assert asked[-1] == [TILE]
    served.center.live.gateway.hear(tab, {"watch": []})
    assert TILE not in asked[-1]
    served.center.live.media(ROOM, TILE, "frag", fragment(0, 1))
    assert fragments(await taken(tab)) == []
