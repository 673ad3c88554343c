"""The notary: checkpoints of a growing hearing, the seal after its close, words that come late, and crashes between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from edge.integrity.notary import AGAIN_S, GIVE_UP_S, RESEAL_S, RESETTLE_S, UNSEALED_S, Notary
from edge.integrity.status import heard_of, words_of
from edge.service import assemble
from edge.state.shown import Words
from hardware.profile import load_profile
from sync.errors import LedgerError
from sync.ledger import note
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import make_key
from sync.ledger.leaf import leaf_of
from sync.ledger.seal import check
from sync.ledger.tree import leaf_hash, root_of
from sync.record.hearing import Hearing
from sync.room.checkpoints import Checkpoints
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from tests.support.rooms.edge_room import PROFILE

S = 1_000_000_000
ROOM = "jianshan/c03"


class Bench:
    """A room's log with a notary, and a clock that the test turns."""

    def __init__(self, folder: Path) -> None:
        self.layout = RoomPaths(folder)
        self.log = RoomLog(self.layout.log)
        self.checkpoints = Checkpoints(self.layout.log)
        self.clock = RoomClock.open(self.layout.clock)
        self.words = Words.DONE
        self.now_s = 1000.0
        self.heard_s: float | None = None
        self.start()

    def start(self) -> None:
        """As after a restart of the service."""
        self.key = make_key(self.layout.device_key)
        self.notary = Notary(
            ROOM,
            self.key,
            self.clock,
            self.log,
            self.checkpoints,
            words=lambda hearing: self.words,
            heard=lambda: self.heard_s,
            monotonic=lambda: self.now_s,
        )

    def say(self, kind: str, at_s: float, hearing: str = "h", **body: Any) -> None:
        self.log.append(kind, body, hearing=hearing, room_ns=int(at_s * S), utc_ns=int(at_s * S))

    def media(self, hearing: str = "h", until_s: float = 20) -> None:
        span = {"from_ns": 10 * S, "to_ns": int(until_s * S)}
        facts = {"index": 0, "file": "bench/00000.mp4", "bytes": 5, "sha256": "0" * 64, "sm3": "0" * 64}
        self.say("segment", 21, hearing, track="bench", fragments=1, mime="", **facts, **span)

    def utter(self, name: str) -> None:
        said: dict[str, Any] = {"seat": "judge", "role": "审判长", "start_ns": 11 * S, "end_ns": 12 * S, "text": "好"}
        self.say("utterance", 22, id=name, **said)

    def hearing(self, hearing: str = "h", *, media: bool = True) -> None:
        self.say("open", 10, hearing, tracks=[{"id": "bench"}])
        self.say("close", 20, hearing)
        if media:
            self.media(hearing)

    def step(self, seconds: float = 0) -> list[int]:
        self.now_s += seconds
        return self.notary.step()

    def settle(self) -> list[int]:
        """Let everything settle; the seals that were made."""
        self.step()
        return [*self.step(3), *self.step(3)]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.log.of_hearing("h")]

    def judge(self, hearing: str = "h") -> Any:
        """The seal, by the verifier's rules, and every checkpoint against the tree."""
        events = self.log.of_hearing(hearing)
        digests = [leaf_hash(leaf_of(event)) for event in events]
        for stored in self.checkpoints.of_hearing(hearing):
            read = note.read_note(stored.note)
            assert note.signed_by(read, note.Verifier(ROOM, self.key.public_key())) == 0
            head = Checkpoint.from_text(read.text)
            assert (head.room, head.hearing, head.size) == (ROOM, hearing, stored.size)
            assert head.root == root_of(digests[: head.size])
            assert head.last_number == events[head.size - 1].number
        return check(events, digests)


