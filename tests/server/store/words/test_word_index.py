"""What is found of words is the same with an index and without, on SQLite and PostgreSQL: lines that hold each term."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text

from server.store import tables as t
from server.store.archive.filters import WordFilter
from server.store.database import Database, open_database
from server.store.reader import RecordReader
from server.store.rights.sight import Sight
from server.store.words.word_index import grams_of, having_pairs
from sync.text.characters import clean_words
from sync.text.equal import fold
from tests.support.peers.postgres_server import PostgresServer, migrated_database

pytestmark = pytest.mark.process

MIXED = "张三李四的原告 aAbBzZ09·．-%_/\\'\"(「İßﬁñ\u0301𠀀👩\u200d👧ᠠ\u180b\tـ"
TEXTS = st.lists(st.text(alphabet=MIXED, max_size=12) | st.text(max_size=6), max_size=6)
NAMES = ["张三说借条是真的", "张·三", "李四与王五", "aAa", "100%_是", "张张三", "三张", "", "𠀀𠀀", "的"]
QUERIES = [
    "张三",
    "三张",
    "张",
    "的",
    "借条是真",
    "aa",
    "A",
    "%",
    "_",
    "\\",
    "'",
    '"',
    "𠀀",
    "王五 李四",
    "张 三",
    "NEAR(",
]


@pytest.fixture(scope="module")
def stores(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Database]]:
    """The same words in both databases."""
    made = [
        open_database(f"sqlite:///{tmp_path_factory.mktemp('words') / 'center.db'}"),
        open_database(migrated_database(postgres)),
    ]
    yield made
    for one in made:
        one.close()


def fill(connection: Connection, texts: Sequence[str]) -> None:
    connection.execute(delete(t.utterances))
    connection.execute(delete(t.hearings))
    names = dict.fromkeys(("court_name", "room_name", "case_no"), "")
    hearing = {"id": "h1", "room": "a/b", **names, "case_json": "{}", "tracks_json": "[]", "state": "open"}
    connection.execute(insert(t.hearings).values(**hearing, state_number=1, opened_ns=0, opened_utc_ns=0, public=True))
    of_all = {"hearing": "h1", "seat": "", "role": ""}
    rows = [
        {**of_all, "id": f"u{n}", "start_ns": n, "end_ns": n + 1, "text": clean_words(one), "folded": fold(one)}
        for n, one in enumerate(texts)
    ]
    if rows:
        connection.execute(insert(t.utterances), rows)


def found(database: Database, query: str) -> list[str]:
    async def search() -> list[dict[str, Any]]:
        return (await RecordReader(database).search(query, WordFilter(), Sight.everything())).rows

    return [hit["utterance"] for hit in asyncio.run(search())]


def expected(texts: Sequence[str], query: str) -> list[str]:
    terms = [term for term in map(fold, clean_words(query).split()) if term]
    return [f"u{n}" for n, one in enumerate(texts) if terms and all(term in fold(one) for term in terms)]


def same_everywhere(stores: Sequence[Database], texts: Sequence[str], queries: Sequence[str]) -> None:
    for database in stores:
        asyncio.run(database.write(lambda connection: fill(connection, texts)))
    for query in queries:
        wanted = expected(texts, query)
        for database, indexed in itertools.product(stores, (True, False)):
            database.full_text = indexed
            assert found(database, query) == wanted, (query, database.dialect, indexed)
        for database in stores:
            database.full_text = True


def test_names_of_two_characters_single_characters_and_signs_are_found(stores: list[Database]) -> None:
    same_everywhere(stores, NAMES, QUERIES)
    assert found(stores[1], "张三") == ["u0", "u1", "u5"]


def test_any_words_are_found_alike(stores: list[Database]) -> None:
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(
        TEXTS, st.lists(st.text(alphabet=MIXED, min_size=1, max_size=5), max_size=3), st.randoms(use_true_random=False)
    )
    def alike(texts: list[str], queries: list[str], chance: random.Random) -> None:
        pieces = []
        for one in texts:
            begin = chance.randint(0, max(0, len(one) - 1))
            pieces.append(one[begin : begin + chance.randint(1, 4)])
        same_everywhere(stores, texts, [*queries, *pieces, " ".join(pieces[:2])])

    alike()


def test_the_database_numbers_pairs_as_the_search_does(stores: list[Database]) -> None:
    for words in ("张", "张三", "a张𠀀b", "aaa"):
        query = text("SELECT wutong_grams(:words)")
        made = stores[1].read_now(lambda c, q=query, w=words: c.execute(q, {"words": w}).scalar_one())  # type: ignore[misc]
        assert set(made) == {*grams_of(words), *map(ord, words)}


def test_a_line_that_is_revised_or_gone_is_found_by_what_it_is_now(stores: list[Database]) -> None:
    for database in stores:
        asyncio.run(database.write(lambda connection: fill(connection, ["张三到庭", "李四到庭"])))
        now = t.utterances.update().where(t.utterances.c.id == "u0").values(folded="王五到庭")
        asyncio.run(database.write(lambda connection, act=now: connection.execute(act)))  # type: ignore[misc]
        gone = delete(t.utterances).where(t.utterances.c.id == "u1")
        asyncio.run(database.write(lambda connection, act=gone: connection.execute(act)))  # type: ignore[misc]
        assert [found(database, query) for query in ("张三", "王五", "李四", "到庭")] == [[], ["u0"], [], ["u0"]]


def test_the_index_answers_for_two_characters_and_for_one(stores: list[Database]) -> None:
    """What it costs at a million lines is in docs/adr/0035; here it is asked whether it can be used at all."""
    same_everywhere(stores, ["张三说借条是真的"], [])

    def plans(connection: Connection) -> list[str]:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        asked = [select(t.utterances.c.id).where(having_pairs([one])) for one in ("张三", "张", "借条是真")]
        explained = [str(one.compile(connection, compile_kwargs={"literal_binds": True})) for one in asked]
        return ["".join(connection.exec_driver_sql(f"EXPLAIN {one}").scalars()) for one in explained]

    for plan in stores[1].read_now(plans):
        assert "Bitmap Index Scan on utterances_grams" in plan


def test_frequent_and_rare_words_are_found_alike(stores: list[Database], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.store.words.word_index.FREQUENT", 3)
    same_everywhere(
        stores, ["张三", "张三李四", "李四", "张三到", "王五", "王五去", "张"], ["张三", "李四", "王五", "张", "去"]
    )
