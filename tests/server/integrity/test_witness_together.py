"""Many checkpoints at once: judged in threads and in turns, cosigned together, what is dropped is answered."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection
from sqlalchemy import event as sa_event

from server.config import load_config
from server.integrity import device_keys, note_signers
from server.integrity.examination import HeadFinding
from server.integrity.waiting_heads import HEARINGS, KEPT_HEADS, AskedHead, JudgedTurn
from server.integrity.witness import AGAIN_A_SECOND, Witness
from server.running import running
from server.service import build
from sync.ledger import note as notes
from sync.ledger.note import read_note
from tests.support.files import databases
from tests.support.peers.center_peers import RoomPeer, Served, opening, said, until
from tests.support.peers.device_signatures import device_key
from tests.support.rooms.signing_room import SigningRoom


def sentences(first: int, last: int, hearing: str = "h1") -> list[dict[str, Any]]:
    return [said(n, f"说的第{n}句话", at_ms=n, hearing=hearing) for n in range(first, last + 1)]


@pytest.fixture
def signing(served: Served, room: RoomPeer) -> SigningRoom:
    return SigningRoom(room, served, device_key("court1/c03"))


@pytest_asyncio.fixture
async def other(served: Served) -> AsyncIterator[SigningRoom]:
    peer = await RoomPeer(served.broker_port, "court1/c04").start()
    yield SigningRoom(peer, served, device_key("court1/c04"))
    peer.stop()


def answered(signing: SigningRoom) -> dict[int, str]:
    return {a["size"]: "again" if "again_s" in a else "note" for a in signing.answers()}


async def test_of_many_heads_the_newest_are_cosigned_in_one_commit_and_the_others_are_told(
    signing: SigningRoom, served: Served
) -> None:
    signing.say(opening(1), *sentences(2, 60))
    await signing.receipted()
    commits: list[str] = []

    def written(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO checkpoints"):
            commits.append("row")

    def committed(_connection: Connection) -> None:
        if commits and commits[-1] == "row":
            commits.append("commit")

    engine = served.center.database._engine
    sa_event.listen(engine, "before_cursor_execute", written)
    sa_event.listen(engine, "commit", committed)
    # They come in one turn of the loop, as from a broker behind which they have waited.
    for size in range(41, 61):
        served.center.witness.offer("court1/c03", signing.sign(signing.head(size)))
    await until(lambda: len(signing.answers()) >= AGAIN_A_SECOND + KEPT_HEADS)
    newest = dict.fromkeys(range(61 - KEPT_HEADS, 61), "note")
    assert answered(signing) == {size: newest.get(size, "again") for size in range(41, 61)}
    assert commits == ["row"] * KEPT_HEADS + ["commit"]
    dropped = signing.answers(41)[0]
    assert dropped["again_s"] > 0
    # Whatever was dropped is cosigned when it is asked for again, also though a larger tree was meanwhile.
    assert signing.is_witnessed(await signing.ask(signing.head(41)))


async def test_a_flood_of_questions_costs_few_answers_and_no_other_question(
    signing: SigningRoom, served: Served
) -> None:
    signing.say(opening(1), *sentences(2, 9))
    await signing.receipted()
    witness: Witness = served.center.witness
    witness._monotonic_s = lambda: 7.0
    for n in range(HEARINGS + 300):  # of hearings that nobody knows
        note = notes.sign(signing.head(9, hearing=f"x{n}").to_text(), "court1/c03", signing.key)
        witness.offer("court1/c03", note.to_text().encode())
    assert witness._heads.put(AskedHead("court1/c03", note, signing.head(9, hearing="one-more"))) != []
    await until(lambda: witness._heads.is_empty and not witness._flights)
    assert signing.is_witnessed(await signing.ask(signing.head(5)))
    assert len([a for a in signing.answers() if "again_s" in a]) == AGAIN_A_SECOND


async def test_a_room_with_a_long_ledger_holds_up_no_other(
    signing: SigningRoom, other: SigningRoom, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing.say(opening(1), *sentences(2, 9))
    other.say(opening(1, hearing="h2"), *sentences(2, 9, "h2"))
    await signing.receipted()
    await other.receipted()
    witness: Witness = served.center.witness
    examine, go_on = witness._examine, asyncio.Event()

    async def long_for_one(turn: JudgedTurn) -> list[HeadFinding]:
        if turn.room == "court1/c03":
            await go_on.wait()
        return await examine(turn)

    monkeypatch.setattr(witness, "_examine", long_for_one)
    for size in range(3, 9):
        witness.offer("court1/c03", signing.sign(signing.head(size)))
    for size in range(2, 9):
        await other.ask(other.head(size, hearing="h2", room="court1/c04"))
    assert set(answered(other).values()) == {"note"}
    assert "note" not in answered(signing).values()
    go_on.set()
    await until(lambda: "note" in answered(signing).values())


async def test_what_comes_while_heads_are_judged_is_not_waited_for_again(
    signing: SigningRoom, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing.say(opening(1), *sentences(2, 8))
    await signing.receipted()
    signing.say(said(9, "最后一句", at_ms=9), send=False)
    witness: Witness = served.center.witness
    examine = witness._examine
    turns: list[list[bool]] = []

    async def between(turn: JudgedTurn) -> list[HeadFinding]:
        found = await examine(turn)
        turns.append([one.missing for one in found])
        if len(turns) == 1:  # the event is stored after it was looked for, and before anybody waits for it
            signing.peer.publish("events", signing.events[-1])
            await until(lambda: 9 in signing.peer.receipts())
        return found

    monkeypatch.setattr(witness, "_examine", between)
    witness.offer("court1/c03", signing.sign(signing.head()))
    await until(lambda: answered(signing) == {9: "note"})
    assert turns == [[True], [False]]


async def test_one_walk_over_the_events_judges_all_heads_of_a_hearing_also_a_false_one(
    signing: SigningRoom, served: Served
) -> None:
    signing.say(opening(1), *sentences(2, 300))
    await signing.receipted()
    read: list[str] = []

    def noted(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "events.body" in statement:
            read.append(str(parameters))

    sa_event.listen(served.center.database._engine, "before_cursor_execute", noted)
    witness: Witness = served.center.witness
    middle = signing.head(250)
    for head in (signing.head(200), middle, replace(middle, root=bytes(32)), signing.head(300)):
        witness.offer("court1/c03", signing.sign(head))
    await until(lambda: len(signing.answers()) == 4)
    by_size = sorted((a["size"], a.get("refused", "")) for a in signing.answers())
    assert by_size == [(200, ""), (250, ""), (250, "fork"), (300, "")]
    assert sum(", -1)" in parameters for parameters in read) == 1, "from the first event on only once"
    assert "fork" in signing.alarms()
    assert signing.is_witnessed(await signing.ask(signing.head(250)))


async def test_signatures_are_judged_in_threads_and_certificates_once(
    signing: SigningRoom, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing.say(opening(1), *sentences(2, 20))
    await signing.receipted()
    threads: set[str] = set()
    judged: list[str] = []
    verify = notes.signed_by

    def noted(note: notes.Note, verifier: notes.Verifier) -> int | None:
        threads.add(threading.current_thread().name)
        return verify(note, verifier)

    certified = device_keys.certified_key

    def counted(device: Any, center: Any) -> Any:
        judged.append(device.room)
        return certified(device, center)

    monkeypatch.setattr(note_signers, "signed_by", noted)
    monkeypatch.setattr(note_signers, "certified_key", counted)
    for size in range(2, 12):
        assert signing.is_witnessed(await signing.ask(signing.head(size)))
    assert threading.main_thread().name not in threads
    assert judged == ["court1/c03"]


async def test_a_device_that_another_process_has_revoked_signs_for_nobody_from_that_moment(
    signing: SigningRoom, served: Served
) -> None:
    signing.say(opening(1), *sentences(2, 9))
    await signing.receipted()
    assert signing.is_witnessed(await signing.ask(signing.head(5)))  # its certificate is known by now
    with databases.opened(served.data / "center.db") as database:
        database.execute("UPDATE devices SET revoked_utc_ns = 1 WHERE room = 'court1/c03'")
    assert (await signing.ask(signing.head(9)))["refused"] == "device"
    assert (await signing.ask(signing.head(5)))["refused"] == "device", "not even what was witnessed is said to it"


async def test_what_was_committed_and_not_sent_is_said_by_the_next_center(
    signing: SigningRoom, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing.say(opening(1), *sentences(2, 30))
    await signing.receipted()
    witness: Witness = served.center.witness
    stored = "SELECT size, note FROM checkpoints WHERE refused = '' ORDER BY size"
    on_disk: list[list[tuple[Any, ...]]] = []

    def died(_room: str, topic: str, *_: Any, **_how: Any) -> bool:
        if topic == "witness":  # whatever is about to be sent is on disk already
            on_disk.append(databases.rows(served.data / "center.db", stored))
            raise RuntimeError("the center ends here")
        return True

    with monkeypatch.context() as patched:
        patched.setattr(witness._broker, "publish", died)
        for size in (10, 20, 30):
            witness.offer("court1/c03", signing.sign(signing.head(size)))
        await until(lambda: on_disk)
    assert [size for size, _ in on_disk[0]] == [10, 20, 30], "all of one commit, before the first was sent"
    assert signing.answers() == []
    notes_on_disk = dict(on_disk[0])
    again = build(load_config(tmp_path / "center.toml"))
    async with running(again, "127.0.0.1", 0):
        told: list[dict[str, Any]] = []

        def tell(_room: str, topic: str, data: bytes, **_how: Any) -> bool:
            if topic == "witness":
                told.append(json.loads(data))
            return True

        monkeypatch.setattr(again.witness._broker, "publish", tell)
        for size in (10, 20, 30):
            again.witness.offer("court1/c03", signing.sign(signing.head(size)))
        await until(lambda: len([one for one in told if "note" in one]) == 3)
    assert {one["size"]: one["note"] for one in told if "note" in one} == notes_on_disk
    assert all(read_note(note).lines for note in notes_on_disk.values())


@pytest.mark.parametrize("seed", range(3))
async def test_two_rooms_of_which_one_asks_without_end_are_answered_alike(
    signing: SigningRoom, other: SigningRoom, served: Served, seed: int
) -> None:
    signing.say(opening(1), *sentences(2, 40))
    other.say(opening(1, hearing="h2"), *sentences(2, 9, "h2"))
    await signing.receipted()
    await other.receipted()
    witness: Witness = served.center.witness
    flood = [signing.sign(signing.head(2 + (n + seed) % 39)) for n in range(400)]
    for one in flood:
        witness.offer("court1/c03", one)
    order: list[str] = []
    publish = witness._broker.publish

    def noted(room: str, topic: str, payload: bytes, **how: Any) -> bool:
        if topic == "witness" and b'"note"' in payload:
            order.append(room)
        return publish(room, topic, payload, **how)

    witness._broker.publish = noted  # type: ignore[method-assign]
    await other.ask(other.head(9, hearing="h2", room="court1/c04"))
    assert order.index("court1/c04") <= 2 * KEPT_HEADS