class Screen:
    """What a screen of the room is told."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []

    def text(self, message: Mapping[str, Any]) -> None:
        self.told.append(message)

    def media(self, track: str, message: bytes) -> None:
        raise AssertionError("no media here")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.log.close()
    made.checkpoints.close()


def sizes(bench: Bench, hearing: str = "h") -> list[int]:
    return [stored.size for stored in bench.checkpoints.of_hearing(hearing)]


def test_a_growing_hearing_is_signed_every_three_seconds_and_only_when_it_grew(bench: Bench) -> None:
    bench.say("open", 10, tracks=[{"id": "bench"}])
    bench.step()
    bench.utter("u1")
    bench.step(1)
    assert sizes(bench) == [1]
    bench.step(2)
    bench.step(3)
    bench.step(3)
    assert sizes(bench) == [1, 2]
    assert [stored.size for stored in bench.checkpoints.waiting()] == [2]
    assert bench.judge() is None
    assert bench.layout.device_key.stat().st_mode & 0o777 == 0o600


def test_a_closed_hearing_is_sealed_with_its_totals_and_signed_at_once(bench: Bench) -> None:
    bench.hearing()
    assert len(bench.settle()) == 1
    seal = bench.judge()
    assert (seal.index, seal.leaves, seal.words_complete) == (0, 3, True)
    last = bench.checkpoints.last("h")
    assert last is not None
    assert last.seal
    assert last.size == 4
    folded = Hearing.of("h", bench.log.of_hearing("h"))
    assert folded.sealed is not None
    assert folded.sealed["root"] == seal.root.hex()
    assert bench.settle() == []


def test_media_that_is_neither_kept_nor_declared_holds_the_seal_back(bench: Bench) -> None:
    bench.hearing(media=False)
    assert bench.settle() == []
    bench.media(until_s=18)
    assert bench.settle() == []
    bench.say("gap", 25, track="bench", from_ns=18 * S, to_ns=20 * S, why="断电")
    assert len(bench.settle()) == 1
    assert bench.judge() is not None


def test_a_transcriber_that_is_behind_is_waited_for_and_an_absent_one_is_given_up(bench: Bench) -> None:
    bench.words = Words.BUSY
    bench.hearing()
    for heard_s in (11.0, 13.0, 15.0):  # it comes further, but slowly
        bench.heard_s = heard_s
        assert bench.step(GIVE_UP_S - 1) == []
    bench.utter("u1")
    assert bench.step(GIVE_UP_S - 1) == []
    bench.words = Words.ABSENT
    bench.utter("u2")
    assert bench.settle() == []
    assert len(bench.step(GIVE_UP_S)) == 1
    assert bench.judge().words_complete is False


def test_a_transcriber_that_stands_still_is_no_better_than_an_absent_one(bench: Bench) -> None:
    bench.words, bench.heard_s = Words.BUSY, 12.0
    bench.hearing()
    bench.step()
    assert bench.step(GIVE_UP_S - 1) == []
    bench.heard_s = 12.3  # the status came a little late; nothing was heard
    for words in (Words.ABSENT, Words.BUSY):  # nor is one that comes and goes
        bench.words = words
        assert bench.step(0.1) == []
    assert len(bench.step(1)) == 1
    assert bench.judge().words_complete is False


def test_a_hearing_that_stays_unsealed_is_an_alarm_that_names_the_track_until_it_is_sealed(bench: Bench) -> None:
    bench.hearing(media=False)
    bench.media(until_s=18)
    bench.step()
    bench.step(UNSEALED_S - 1)
    assert bench.notary.alarms() == []
    bench.step(1)
    [alarm] = bench.notary.alarms()
    assert (alarm["code"], alarm["subject"], alarm["since_ns"]) == ("unsealed", "h", 20 * S)
    assert "bench 有 2.0 秒" in alarm["text"]
    assert "(hearing h is not sealed: bench: 2.0 s are no file and no declared gap)" in alarm["text"]
    bench.say("open", 950, "next", tracks=[])  # of the room: it stands whatever hearing is open
    bench.step()
    assert bench.notary.alarms() == [alarm]
    bench.say("gap", 960, track="bench", from_ns=18 * S, to_ns=20 * S, why="断电")
    assert len(bench.settle()) == 1
    assert bench.notary.alarms() == []


def test_an_alarm_of_before_a_restart_is_back_a_minute_after_it(bench: Bench) -> None:
    closed_s = bench.clock.now_ns() / S - UNSEALED_S
    bench.say("open", closed_s - 10, tracks=[{"id": "bench"}])
    bench.say("close", closed_s)
    bench.step()
    assert bench.notary.alarms() == []  # it may be sealed at once
    bench.step(AGAIN_S)
    assert [alarm["subject"] for alarm in bench.notary.alarms()] == ["h"]


def test_a_transcriber_that_holds_the_seal_back_is_named(bench: Bench) -> None:
    bench.words, bench.heard_s = Words.BUSY, 0.0
    bench.hearing()
    bench.step()
    for _ in range(4):
        bench.heard_s += 2
        assert bench.step(UNSEALED_S / 3) == []
    assert "语音识别仍未完成" in bench.notary.alarms()[0]["text"]


@pytest.mark.parametrize("body", ["{}", "[]", "{'", '{"track": "bench", "index": 1e999}'])
def test_an_event_that_can_be_no_leaf_is_an_alarm_at_once_and_stops_no_other_hearing(bench: Bench, body: str) -> None:
    bench.hearing()
    with contextlib.closing(sqlite3.connect(bench.layout.log)) as db, db:
        db.execute("UPDATE event SET body = ? WHERE kind = 'segment'", (body,))
    bench.hearing("other")
    assert len(bench.settle()) == 1
    assert bench.judge("other").index == 0
    [alarm] = bench.notary.alarms()
    assert alarm["subject"] == "h"
    assert "第 3 号事件（segment）" in alarm["text"]
    bench.start()
    bench.step()
    assert [again["text"] for again in bench.notary.alarms()] == [alarm["text"]]


def test_a_list_of_tracks_that_is_none_breaks_the_ledger_and_not_the_edge(bench: Bench) -> None:
    bench.say("open", 10, tracks=["bench"])
    bench.say("close", 20)
    assert bench.settle() == []
    assert "(open)" not in bench.notary.alarms()[0]["text"]
    assert "event 1, open" in bench.notary.alarms()[0]["text"]


async def test_the_alarms_are_told_to_the_screens_and_to_the_uplink(tmp_path: Path) -> None:
    profile = tmp_path / "room.toml"
    profile.write_text(PROFILE % 0, encoding="utf-8")
    edge = assemble(load_profile(profile))
    state, screen = edge.state, Screen()
    state.listen(screen)
    edge.room_log.append("open", {"tracks": ["bench"]}, hearing="h", room_ns=1 * S, utc_ns=1)
    edge.room_log.append("close", {}, hearing="h", room_ns=2 * S, utc_ns=2)
    task = asyncio.create_task(edge.notary.run())
    feed = FeedClient(state.layout.feed("edge"), ["alarms"])
    await state.feed.start()
    try:
        messages = feed.messages()
        async with asyncio.timeout(30), contextlib.aclosing(messages):  # type: ignore[type-var]  # it can be closed
            async for _, payload in messages:
                if alarms := json.loads(payload):
                    break
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await state.feed.stop()
        edge.close()
    assert [(alarm["code"], alarm["subject"]) for alarm in alarms] == [("unsealed", "h")]
    alarms = json.loads(json.dumps(state.snapshot()["alarms"]))
    assert alarms[0]["since_ms"] == 1000
    assert screen.told[-1] == {"type": "alarms", "value": alarms}


def test_words_after_the_seal_are_sealed_again(bench: Bench) -> None:
    bench.hearing()
    bench.settle()
    bench.utter("late-1")
    bench.step()
    assert bench.step(RESETTLE_S - 1) == []  # one correction after the other is one seal
    bench.utter("late-2")
    assert bench.step(1) == []
    assert sizes(bench)[-1] in (5, 6)
    assert len(bench.step(RESETTLE_S)) == 1
    assert bench.kinds() == ["open", "close", "segment", "seal", "utterance", "utterance", "seal"]
    seal = bench.judge()
    assert (seal.index, seal.leaves) == (1, 6)
    assert [stored.size for stored in bench.checkpoints.waiting()] == [4, 7]  # every seal is sent


def test_words_that_go_on_and_on_after_the_seal_are_sealed_all_the_same(bench: Bench) -> None:
    bench.hearing()
    bench.settle()
    seals, steps = 0, 0
    while not seals:
        bench.utter(f"late-{steps}")
        seals, steps = len(bench.step(RESETTLE_S / 2)), steps + 1
        assert steps < 100
    assert steps > RESEAL_S / RESETTLE_S
    assert bench.judge().index == 1


def test_nothing_but_words_gets_into_a_sealed_hearing_and_nothing_is_lost(bench: Bench) -> None:
    bench.hearing()
    bench.settle()
    bench.say("alarm", 30, code="source", subject="bench", text="设备中断")
    assert bench.kinds()[-1] == "seal"
    event = bench.log.since(bench.log.last_number() - 1)[0]
    assert (event.kind, event.hearing, event.body["of"]) == ("alarm", None, "h")
    assert bench.settle() == []
    assert bench.judge() is not None


def test_a_word_between_the_count_and_the_seal_makes_the_seal_wait(bench: Bench) -> None:
    bench.hearing()
    with pytest.raises(LedgerError):
        bench.log.append("seal", {}, hearing="h", room_ns=1, utc_ns=1, key="seal/h/0", after=2)
    assert bench.kinds() == ["open", "close", "segment"]


def test_hearings_that_a_crash_left_unsealed_are_sealed_after_the_next_start(bench: Bench) -> None:
    bench.hearing("h")
    bench.step()
    bench.hearing("h2", media=False)
    bench.hearing("h3")
    bench.start()
    assert len(bench.settle()) == 2
    assert bench.judge("h").index == 0
    assert bench.judge("h2") is None
    assert bench.judge("h3").index == 0
    bench.start()
    bench.media("h2")
    assert len(bench.settle()) == 1
    assert bench.judge("h2").index == 0


def test_a_crash_between_the_seal_and_its_checkpoint_leaves_no_seal_unsigned(bench: Bench) -> None:
    bench.hearing()
    bench.step()
    bench.now_s += 3
    bench.notary._sign = lambda ledger: None  # type: ignore[method-assign]  # the process dies before it signs
    bench.step(3)
    assert bench.kinds()[-1] == "seal"
    bench.start()
    bench.step()
    last = bench.checkpoints.last("h")
    assert last is not None
    assert (last.size, last.seal) == (4, True)
    assert bench.settle() == []


def test_no_size_is_signed_twice_over_restarts(bench: Bench) -> None:
    bench.say("open", 10, tracks=[])
    bench.step()
    before = bench.checkpoints.of_hearing("h")
    bench.start()
    bench.step()
    assert bench.checkpoints.of_hearing("h") == before


async def test_words_are_waited_for_by_the_hearing_also_while_the_next_one_is_open(tmp_path: Path) -> None:
    profile = tmp_path / "room.toml"
    profile.write_text(PROFILE % 0, encoding="utf-8")
    edge = assemble(load_profile(profile))
    state = edge.state
    state.transcriber_feed.connected = True
    assert words_of(state, "h") is Words.ABSENT  # nothing was heard of it yet
    assert heard_of(state) is None
    state.transcriber_at_ns = 100 * S
    state.transcriber = {"state": "ready", "lag_ms": 300, "why": "", "hearings": ["h", "next"]}
    assert words_of(state, "h") is Words.BUSY
    assert heard_of(state) == 99.7
    state.transcriber = {"state": "catching-up", "lag_ms": 9000, "why": "", "hearings": ["next"]}
    assert words_of(state, "h") is Words.DONE
    state.transcriber = {"state": "failed", "lag_ms": 0, "why": "model", "hearings": []}
    assert words_of(state, "h") is Words.ABSENT
    assert heard_of(state) is None
    state.transcriber_feed.connected = False
    state.transcriber = {"state": "off", "lag_ms": 0, "why": ""}
    assert words_of(state, "h") is Words.ABSENT
    edge.close()
