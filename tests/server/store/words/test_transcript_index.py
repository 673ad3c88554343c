"""Search over all words spoken, in Chinese, with its filters."""

from __future__ import annotations

import pytest

from server.store.archive import filters
from server.store.database import Database
from tests.support.peers.center_peers import RoomPeer, Served, opening, said, until

pytestmark = pytest.mark.both_databases


@pytest.fixture
async def spoken(served: Served, room: RoomPeer) -> Served:
    words = [
        ("审判长", "现在进行法庭调查，由原告陈述诉讼请求"),
        ("原告", "请求判令被告归还借款本金十万元"),
        ("被告", "我承认收到借款，但已经还了100%_其中的一部分"),
        ("原告", "Loan Agreement signed in Beijing"),
    ]
    room.publish("events", opening(1))
    for number, (role, text) in enumerate(words, start=2):
        room.publish("events", said(number, text, role=role, at_ms=number * 1000))
    await until(lambda: room.receipts() == {1, 2, 3, 4, 5})
    return served


QUERIES: list[tuple[dict[str, str], list[str]]] = [
    ({"q": "诉讼请求"}, ["u2"]),
    ({"q": "借款"}, ["u3", "u4"]),
    ({"q": "借款 归还借"}, ["u3"]),
    ({"q": "loan agree"}, ["u5"]),
    ({"q": "100%"}, ["u4"]),
    ({"q": "%_"}, ["u4"]),
    ({"q": "0_其"}, []),
    ({"q": '"AND OR NOT'}, []),
    ({"q": "NEAR("}, []),
    ({"q": "   "}, []),
    ({"q": "借款", "role": "被告"}, ["u4"]),
    ({"q": "借款", "case": "黑05民初123"}, ["u3", "u4"]),
    ({"q": "借款", "court": "court2"}, []),
    ({"q": "借款", "from": "2026-11-01", "to": "2026-11-30"}, ["u3", "u4"]),
    ({"q": "借款", "from": "2027-01-01"}, []),
]


async def test_words_are_found_with_the_index_and_without(spoken: Served) -> None:
    database: Database = spoken.center.database
    assert database.full_text, "SQLite here has the trigram tokenizer"
    async with spoken.inspector() as http:
        for database.full_text in (True, False):
            for query, found in QUERIES:
                answer = await http.get("/api/search", params=query)
                assert [hit["utterance"] for hit in answer.json()] == found, (query, database.full_text)


async def test_a_hit_says_where_to_play(spoken: Served) -> None:
    async with spoken.inspector() as http:
        hit = (await http.get("/api/search", params={"q": "法庭调查"})).json()[0]
        bad = await http.get("/api/search", params={"q": "x", "from": "yesterday"})
        assert bad.status_code == 422
        for query, count in (
            ({"room": "c03"}, 1),
            ({"room": "c04"}, 0),
            ({"case": "123号"}, 1),
            ({"state": "open"}, 1),
        ):
            assert len((await http.get("/api/hearings", params=query)).json()) == count
    assert hit["hearing"] == "h1"
    assert hit["start_ms"] == 1_002_000
    assert hit["room_name"] == "第三法庭"
    assert hit["case"]["case_no"] == "(2026)黑05民初123号"
    assert hit["opened_ms"] <= hit["start_ms"]


def test_a_day_begins_at_midnight() -> None:
    assert filters.day_utc_ns("2026-11-23") - filters.day_utc_ns("2026-11-22") == 86_400 * 10**9
