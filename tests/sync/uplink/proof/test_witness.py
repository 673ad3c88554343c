"""The room's side of the witness: what it asks, when it asks again, and which answers it believes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from sync.broker_address import Will
from sync.ledger import note
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import CENTER, make_key
from sync.mqtt import MqttConnection
from sync.room.checkpoints import Checkpoints
from sync.room.paths import RoomPaths
from sync.uplink.proof.witness import AGAIN_S, REFUSED_AGAIN_S, SOONEST_AGAIN_S, WitnessLine
from sync.uplink.trust.trusted_center import TrustedCenter
from tests.support.peers.device_signatures import CENTER_KEY, center_says, know_center
from tests.support.peers.uplink_peers import ADDRESS, PREFIX, CenterPeer, Mosquitto, until
from wutong.bench.threaded_client import ThreadedClient


class Line:
    """A room with a stored ledger and its line to the witness; the test is the center."""

    def __init__(self, layout: RoomPaths, broker: Mosquitto, center: CenterPeer) -> None:
        self.layout = layout
        self.peer = center
        self.now_s = 1000.0
        self.device = make_key(layout.device_key)
        self.center_key = CENTER_KEY
        self.checkpoints = Checkpoints(layout.log)
        self.broker = MqttConnection(broker.address(), will=Will(f"{PREFIX}/status", b"{}"))
        self.trusted = TrustedCenter(layout, ADDRESS)
        self.line = WitnessLine(self.checkpoints, self.trusted, self.broker, PREFIX, monotonic=lambda: self.now_s)

        layout.center_key.unlink()

    def enroll(self) -> None:
        self.layout.keys.mkdir(exist_ok=True)
        know_center(self.layout)

    def refuse(self, hearing: str, size: int, why: str, *, of: str | None = None) -> None:
        stored = self.checkpoints.get(hearing, size)
        assert stored is not None
        named = note.note_digest(note.read_note(stored.note)) if of is None else of
        self.peer.say("witness", {"hearing": hearing, "size": size, "refused": why, "of": named})

    def head(self, hearing: str, size: int) -> str:
        return Checkpoint(ADDRESS, hearing, size, bytes([size] * 32), size, 1).to_text()

    def add(self, hearing: str, size: int, *, seal: bool = False) -> None:
        signed = note.sign(self.head(hearing, size), ADDRESS, self.device)
        self.checkpoints.add(hearing, size, signed.to_text(), seal=seal)

    def asked(self) -> list[tuple[str, int]]:
        heads = [Checkpoint.from_text(note.read_note(p.decode()).text) for p in self.peer.on("checkpoints")]
        return [(head.hearing, head.size) for head in heads]

    def answer(self, hearing: str, size: int, key: Ed25519PrivateKey | None = None, text: str | None = None) -> None:
        signed = note.sign(text or self.head(hearing, size), ADDRESS, self.device)
        line = note.cosign(signed, CENTER, key or self.center_key, int(time.time()))
        cosigned = note.Note(signed.text, (*signed.lines, line)).to_text()
        self.peer.say_plain("witness", {"hearing": hearing, "size": size, "note": cosigned})

    def witnessed(self, hearing: str, size: int) -> bool:
        stored = self.checkpoints.get(hearing, size)
        return stored is not None and stored.witnessed is not None


@pytest_asyncio.fixture
async def line(layout: RoomPaths, broker: Mosquitto, center: CenterPeer) -> AsyncIterator[Line]:
    made = Line(layout, broker, center)
    await until(center.client.is_connected)
    made.broker.start()
    task = asyncio.create_task(made.line.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await made.broker.stop()
    made.checkpoints.close()


async def test_only_the_newest_of_each_hearing_and_every_seal_is_asked_for(line: Line) -> None:
    for size in (1, 2, 3):
        line.add("a", size)
    line.add("a", 4, seal=True)
    line.add("a", 6, seal=True)
    line.add("b", 9)
    line.enroll()
    await until(lambda: len(line.asked()) >= 3)
    assert sorted(line.asked()) == [("a", 4), ("a", 6), ("b", 9)]
    for hearing, size in line.asked():
        line.answer(hearing, size)
    await until(lambda: not line.checkpoints.waiting())
    assert line.witnessed("a", 4)
    assert line.witnessed("b", 9)


async def test_before_its_enrollment_a_room_asks_nothing_and_afterwards_at_once(line: Line) -> None:
    line.add("a", 1)
    await until(lambda: line.broker.connected)
    assert line.asked() == []
    line.enroll()
    await until(lambda: line.asked() == [("a", 1)])
    line.refuse("a", 1, "device")
    await until(lambda: (s := line.checkpoints.get("a", 1)) is not None and s.refused == "device")
    line.now_s += REFUSED_AGAIN_S
    await until(lambda: line.asked() == [("a", 1), ("a", 1)])


async def test_a_refusal_that_the_center_did_not_sign_of_this_very_note_is_none(line: Line) -> None:
    line.enroll()
    line.add("a", 1)
    await until(lambda: line.asked())
    line.peer.say_plain("witness", {"hearing": "a", "size": 1, "refused": "fork"})
    stranger = center_says("witness", ADDRESS, {"hearing": "a", "size": 1, "refused": "fork"}, 1, line.device)
    line.peer.client.publish(f"{PREFIX}/witness", stranger, qos=1)
    line.peer.say("witness", {"hearing": "a", "size": 1, "refused": "fork"})  # of no note at all
    line.refuse("a", 1, "fork", of="0" * 64)
    line.add("a", 2)
    line.refuse("a", 2, "device")
    await until(lambda: (s := line.checkpoints.get("a", 2)) is not None and s.refused == "device")
    stored = line.checkpoints.get("a", 1)
    assert stored is not None
    assert stored.refused is None


async def test_a_center_that_had_no_room_is_asked_again_when_it_said_and_only_it_says_so(line: Line) -> None:
    line.enroll()
    line.add("a", 1)
    await until(lambda: len(line.asked()) == 1)
    stored = line.checkpoints.get("a", 1)
    assert stored is not None
    of = note.note_digest(note.read_note(stored.note))
    # Nobody but the center, and of no other note: it would be asked without end, or seldom.
    line.peer.say_plain("witness", {"hearing": "a", "size": 1, "again_s": 2, "of": of})
    line.peer.say("witness", {"hearing": "a", "size": 1, "again_s": 2, "of": "0" * 64})
    line.peer.say("witness", {"hearing": "a", "size": 1, "again_s": 2})
    line.peer.say("witness", {"hearing": "a", "size": 1, "again_s": 10**6, "of": of})
    line.add("b", 1)
    line.refuse("b", 1, "device")  # what was said before it was read by now
    await until(lambda: (s := line.checkpoints.get("b", 1)) is not None and s.refused == "device")
    assert line.line._next["a", 1] == line.now_s + AGAIN_S
    line.peer.say("witness", {"hearing": "a", "size": 1, "again_s": 0.001, "of": of})
    await until(lambda: line.line._next["a", 1] == line.now_s + SOONEST_AGAIN_S)
    line.now_s += SOONEST_AGAIN_S
    await until(lambda: line.asked().count(("a", 1)) == 2)
    assert stored.refused is None
    line.answer("a", 1)
    await until(lambda: line.witnessed("a", 1))


async def test_without_an_answer_it_asks_again_also_after_the_broker_was_away(line: Line, broker: Mosquitto) -> None:
    line.enroll()
    line.add("a", 1)
    await until(lambda: len(line.asked()) == 1)
    line.now_s += 10.5
    await until(lambda: len(line.asked()) == 2)
    broker.kill()
    await until(lambda: not line.broker.connected)
    broker.start()
    await until(lambda: line.broker.connected, 60)  # only then is it sure to hear an answer

    def asked_again() -> bool:
        line.now_s += 10.5  # what was said before the center was back is lost, and said again
        return len(line.asked()) >= 3

    await until(asked_again)
    line.answer("a", 1)
    await until(lambda: line.witnessed("a", 1))


@pytest.mark.parametrize("lie", ["key", "text", "bare", "other"])
async def test_a_cosignature_that_is_not_the_centers_over_this_note_is_not_believed(line: Line, lie: str) -> None:
    line.enroll()
    line.add("a", 1)
    await until(lambda: line.asked())
    if lie == "key":
        line.answer("a", 1, key=Ed25519PrivateKey.generate())
    elif lie == "text":
        line.answer("a", 1, text=line.head("a", 2))
    elif lie == "bare":
        bare = note.sign(line.head("a", 1), ADDRESS, line.device).to_text()
        line.peer.say_plain("witness", {"hearing": "a", "size": 1, "note": bare})
    else:
        line.answer("b", 1)
    line.peer.say_plain("witness", "nonsense")
    line.add("a", 2)
    line.answer("a", 2)
    await until(lambda: line.witnessed("a", 2))
    assert not line.witnessed("a", 1)


async def test_a_fork_is_kept_for_the_panel_until_something_larger_is_witnessed(line: Line) -> None:
    line.enroll()
    line.add("a", 1)
    await until(lambda: line.asked())
    line.refuse("a", 1, "fork")
    await until(lambda: line.checkpoints.last_refused("a"))
    refused = line.checkpoints.last_refused("a")
    assert refused is not None
    assert refused.refused == "fork"


@pytest.fixture
def stranger(broker: Mosquitto) -> Iterator[Any]:
    """The account of the room next door."""
    client = ThreadedClient(CallbackAPIVersion.VERSION2, client_id="next-door", protocol=mqtt.MQTTv311)
    client.username_pw_set(broker.other.username, broker.other.password_file.read_text())
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


async def test_another_room_can_neither_ask_in_this_ones_name_nor_hear_its_answers(
    line: Line, stranger: Any, tmp_path: Path
) -> None:
    heard: list[str] = []
    stranger.on_message = lambda _c, _u, message: heard.append(message.topic)
    stranger.subscribe([(f"{PREFIX}/witness", 1), ("court/v1/jianshan/c04/witness", 1)])
    stranger.publish(f"{PREFIX}/checkpoints", b"forged", qos=1)
    line.enroll()
    line.add("a", 1)
    await until(lambda: line.asked())
    line.answer("a", 1)
    await until(lambda: line.witnessed("a", 1))
    line.peer.client.publish("court/v1/jianshan/c04/witness", json.dumps({"for": "c04"}), qos=1)
    await until(lambda: heard)
    assert heard == ["court/v1/jianshan/c04/witness"]
    assert b"forged" not in line.peer.on("checkpoints")
