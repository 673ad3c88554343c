"""A signer that is away or refuses: what is to be signed waits, the room is told, and nothing is lost or forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.integrity.notary import Notary
from edge.state.shown import Words
from sync.errors import LedgerError
from sync.room.checkpoints import Checkpoints
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths

S = 1_000_000_000


class AwaySigner:
    """A signer that answers only while `there`, and refuses what `refuses` says."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.key = key
        self.there = True
        self.refuses = False

    def probe(self) -> None:
        if not self.there:
            raise LedgerError("nobody answers", code="signer")

    def public_key(self) -> Ed25519PublicKey:
        self.probe()
        return self.key.public_key()

    def sign(self, data: bytes, /) -> bytes:
        self.probe()
        if self.refuses:
            raise LedgerError("签名进程拒绝签署 (not signed: another head)", code="signer-refused")
        return self.key.sign(data)


class SignedRoom:
    """A room's log with a notary, a signer that the test sends away, and a clock that it turns."""

    def __init__(self, folder: Path) -> None:
        layout = RoomPaths(folder)
        self.log = RoomLog(layout.log)
        self.checkpoints = Checkpoints(layout.log)
        self.signer = AwaySigner(Ed25519PrivateKey.generate())
        self.now_s = 1000.0
        self.notary = Notary(
            "jianshan/c03",
            self.signer,
            RoomClock.open(layout.clock),
            self.log,
            self.checkpoints,
            words=lambda hearing: Words.DONE,
            probe=self.signer.probe,
            monotonic=lambda: self.now_s,
        )

    def say(self, kind: str, at_s: float, **body: Any) -> None:
        self.log.append(kind, body, hearing="h", room_ns=int(at_s * S), utc_ns=int(at_s * S))

    def hearing(self) -> None:
        self.say("open", 10, tracks=[])
        self.say("close", 20)

    def step(self, seconds: float = 0) -> list[int]:
        self.now_s += seconds
        return self.notary.step()

    def settle(self) -> list[int]:
        self.step()
        return [*self.step(3), *self.step(3)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SignedRoom]:
    room = SignedRoom(tmp_path)
    yield room
    room.checkpoints.close()
    room.log.close()


def test_while_the_signer_is_away_checkpoints_wait_and_the_room_is_told_after_a_while(bench: SignedRoom) -> None:
    signer = bench.signer
    signer.there = False
    bench.hearing()
    assert bench.settle() == [3]  # the seal is an event, and needs no signature
    assert bench.checkpoints.of_hearing("h") == []
    [alarm] = bench.notary.alarms()
    assert (alarm["code"], alarm["subject"]) == ("signer", "")
    assert "庭审可以照常进行" in alarm["text"]
    assert "wutong-signer" in alarm["text"]
    signer.there = True
    bench.step(3)
    assert bench.notary.alarms() == []
    assert bench.checkpoints.of_hearing("h")[-1].seal, "what waited is signed"


def test_a_signer_that_is_away_for_a_moment_is_no_alarm_and_without_a_hearing_it_is_one_all_the_same(
    bench: SignedRoom,
) -> None:
    signer = bench.signer
    signer.there = False
    bench.step()
    bench.step(4)
    assert bench.notary.alarms() == []
    signer.there = True
    bench.step(2)
    signer.there = False
    bench.step(2)
    bench.step(2)
    assert bench.notary.alarms() == []
    bench.step(4)
    assert [alarm["code"] for alarm in bench.notary.alarms()] == ["signer"]


def test_a_head_that_the_signer_refuses_is_told_and_holds_up_no_other_hearing(bench: SignedRoom) -> None:
    signer = bench.signer
    signer.refuses = True
    bench.say("open", 10, tracks=[])
    bench.step()
    assert [(alarm["code"], alarm["subject"]) for alarm in bench.notary.alarms()] == [("signer", "h")]
    signer.refuses = False
    bench.step(3)
    assert bench.notary.alarms() == []
    assert bench.checkpoints.of_hearing("h")
