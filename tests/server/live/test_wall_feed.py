"""What screens are told costs only what changed, and only for whom it is in sight; what is wrong is told to all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.live import room_looks
from server.live.wall_feed import WHOLE_S
from sync.http.live import gateway as gateway_module
from sync.http.live.gateway import MAX_WATCHED
from sync.http.live.tab import MAX_TEXTS
from tests.support.peers.wall_hub import WallHub, address, take_all, texts

ROOMS, TABS, SIGHT = 300, 20, 12
ALARM = {"code": "disk", "subject": "", "text": "磁盘空间不足", "since_ns": 1}


class ScreenJson:
    """How often something was written as JSON for screens, and how much."""

    def __init__(self) -> None:
        self.times = 0
        self.characters = 0

    def dumps(self, value: Any, **more: Any) -> str:
        text = json.dumps(value, **more)
        self.times += 1
        self.characters += len(text)
        return text


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> ScreenJson:
    counted = ScreenJson()
    for module in (room_looks, gateway_module):
        monkeypatch.setattr(module, "json", counted)
    return counted


def sight_of(number: int) -> list[int]:
    """Neighbors share half of what they see."""
    return [(number * SIGHT // 2 + place) % ROOMS for place in range(SIGHT)]


async def full_house(hub: WallHub) -> list[Any]:
    """All rooms have said their status, all tabs have taken what they were told."""
    for number in range(ROOMS):
        hub.status(number)
    tabs = [hub.tab(sight_of(n)) for n in range(TABS)]
    hub.hub.wall.tell()
    for tab in tabs:
        await take_all(tab)
    return tabs


async def test_each_room_is_written_once_however_many_tabs_come(written: ScreenJson) -> None:
    hub = WallHub(ROOMS)
    await full_house(hub)
    assert written.times <= 2 * ROOMS + TABS, "each room in sight and out of it, and each `link` as it is made"


async def test_a_second_of_statuses_in_which_nothing_changes_is_told_to_nobody(written: ScreenJson) -> None:
    hub = WallHub(ROOMS)
    tabs = await full_house(hub)
    written.times = 0
    for second in range(2, 12):
        for number in range(ROOMS):
            counters = {"at_ns": second, "tracks": [], "hearing": f"h{number}", "disk": {"x": second}, "alarms": []}
            hub.status(number, room_ns=second, recorder=counters)
        hub.hub.poll()
        hub.rooms.poll()
        hub.hub.wall.tell()
    assert [await take_all(tab) for tab in tabs] == [[]] * TABS
    assert written.times == 0


async def test_an_alarm_reaches_every_tab_wherever_it_looks_and_is_written_once(written: ScreenJson) -> None:
    hub = WallHub(ROOMS)
    tabs = await full_house(hub)
    written.times = written.characters = 0
    hub.status(ROOMS - 1, alarms=[ALARM])  # nobody has this room in sight
    hub.hub.wall.tell()
    told = [await texts(tab, "changes") for tab in tabs]
    for [message] in told:
        [news] = message["rooms"]
        assert news["address"] == address(ROOMS - 1)
        assert news["alarms"][0]["code"] == "disk"
        assert "recorder" not in news, "what is as it was is not told again"
    assert written.times == 1
    assert written.characters < 300


@pytest.mark.parametrize(
    "wrong",
    [
        {"recorder": None},
        {"recorder": {"tracks": [{"id": "bench", "state": "failed", "kept": False}], "alarms": []}},
        {"recorder": {"tracks": [], "alarms": [ALARM]}},
        {"hearing": None},
        {"online": False},
    ],
)
async def test_whether_it_is_recorded_and_runs_is_told_out_of_sight_too(wrong: dict[str, Any]) -> None:
    hub = WallHub(3)
    hub.status(1)
    tab = hub.tab([0])
    await take_all(tab)
    hub.status(1, **wrong)
    hub.hub.wall.tell()
    [message] = await texts(tab, "changes")
    [news] = message["rooms"]
    assert news["address"] == address(1)
    assert wrong.keys() <= news.keys()


async def test_what_the_center_notices_of_a_room_out_of_sight_is_told() -> None:
    hub = WallHub(3)
    tab = hub.tab([0])
    await take_all(tab)
    hub.rooms.alarm(address(2), "not-recorded", "未录")
    hub.hub.wall.tell()
    [message] = await texts(tab, "changes")
    assert message["rooms"][0]["center_alarms"] == [{"code": "not-recorded", "text": "未录"}]


async def test_who_speaks_is_told_to_who_has_the_room_in_sight(written: ScreenJson) -> None:
    hub = WallHub(ROOMS)
    tabs = await full_house(hub)
    written.times = 0
    for number in range(ROOMS):
        hub.status(number, speaking=["judge"])
    hub.hub.wall.tell()
    for number, tab in enumerate(tabs):
        [message] = await texts(tab, "changes")
        assert {news["address"] for news in message["rooms"]} == {address(n) for n in sight_of(number)}
        assert all(news["speaking"] == ["judge"] for news in message["rooms"])
    seen = {n for number in range(TABS) for n in sight_of(number)}
    assert written.times == len(seen) < ROOMS


async def test_who_speaks_is_new_when_a_room_comes_into_sight_and_gone_when_it_leaves() -> None:
    hub = WallHub(3)
    hub.status(0, speaking=["judge"])
    tab = hub.tab([])
    [whole] = await texts(tab, "rooms")
    assert whole["rooms"][0]["speaking"] == []
    hub.see(tab, [0])
    [first] = await texts(tab, "changes")
    assert first["rooms"] == [{"address": address(0), "speaking": ["judge"]}]
    hub.see(tab, [1])
    [second] = await texts(tab, "changes")
    assert second["rooms"] == [{"address": address(0), "speaking": []}]
    assert [first["number"], second["number"]] == [1, 2]


async def test_pictures_and_words_go_to_who_has_the_room_in_sight_and_nobody_else_is_asked(written: ScreenJson) -> None:
    hub = WallHub(ROOMS)
    tabs = await full_house(hub)
    written.times = hub.asked = 0
    for number in range(ROOMS):
        hub.thumbnail(number)
        hub.caption(number, f"第{number}庭")
    assert hub.asked == 2 * TABS * SIGHT, "not rooms × tabs"
    seen = {n for number in range(TABS) for n in sight_of(number)}
    assert written.times == len(seen), "the words of a room that nobody has in sight are not even written"
    for number, tab in enumerate(tabs):
        got = await take_all(tab)
        pictures = {one[1 : 1 + one[0]].decode() for one in got if isinstance(one, bytes)}
        words = {one["room"] for one in got if isinstance(one, dict)}
        assert pictures == {f"{address(n)}/bench" for n in sight_of(number)}
        assert words == {address(n) for n in sight_of(number)}


async def test_the_newest_picture_comes_at_once_when_a_room_comes_into_sight() -> None:
    hub = WallHub(5)
    for number in range(5):
        hub.status(number)
        hub.thumbnail(number, 1)
        hub.thumbnail(number, 2)
    tab = hub.tab([0, 1])
    got = [one for one in await take_all(tab) if isinstance(one, bytes)]
    assert [(one[1 : 1 + one[0]].decode(), one[-400:] == b"jpeg" * 100) for one in got] == [
        (f"{address(n)}/bench", True) for n in (0, 1)
    ]
    hub.see(tab, [1, 2])
    assert [one[1 : 1 + one[0]].decode() for one in await take_all(tab) if isinstance(one, bytes)] == [
        f"{address(2)}/bench"
    ]
    hub.thumbnail(0, 3)
    hub.see(tab, [0, 1])
    [newest] = [one for one in await take_all(tab) if isinstance(one, bytes)]
    assert newest[1 + newest[0] + 13] == 3, "its sequence"


async def test_what_waits_of_a_room_that_has_gone_out_of_sight_is_not_sent() -> None:
    hub = WallHub(2)
    for number in range(2):
        hub.status(number)
    tab = hub.tab([0, 1])
    await take_all(tab)
    for number in range(2):
        hub.thumbnail(number)
    hub.see(tab, [1])
    assert [one[1 : 1 + one[0]].decode() for one in await take_all(tab) if isinstance(one, bytes)] == [
        f"{address(1)}/bench"
    ]
    hub.see(tab, [0, 1])
    assert [one[1 : 1 + one[0]].decode() for one in await take_all(tab) if isinstance(one, bytes)] == [
        f"{address(0)}/bench"
    ]


async def test_a_sight_that_toggles_makes_no_picture_come_twice_and_no_queue_grow() -> None:
    hub = WallHub(MAX_WATCHED)
    for number in range(MAX_WATCHED):
        hub.status(number, speaking=["judge"])
        hub.thumbnail(number)
    everything = list(range(MAX_WATCHED))
    tab = hub.tab()
    await take_all(tab)
    for turn in range(1000):
        hub.see(tab, everything if turn % 2 else [])
    assert len(tab._texts) == 1
    assert len(tab._media) == MAX_WATCHED
    await take_all(tab)
    pictures = 0
    for turn in range(20):
        hub.see(tab, everything if turn % 2 else [])
        pictures += sum(isinstance(one, bytes) for one in await take_all(tab))
    assert pictures == 0, "it has them already"


@pytest.mark.parametrize(
    "sight",
    [
        [f"court9/{n}" for n in range(MAX_WATCHED)],
        [address(1), address(1), address(1)],
        ["", "/", "court1", address(1) + "/bench", address(1)],
        ["x" * 5000, address(1), *(address(n) for n in range(1000))],
        [address(1)] * 1_000_000,
    ],
)
async def test_of_an_odd_sight_what_is_known_is_in_sight_and_no_more_is_kept(sight: list[str]) -> None:
    hub = WallHub(3)
    hub.status(1)
    tab = hub.tab()
    await take_all(tab)
    hub.hub.gateway.hear(tab, {"sight": sight})
    hub.thumbnail(1)
    got = [one for one in await take_all(tab) if isinstance(one, bytes)]
    assert len(got) == (address(1) in sight)
    assert len(hub.hub.gateway.audience._sees[tab]) <= MAX_WATCHED


@pytest.mark.parametrize("sight", ["court1/c00001", {"a": 1}, [1], [["court1/c00001"]], None])
async def test_a_sight_that_is_no_list_of_addresses_is_not_of_the_protocol(sight: object) -> None:
    hub = WallHub(2)
    tab = hub.tab([0])
    with pytest.raises(ValueError, match="sight"):
        hub.hub.gateway.hear(tab, {"sight": sight})
    assert hub.hub.gateway.audience.sees(tab, address(0))


async def test_a_room_that_one_may_not_see_shows_nothing_in_sight() -> None:
    hub = WallHub(2)
    hub.withheld.add("h1")
    hub.status(1, speaking=["judge"])
    tab = hub.tab([1])
    hub.thumbnail(1)
    hub.caption(1, "秘密")
    got = await take_all(tab)
    assert [one["type"] for one in got if isinstance(one, dict)] == ["rooms", "link"]
    assert not [one for one in got if isinstance(one, bytes)]
    [room] = [one["rooms"][1] for one in got if isinstance(one, dict) and one["type"] == "rooms"]
    assert (room["hearing"]["hidden"], room["hearing"]["case"]["case_no"], room["speaking"]) == (True, "", [])


async def test_what_waits_is_told_as_it_may_be_seen_when_it_is_sent() -> None:
    hub = WallHub(2)
    tab = hub.tab([1])
    await take_all(tab)
    hub.status(1, speaking=["judge"])
    hub.hub.wall.tell()
    hub.withheld.add("h1")  # and nobody is told
    [message] = await texts(tab, "changes")
    assert "1号" not in json.dumps(message, ensure_ascii=False)
    assert message["rooms"][0]["hearing"]["hidden"]
    hub.withheld.clear()
    hub.classifications.changed.notify(frozenset({"h1"}))
    hub.hub.wall.tell()
    [again] = await texts(tab, "changes")
    assert again["rooms"][0]["hearing"]["case"]["case_no"] == "1号"
    assert again["rooms"][0]["speaking"] == ["judge"]


async def test_a_change_of_rights_touches_the_rooms_of_that_hearing_alone(written: ScreenJson) -> None:
    hub = WallHub(ROOMS)
    tabs = await full_house(hub)
    written.times = 0
    hub.withheld.add("h7")
    hub.classifications.changed.notify(frozenset({"h7"}))
    hub.classifications.changed.notify(frozenset({"nobody has heard of it"}))
    hub.hub.wall.tell()
    for tab in tabs:
        [message] = await texts(tab, "changes")
        assert [news["address"] for news in message["rooms"]] == [address(7)]
    assert written.times <= 2


async def test_for_a_slow_tab_one_message_waits_and_it_is_the_newest() -> None:
    hub = WallHub(3)
    for number in range(3):
        hub.status(number)
    slow = hub.tab([0])
    await take_all(slow)
    for turn in range(MAX_TEXTS + 10):
        hub.status(0, speaking=[f"seat{turn}"])
        hub.status(1, alarms=[{**ALARM, "text": f"告警{turn}"}])
        hub.hub.wall.tell()
    assert len(slow._texts) == 1
    [message] = await texts(slow, "changes")
    assert message["number"] == 1
    news = {one["address"]: one for one in message["rooms"]}
    assert news[address(0)]["speaking"] == [f"seat{MAX_TEXTS + 9}"]
    assert news[address(1)]["alarms"][0]["text"] == f"告警{MAX_TEXTS + 9}"


async def test_what_was_and_is_again_as_it_was_is_not_told() -> None:
    hub = WallHub(2)
    hub.status(1)
    tab = hub.tab([1])
    await take_all(tab)
    hub.status(1, alarms=[ALARM])
    hub.status(1)
    hub.hub.wall.tell()
    assert await take_all(tab) == []
    hub.status(1, alarms=[ALARM])
    hub.hub.wall.tell()
    [message] = await texts(tab, "changes")
    assert message["number"] == 1, "nothing was told meanwhile, and nothing is missing"


async def test_when_a_room_was_last_heard_is_told_when_it_falls_silent() -> None:
    hub = WallHub(2)
    utc_ns = [1_000_000]
    hub.rooms._utc_ns = lambda: utc_ns[0]
    hub.status(1)
    tab = hub.tab()
    await take_all(tab)
    utc_ns[0] = 5_000_000
    hub.status(1, alarms=[ALARM])
    hub.status(1)
    hub.hub.wall.tell()
    await take_all(tab)
    utc_ns[0] = 7_000_000
    hub.status(1)
    hub.now_s = 100.0
    hub.rooms.poll()
    hub.hub.wall.tell()
    [message] = await texts(tab, "changes")
    assert message["rooms"] == [{"address": address(1), "online": False, "seen_utc_ms": 7.0}]


async def test_who_missed_something_asks_for_the_whole_and_gets_it_once_in_a_while() -> None:
    hub = WallHub(3)
    tab = hub.tab([0])
    await take_all(tab)
    hub.status(0)
    hub.hub.wall.tell()
    assert [one["number"] for one in await texts(tab, "changes")] == [1]
    wholes = 0
    for step in range(100):
        hub.now_s = WHOLE_S * step / 50
        hub.hub.wall.ask_whole(tab)
        hub.hub.wall.tell()
        found = await texts(tab, "rooms")
        wholes += len(found)
        assert all(one["number"] == 0 and one["rooms"][0]["online"] for one in found)
    assert wholes == 1
    assert hub.hub.wall._awake.is_set(), "who asked again is not forgotten"
    hub.now_s += WHOLE_S
    hub.hub.wall.tell()
    assert len(await texts(tab, "rooms")) == 1
    assert not hub.hub.wall._awake.is_set()
    hub.status(0, alarms=[ALARM])
    hub.hub.wall.tell()
    assert [one["number"] for one in await texts(tab, "changes")] == [1]


async def test_nothing_is_kept_of_a_tab_that_has_gone() -> None:
    hub = WallHub(3)
    hub.status(0)
    tab = hub.tab([0])
    hub.hub.wall.ask_whole(tab)
    hub.hub.wall.leave(tab)
    hub.hub.gateway.audience.leave(tab)
    hub.status(0, alarms=[ALARM])
    hub.hub.wall.tell()
    assert [one["type"] for one in await take_all(tab) if isinstance(one, dict)] == ["link"]
    assert not hub.hub.wall._tabs
    assert not hub.hub.wall._asking


async def test_rooms_are_asked_for_what_is_watched_of_them_and_no_other_is_gone_through() -> None:
    hub = WallHub(ROOMS)
    tabs = [hub.tab() for _ in range(TABS)]
    for tab in tabs:
        hub.hub.gateway.hear(tab, {"watch": [f"{address(7)}/bench"], "rooms": [address(8), "court9/none"]})
    assert hub.demanded == [address(7), address(8)] or hub.demanded == [address(8), address(7)]
    hub.hub.demands.repeat()
    assert sorted(hub.demanded[2:]) == [address(7), address(8)]
    for tab in tabs:
        hub.hub.gateway.hear(tab, {"watch": [], "rooms": []})
    assert sorted(hub.demanded[4:]) == [address(7), address(8)], "that nothing is wanted any more is said once"
    hub.hub.demands.repeat()
    assert len(hub.demanded) == 6


async def test_the_clock_of_parts_goes_through_rooms_with_a_part_alone() -> None:
    hub = WallHub(ROOMS)
    asked: list[str] = []
    part = type("Part", (), {"id": "p1", "from_ns": 10, "end_ns": 20})()

    def of(hearing: str) -> list[Any]:
        asked.append(hearing)
        return [part] if hearing == "h7" else []

    hub.sealing.of = of
    for number in range(ROOMS):
        hub.status(number)
    asked.clear()
    hub.hub.poll()
    assert set(asked) == {"h7"}
