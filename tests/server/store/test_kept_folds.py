"""Hearings that are kept folded: always what the store says, never another's, bounded, one thread at a time."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from server.api.hearing_pages import HearingPages, PageAudience, for_archivists, for_inspectors
from server.events.admission import read_event
from server.events.redaction import signing_of, signing_seen
from server.store.database import Database, open_database
from server.store.kept_folds import MOST_PAGES, KeptFold, KeptFolds
from server.store.writer import RecordWriter
from sync.errors import StorageError, WutongError
from sync.record.hearing import Hearing
from sync.record.sealed_parts import EVERYTHING_SEEN, Unseen
from sync.record.signing import KINDS as SIGNING
from sync.record.withheld import withheld
from tests.server.store.test_revised_words import GOOD, STORY, new, revision, to
from tests.support.files import databases
from tests.support.peers.center_peers import ROOM_NS, event, opening, said

PART = Unseen(((ROOM_NS + 2_500_000_000, ROOM_NS + 6_500_000_000),))


class Store:
    """A record store that a room fills, and what is kept of it."""

    def __init__(self, database: Database, **bounds: int) -> None:
        self.database = database
        self.record = RecordWriter(database)
        self.folds = KeptFolds(database, **bounds)
        self.pages = HearingPages(self.folds)

    async def take(self, *events: dict[str, Any]) -> None:
        await self.record.store_events([read_event("court1/c03", json.dumps(one).encode()) for one in events])

    async def page(self, unseen: Unseen = EVERYTHING_SEEN, audience: PageAudience = PageAudience.INSPECTOR) -> Any:
        pieces = for_archivists if audience is PageAudience.ARCHIVIST else for_inspectors
        page = await self.pages.of("h1", audience, unseen, pieces)
        return json.loads(page.encoded.plain({"more": 1}))

    async def lines(self, hearing: str = "h1") -> list[str]:
        return await self.folds.use(hearing, lambda fold: [line.text for line in fold.hearing.utterances])


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    database = open_database(f"sqlite:///{tmp_path / 'center.db'}")
    made = Store(database)
    yield made
    await asyncio.to_thread(made.folds.close)
    await asyncio.to_thread(database.close)


def true_page(events: Sequence[dict[str, Any]], unseen: Unseen, *, strokes: bool) -> dict[str, Any]:
    """As it is made of all events at once."""
    received = [read_event("court1/c03", json.dumps(one).encode()).event for one in events]
    whole = Hearing.of("h1", received)
    said_of_it = withheld(whole, unseen).to_json()
    for name in ("sealed_parts", "tracks"):
        del said_of_it[name]
    facts = sorted((e for e in received if e.kind in SIGNING), key=lambda e: e.number)
    signing = signing_of(signing_seen(facts, whole, unseen), strokes=strokes)
    return json.loads(json.dumps({**said_of_it, "signing": signing, "more": 1}))  # type: ignore[no-any-return]


def every_kind() -> list[dict[str, Any]]:
    """A hearing in which everything happens that has a body."""
    rest = [event(20 + n, kind, body, at_ms=3000 + n) for n, (kind, body) in enumerate(GOOD.items())]
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("mute", {"muted": True, "by": "王五"}),
        ("pause", {"reason": "recess"}),
        ("resume", {}),
        ("gap", {"track": "bench", "from_ns": ROOM_NS, "to_ns": ROOM_NS + 9, "why": "断"}),
        ("alarm", {"code": "disk", "subject": "", "text": "满"}),
        ("alarm", {"code": "disk", "subject": "", "text": "", "cleared": True}),
        ("clock", {"by_ns": 7, "source": "chrony", "error_ms": None}),
        ("mark", {"id": "m1", "kind": "举证", "text": "借条"}),
        ("close", {}),
    ]
    return [*STORY, *rest, *(event(60 + n, kind, body, at_ms=5000 + n) for n, (kind, body) in enumerate(bodies))]


@pytest.mark.parametrize("unseen", [EVERYTHING_SEEN, PART], ids=["whole", "sealed"])
@pytest.mark.parametrize("audience", [PageAudience.INSPECTOR, PageAudience.ARCHIVIST])
async def test_a_page_in_pieces_is_the_hearing_as_it_is_said_at_once(
    store: Store, unseen: Unseen, audience: PageAudience
) -> None:
    events = every_kind()
    await store.take(*events)
    expected = true_page(events, unseen, strokes=audience is PageAudience.ARCHIVIST)
    got = await store.page(unseen, audience)
    assert got == expected
    assert await store.page(unseen, audience) == got, "what is kept is what was made"


@pytest.mark.parametrize("seed", range(6))
async def test_events_late_out_of_order_and_twice_give_what_one_fold_of_all_gives(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    events = every_kind()
    coming = [*events, *chance.sample(events, 8)]
    chance.shuffle(coming)
    came: dict[int, dict[str, Any]] = {}
    for one in coming:
        await store.take(one)
        came[one["number"]] = one
        if chance.random() < 0.4:
            unseen = chance.choice([EVERYTHING_SEEN, PART])
            assert await store.page(unseen) == true_page(list(came.values()), unseen, strokes=False)


async def test_a_hearing_that_grows_is_folded_once_and_one_that_comes_late_anew(store: Store) -> None:
    await store.take(opening(1), said(2, "二", at_ms=1), said(5, "五", at_ms=4))
    assert await store.lines() == ["二", "五"]
    for number in range(6, 30):
        await store.take(said(number, str(number), at_ms=number))
        assert (await store.lines())[-1] == str(number)
    assert store.folds.folded == 1
    await store.take(said(4, "四", at_ms=3))
    assert (await store.lines())[:3] == ["二", "四", "五"]
    assert store.folds.folded == 2
    # A revision of what came late is judged against it, although it was folded before.
    await store.take(revision(31, "edit", to("u3", 3, text="改过的三")))
    assert "改过的三" not in await store.lines()
    await store.take(said(3, "三", at_ms=2))
    assert "改过的三" in await store.lines()


async def test_only_the_lines_that_an_event_names_are_encoded_again(store: Store) -> None:
    await store.take(opening(1), *(said(n, f"第{n}句", at_ms=n) for n in range(2, 50)))
    await store.page()
    before = await store.folds.use("h1", lambda fold: dict(fold.lines))
    await store.take(
        revision(50, "edit", to("u7", 7, text="改过的第七句")),
        revision(51, "split", to("u9", 9, text="前半"), new("n51", "u9", "后半")),
        revision(52, "edit", to("u11", 2, text="不算的改动")),  # stale: the line keeps it as a version that is void
    )
    shown = {line["id"]: line for line in (await store.page())["utterances"]}
    after = await store.folds.use("h1", lambda fold: dict(fold.lines))
    assert {name for name, data in after.items() if before.get(name) is not data} == {"u7", "u9", "n51", "u11"}
    assert shown["u7"]["text"] == "改过的第七句"
    assert shown["u11"]["versions"][-1]["void"] is True


async def test_what_is_kept_for_one_reader_is_given_to_none_who_may_see_less(store: Store) -> None:
    await store.take(opening(1), said(2, "人人可见", at_ms=1000), said(3, "仅此一人", at_ms=3000))
    everything = json.dumps(await store.page(audience=PageAudience.ARCHIVIST), ensure_ascii=False)
    withheld_page = json.dumps(await store.page(PART), ensure_ascii=False)
    assert "仅此一人" in everything
    assert "仅此一人" not in withheld_page
    assert "人人可见" in withheld_page
    again = json.dumps(await store.page(), ensure_ascii=False)
    assert "仅此一人" in again
    assert json.dumps(await store.page(PART), ensure_ascii=False) == withheld_page


async def test_pages_of_a_hearing_are_few_and_all_go_when_an_event_comes(store: Store) -> None:
    await store.take(opening(1), said(2, "二", at_ms=1000))
    for n in range(3 * MOST_PAGES):
        await store.page(Unseen(((ROOM_NS + n, ROOM_NS + n + 1),)))
    assert await store.folds.use("h1", lambda fold: len(fold.pages)) == MOST_PAGES
    await store.take(said(3, "三", at_ms=2000))
    assert await store.folds.use("h1", lambda fold: len(fold.pages)) == 0


async def test_what_is_kept_is_bounded_in_bytes_and_what_was_quiet_for_longest_goes(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'center.db'}")
    store = Store(database, most_bytes=60_000)
    try:
        for place, hearing in enumerate(("h1", "h2", "h3")):
            first = 100 * place
            more = [said(first + n, "话" * 100, at_ms=n, hearing=hearing) for n in range(2, 30)]
            await store.take(opening(first + 1, hearing=hearing), *more)
        await store.lines("h1")
        one = store.folds.bytes_kept
        assert 20_000 < one < 30_000
        await store.lines("h2")
        await store.lines("h1")
        await store.lines("h3")  # h2 was not looked at for longest
        assert one < store.folds.bytes_kept <= 60_000
        assert store.folds.folded == 3
        await store.lines("h1")
        assert store.folds.folded == 3
        await store.lines("h2")
        assert store.folds.folded == 4
        # What is larger than all that may be kept is shown, and not kept.
        await store.take(*(said(500 + n, "话" * 1000, at_ms=n, hearing="h2") for n in range(100)))
        assert len(await store.lines("h2")) == 128
        assert store.folds.bytes_kept <= 60_000
        assert len(await store.lines("h2")) == 128
        assert store.folds.folded == 5
    finally:
        await asyncio.to_thread(store.folds.close)
        await asyncio.to_thread(database.close)


async def test_a_hearing_grows_while_its_page_is_made_and_the_next_page_has_all(store: Store) -> None:
    await store.take(opening(1), said(2, "二", at_ms=1000))
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slowly(fold: KeptFold) -> list[str]:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(30)
        return [line.text for line in fold.hearing.utterances]

    first = asyncio.create_task(store.folds.use("h1", slowly))
    await begun.wait()
    await store.take(said(3, "三", at_ms=2000))
    second = asyncio.create_task(store.lines())
    other = await asyncio.gather(store.lines("none"), return_exceptions=True)  # another hearing waits for neither
    assert isinstance(other[0], WutongError)
    go_on.set()
    assert await first == ["二"]
    assert await second == ["二", "三"]


async def test_two_threads_never_have_one_fold_though_a_reader_went_away(store: Store) -> None:
    await store.take(opening(1), said(2, "二", at_ms=1000))
    begun, go_on = asyncio.Event(), threading.Event()
    inside: list[int] = []
    most = 0
    loop = asyncio.get_running_loop()

    def counted(fold: KeptFold) -> int:
        nonlocal most
        inside.append(1)
        most = max(most, len(inside))
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(30)
        inside.pop()
        return fold.count

    gone = asyncio.create_task(store.folds.use("h1", counted))
    await begun.wait()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    behind = asyncio.create_task(store.folds.use("h1", counted))
    go_on.set()
    assert await behind == 2
    assert most == 1
    assert store.folds.folded == 1


async def test_what_failed_in_between_is_no_fold(store: Store) -> None:
    await store.take(opening(1), said(2, "二", at_ms=1000))

    def fail(fold: KeptFold) -> None:
        fold.hearing.transcript.lines.clear()
        raise ValueError("cannot be shown")

    with pytest.raises(ValueError, match="cannot be shown"):
        await store.folds.use("h1", fail)
    assert store.folds.bytes_kept == 0
    assert await store.lines() == ["二"]
    await store.take(said(3, "三", at_ms=2000))
    await store.database.write(lambda c: c.execute(text("ALTER TABLE events RENAME TO gone")))
    with pytest.raises(StorageError):
        await store.lines()
    await store.database.write(lambda c: c.execute(text("ALTER TABLE gone RENAME TO events")))
    assert await store.lines() == ["二", "三"]
    with pytest.raises(WutongError, match="no such hearing"):
        await store.lines("h9")


async def test_a_damaged_event_leaves_no_connection_at_what_was_stored_then(store: Store, tmp_path: Path) -> None:
    await store.take(opening(1), *(said(n, f"第{n}句", at_ms=n) for n in range(2, 600)))
    await store.database.write(lambda c: c.execute(text("UPDATE events SET body = '{' WHERE number = 300")))
    held = []
    for _ in range(4):
        with pytest.raises(ValueError, match="Expecting") as caught:
            await store.lines()
        held.append(caught)  # with its frames, in which the events were read
    with databases.opened(tmp_path / "center.db") as other:  # another process
        other.execute("UPDATE events SET body = '{}' WHERE number = 300")
        other.execute("DELETE FROM events WHERE number = 300")
    for number in range(600, 610):
        await store.take(said(number, str(number), at_ms=number))
    assert (await store.lines())[-1] == "609"
    assert len(held) == 4
