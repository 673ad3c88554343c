"""A province with its courts, people and rooms, written into a center's database at once."""

from __future__ import annotations

import itertools
import random
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import Connection, insert

from server.center import Center
from server.people.person_rows import court_tree, persons_of
from server.store import tables as t
from server.store.audit_rows import append_rows
from server.store.rights.sitting import folded_name
from server.store.room_entries import folded_names

SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗"
NAMES = "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华建国志文玉兰"
CITIES = ("双鸭山", "佳木斯", "牡丹江", "齐齐哈尔", "大庆", "鸡西", "鹤岗", "伊春")
DISTRICTS = ("尖山", "岭东", "宝山", "四方台", "友谊", "集贤", "宝清", "饶河", "前进", "东风", "向阳", "郊")
ROLES = ("clerk", "clerk", "clerk", "judge", "judge", "presiding", "inspector", "leader", "archivist")
MADE_NS = 1_790_000_000 * 10**9
_AT_ONCE = 2_000


def courts() -> list[dict[str, Any]]:
    """One court at the top, its cities, and their districts."""
    rows = [{"slug": "hlj", "name": "黑龙江省高级人民法院", "level": "province", "parent": None}]
    for number, city in enumerate(CITIES):
        slug = f"city{number}"
        rows.append({"slug": slug, "name": f"{city}市中级人民法院", "level": "city", "parent": "hlj"})
        rows += [
            {"slug": f"{slug}-{place}", "name": f"{city}市{name}区人民法院", "level": "district", "parent": slug}
            for place, name in enumerate(DISTRICTS)
        ]
    return rows


async def fill(center: Center, people: int, rooms: int) -> None:
    """Write them down, and let this process know of them."""
    rng, of_courts = random.Random(14), courts()  # noqa: S311 (the same people each time, no secret)
    persons, posts, entries = [], [], []
    for number in range(people):
        court, name = rng.choice(of_courts)["slug"], rng.choice(SURNAMES) + "".join(rng.sample(NAMES, 2))
        texts = {"login": f"user{number:05d}", "name": name, "folded": folded_name(name), "court": court}
        state = rng.choices(("active", "locked", "left"), (92, 3, 5))[0]
        row = {"id": f"{number:016x}", **texts, "state": state, "source": "local", "subject": ""}
        persons.append(
            {**row, "made_utc_ns": MADE_NS, "seen_utc_ns": MADE_NS + number * 5 * 10**11 if number % 3 else None}
        )
        posts.append({"person": row["id"], "role": rng.choice(ROLES), "court": court})
    places = itertools.islice(((place, court) for place in itertools.count(1) for court in of_courts), rooms)
    for place, court in places:
        address, name = f"{court['slug']}/c{place:02d}", f"第{place}法庭"
        named = {"address": address, "court": court["slug"], "room": f"c{place:02d}", "court_name": court["name"]}
        folded = folded_names(address, court["name"], name)
        entries.append({**named, "room_name": name, "folded": folded, "made_by": "周敏", "made_utc_ns": MADE_NS})

    def work(connection: Connection) -> None:
        connection.execute(insert(t.courts), of_courts)
        connection.execute(insert(t.persons), persons)
        connection.execute(insert(t.posts), posts)
        connection.execute(insert(t.room_entries), entries)

    await center.database.write(work)
    known = center.persons.known
    known.courts.take(None, await center.database.read(court_tree))
    known.take(None, await center.database.read(lambda connection: persons_of(connection, None)))


async def fill_audit(center: Center, lines: int, people: int, until_ns: int, console: Console) -> None:
    """A log of so many lines, a minute apart, up to a moment: sign-ins and views by people, refusals of strangers."""
    rng = random.Random(15)  # noqa: S311 (the same lines each time, no secret)
    whats = ("sign-in", "sign-in", "view", "view", "view", "view", "export", "refused", "sign-out")
    for begin in track(range(0, lines, _AT_ONCE), "writing the log", console=console, transient=True):
        rows = []
        for number in range(begin, min(begin + _AT_ONCE, lines)):
            what = rng.choice(whats)
            person = "" if what == "refused" else f"{rng.randrange(people):016x}"
            rows.append(
                {
                    "utc_ns": until_ns - (lines - number) * 60 * 10**9,
                    "what": what,
                    "role": "" if what == "refused" else rng.choice(ROLES),
                    "address": f"10.0.{rng.randrange(256)}.{rng.randrange(256)}",
                    "detail": f'{{"hearing":"{rng.randrange(10**8)}","room":"city{rng.randrange(8)}/c{number % 20}"}}',
                    "granted": what != "refused",
                    "person": person,
                }
            )

        def work(connection: Connection, rows: list[dict[str, Any]] = rows) -> None:
            append_rows(connection, rows)

        await center.database.write(work)
