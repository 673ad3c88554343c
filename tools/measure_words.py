"""Measure the search over words on PostgreSQL, with the index that the center has and with others that were weighed.

    .venv/bin/python tools/measure_words.py postgresql://USER:SECRET@HOST/EMPTY --lines 1000000 --way pairs --way texts

Fills an empty database with hearings of made-up sentences (always the same ones), asks through the center's own reader,
and prints milliseconds (p50, p95) of each kind of query, and the sizes. Each way is
made and measured after the other on the same lines. docs/adr/0035-the-center-on-postgresql.md has what it said.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Boolean, Connection, insert, literal_column, select, text

import server.store.archive.narrowing as narrowing
from server.store import tables as t
from server.store.archive.filters import WordFilter
from server.store.database import Database, open_database
from server.store.reader import RecordReader
from server.store.rights.sight import Sight
from server.store.words.word_index import FREQUENT, grams_of, in_line, lines_named
from sync.text.equal import fold
from wutong.bench.archive.made_words import MadeWords

LINES_A_HEARING = 870
_TEXT_GRAMS = """
CREATE OR REPLACE FUNCTION measured_grams(words text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    WITH letters AS (
        SELECT letter, lead(letter) OVER (ORDER BY place) AS neighbor
        FROM string_to_table(words, NULL) WITH ORDINALITY AS split (letter, place)
    )
    SELECT coalesce(array_agg(DISTINCT gram), '{}') FROM (
        SELECT letter AS gram FROM letters
        UNION ALL SELECT letter || neighbor FROM letters WHERE neighbor IS NOT NULL
    ) AS grams
$$
"""
WAYS: dict[str, tuple[str, ...]] = {
    "pairs": (
        "ALTER TABLE utterances ADD COLUMN grams integer[] GENERATED ALWAYS AS (wutong_grams(folded)) STORED",
        "CREATE INDEX utterances_grams ON utterances USING gin (grams)",
    ),
    "texts": (
        _TEXT_GRAMS,
        "ALTER TABLE utterances ADD COLUMN measured text[] GENERATED ALWAYS AS (measured_grams(folded)) STORED",
        "CREATE INDEX utterances_measured ON utterances USING gin (measured)",
    ),
    "tsvector": (
        _TEXT_GRAMS,
        "ALTER TABLE utterances ADD COLUMN measured tsvector"
        " GENERATED ALWAYS AS (array_to_tsvector(measured_grams(folded))) STORED",
        "CREATE INDEX utterances_measured ON utterances USING gin (measured)",
    ),
    "expression": ("CREATE INDEX utterances_measured ON utterances USING gin (wutong_grams(folded))",),
    "none": (),
}
"""What makes the index of each way."""


def sentences(lines: int) -> Iterator[tuple[str, str, str]]:
    """(role, text, folded) of each line: the same ones at each run."""
    chance = random.Random(35)  # noqa: S311 (the same at each run)
    made = MadeWords(chance)
    for n in range(lines):
        role, words = made.line(chance, n // LINES_A_HEARING * 7)
        yield role, words, fold(words)


def fill(database: Database, lines: int) -> None:
    """Hearings, and their lines by COPY, without any index of words."""
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE utterances DROP COLUMN IF EXISTS grams"))
        hearings = [
            {"id": f"h{n}", "room": f"court{n % 50}/r{n % 400}", "court_name": "", "room_name": "", "case_no": "",
             "case_json": "{}", "tracks_json": "[]", "state": "closed", "state_number": 1, "opened_ns": 0,
             "opened_utc_ns": n * 10**12, "public": n % 10 > 0}
            for n in range(lines // LINES_A_HEARING + 1)
        ]  # fmt: skip
        connection.execute(insert(t.hearings), hearings)
        driver: Any = connection.connection.driver_connection
        columns = "hearing, id, seat, role, start_ns, end_ns, text, folded"
        with driver.cursor() as cursor, cursor.copy(f"COPY utterances ({columns}) FROM STDIN") as copy:
            for n, (role, words, folded) in enumerate(sentences(lines)):
                at = n % LINES_A_HEARING
                hearing = f"h{n // LINES_A_HEARING}"
                copy.write_row((hearing, f"u{at}", "", role, at * 10**9, at * 10**9 + 1, words, folded))


def run(database: Database, *statements: str) -> float:
    """Seconds of statements, outside of any transaction."""
    begun = time.perf_counter()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    return time.perf_counter() - begun


def queries(lines: int) -> dict[str, list[str]]:
    """What is asked, by kind; each is one that somebody would ask."""
    chance = random.Random(36)  # noqa: S311 (the same at each run)
    taken = list(sentences(min(lines, 20_000)))
    both = sorted({words[1:].partition("提交的第")[0] for _, words, _ in taken if "提交的第" in words})
    pieces = [words[8:14] for _, words, _ in chance.sample(taken, 60) if len(words) > 16]
    return {
        "name, 2 characters": chance.sample([one for one in both if len(one) == 2], 40),
        "name, 3 characters": chance.sample([one for one in both if len(one) == 3], 40),
        "frequent word, 2": ["原告", "被告", "借款", "证据", "陈述", "主张", "本院", "万元"] * 3,
        "6 characters": pieces[:40],
        "two terms": [f"{one} 证据" for one in chance.sample(both, 40)],
        "1 character, frequent": list("原告被证人款对") * 3,
        "1 character, rare": [chr(0x4E00 + n) for n in range(40, 3500, 90)],
        "nowhere": ["龘靐", "齉爩", "zz", "麤麤麤"] * 10,
    }


async def measure(database: Database, lines: int, most: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind of query through the center's reader, as an inspector asks; `most` of each kind."""
    reader, sight = RecordReader(database), Sight(frozenset({"open"}))
    found: dict[str, dict[str, float]] = {}
    for kind, asked in queries(lines).items():
        took, hits = [], 0
        for words in asked[:most]:
            begun = time.perf_counter()
            hits += len((await reader.search(words, WordFilter(), sight)).rows)
            took.append((time.perf_counter() - begun) * 1000)
        cuts = statistics.quantiles(took, n=20)
        found[kind] = {"p50": cuts[9], "p95": cuts[18], "max": max(took), "hits": hits / len(took)}
    return found


def named_by(way: str) -> Callable[[Connection, Sequence[str]], list[int] | None]:
    """What takes the place of the center's own index."""

    def named(connection: Connection, terms: Sequence[str]) -> list[int] | None:
        if way in ("pairs", "none"):
            return lines_named(connection, terms) if way == "pairs" else None
        numbers = ",".join(str(gram) for term in terms for gram in grams_of(term))
        pieces = sorted({one[n : n + 2] for one in terms for n in range(max(1, len(one) - 1))})
        quoted = ["'" + one.replace("'", "''") + "'" for one in pieces]
        said = {
            "expression": f"wutong_grams(utterances.folded) @> '{{{numbers}}}'::integer[]",
            "texts": f"utterances.measured @> ARRAY[{','.join(quoted)}]::text[]",
            "tsvector": f"utterances.measured @@ $q${' & '.join(quoted)}$q$::tsquery",
        }
        query = select(t.utterances.c.row).where(literal_column(said[way], Boolean), in_line(terms)).limit(FREQUENT)
        found = list(connection.execute(query).scalars())
        return found if len(found) < FREQUENT else None

    return named


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--way", action="append", choices=sorted(WAYS), default=[])
    parser.add_argument("--asks", type=int, default=40, help="of each kind of query")
    options = parser.parse_args()
    database = open_database(options.database, patient=True)
    begun = time.perf_counter()
    fill(database, options.lines)
    print(f"filled in {time.perf_counter() - begun:.0f} s", flush=True)
    for way in options.way or ["pairs"]:
        run(database, "ALTER TABLE utterances DROP COLUMN IF EXISTS grams, DROP COLUMN IF EXISTS measured")
        run(database, "DROP INDEX IF EXISTS utterances_measured", "VACUUM FULL utterances")
        made_s = run(database, *WAYS[way])
        run(database, "VACUUM ANALYZE utterances")
        with database.engine.connect() as connection:
            size = "SELECT pg_table_size('utterances'), pg_indexes_size('utterances')"
            table, indexes = connection.execute(text(size)).one()
        said = {"way": way, "made_s": round(made_s, 1), "table_mb": table >> 20, "indexes_mb": indexes >> 20}
        print(json.dumps(said), flush=True)
        narrowing.lines_named = named_by(way)  # type: ignore[assignment, attr-defined]  # the index alone is exchanged
        for kind, took in asyncio.run(measure(database, options.lines, options.asks)).items():
            print(f"  {kind:24}", *(f"{name} {value:8.1f}" for name, value in took.items()), flush=True)
    database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
