"""Attacks by MQTT, with all that one compromised room has: others' names, bombs, floods, topics without number."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from sync import topics
from sync.ledger.messages.event_batch import pack_batch
from sync.room.signer import RoomSigner
from wutong.bench.attack.target import Target
from wutong.bench.threaded_client import ThreadedClient

LARGE_BYTES = 4_200_000
"""As much as a broker of ours takes."""
TURN_S = 0.1
LINES_LOST = 3
MESSAGES_A_TURN = 45
"""Of each client; four of them say 1800 a second."""


async def take_over(target: Target, done: Counter[str]) -> None:
    """Connect again and again under the name of the honest room's connection, and of the center's."""
    names = itertools.cycle([f"room-{target.victim.replace('/', '-')}", target.victim, "center", "wutong-center"])
    for name in names:
        client = connection(target, name)
        await asyncio.to_thread(client.connect, "127.0.0.1", target.mqtt_port)
        client.loop_start()
        await asyncio.sleep(0.2)
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
        done["take-overs"] += 1
        await asyncio.sleep(5)  # the account has one connection: this one ends the flood for a moment


async def flood(target: Target, done: Counter[str]) -> None:
    """Bombs in every topic that a room may write, and what is well formed and hostile; events that are too large and
    some that are none too large, openings and sealed parts by the dozen, and retained messages each on a topic of its
    own: all over one connection, since an account has only one.

    A broker that ends the line of who retains would so be spared the rest: after `LINES_LOST` such lines the same
    messages are said unretained.
    """
    client = connection(target, f"room-{secrets.token_hex(4)}")
    base = topics.of_room(target.room)
    bombs, device = itertools.cycle(_bombs()), RoomSigner(Path(target.signer))
    await asyncio.to_thread(client.connect, "127.0.0.1", target.mqtt_port)
    client.on_disconnect = lambda *_: done.update(["lines-lost"])
    client.loop_start()
    try:
        for turn in itertools.count(secrets.randbelow(1 << 40)):
            await asyncio.sleep(TURN_S)
            if len(client._out_packet) > MESSAGES_A_TURN:  # the network, or the broker, takes no more
                done["turns that waited"] += 1
                continue
            said = [(*next(bombs), False) for _ in range(MESSAGES_A_TURN)]
            said += [(topic, payload, False) for topic, payload in _well_formed(turn)]
            if turn % 5 == 2:
                facts = _openings(turn) if turn % 10 == 2 else _sealed_parts(turn)
                said.append((topics.EVENTS, await asyncio.to_thread(_signed, target, device, facts), False))
            if turn % 5 == 0:
                size = LARGE_BYTES if turn % 20 == 0 else 940_000
                said.append((topics.EVENTS, await asyncio.to_thread(_batch, target, device, turn, size), False))
            if turn % 20 == 0:
                said.append((topics.live(f"t{secrets.token_hex(5)}", topics.INIT), bytes(LARGE_BYTES), True))
                said.append((topics.STATUS, bytes(LARGE_BYTES), True))
            for topic, payload, retain in said:
                client.publish(f"{base}/{topic}", payload, retain=retain and done["lines-lost"] < LINES_LOST)
                done["messages"] += 1
                done["message-bytes"] += len(payload)
    finally:
        client.disconnect()
        client.loop_stop()


def connection(target: Target, name: str) -> mqtt.Client:
    """A client of the compromised room that says it is `name`."""
    client = ThreadedClient(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv311)
    client.suppress_exceptions = True
    client.reconnect_delay_set(min_delay=1, max_delay=2)
    client.tls_set(target.authority, target.certificate, target.key)
    client.tls_insecure_set(True)  # whose name the broker's certificate has is nothing to an attacker
    return client


def _bombs() -> Iterator[tuple[str, bytes]]:
    digits = "9" * 400
    deep = "[" * 5000 + "]" * 5000
    yield topics.LEVELS, f'{{"a_ns": {digits}}}'.encode()
    yield topics.LEVELS, f'{{"at_ns": {digits}, "seats": {{}}}}'.encode()
    yield topics.CAPTION, f'{{"id":"x","start_ns": -{digits}, "text": {deep}}}'.encode()
    yield topics.STATUS, f'{{"online": true, "at_utc_ns": {digits}, "room_ns": {digits}}}'.encode()
    yield topics.CHECKPOINTS, b"wutong/x/y/z\n" + b"9" * 60_000
    yield topics.EVENTS, f'{{"number": {digits}, "hearing": null, "kind": "x"}}'.encode()
    yield topics.live("bench", topics.FRAGMENT), bytes(1000)
    yield topics.live("bench", topics.THUMBNAIL), b"\xff" * 60_000


def _well_formed(turn: int) -> Iterator[tuple[str, bytes]]:
    """What an honest room could say, and says once a second or once a day: another uplink each time, and a hearing
    that is not public."""
    for n in range(4):
        hearing = {"id": f"closed-{turn}-{n}", "state": "open", "case": {"public": False}}
        status = {"online": True, "session": secrets.token_hex(8), "room_ns": turn, "at_utc_ns": turn}
        yield topics.STATUS, json.dumps({**status, "hearing": hearing}).encode()
        yield topics.CAPTION, json.dumps({"id": f"c{turn}", "hearing": hearing["id"], "text": "x" * 200}).encode()


def _openings(turn: int) -> list[dict[str, Any]]:
    """Hearings that never were, in years to come and not public."""
    case = {"id": "c", "case_no": "", "cause": "", "parties": {}, "public": False}
    body = {"case": case, "seats": [], "tracks": [], "court_name": "", "room_name": ""}
    at = {"kind": "open", "room_ns": turn, "utc_ns": 4 * 10**18 + turn}
    return [{**at, "number": turn * 64 + n, "hearing": f"never-{turn}-{n}", "body": body} for n in range(64)]


def _sealed_parts(turn: int) -> list[dict[str, Any]]:
    """Parts of one hearing, without number."""
    at = {"kind": "sealed_part", "hearing": "sealed-for-ever", "room_ns": turn, "utc_ns": turn}
    times = {"from_ns": turn, "to_ns": None, "level": "restricted", "by": "", "reason": ""}
    return [{**at, "number": turn * 64 + n, "body": {**times, "id": f"p{turn}-{n}"}} for n in range(64)]


def _batch(target: Target, device: RoomSigner, number: int, size: int) -> bytes:
    """One event, signed by the compromised device itself: what is too large is not for want of a signature."""
    lines = [{"id": f"l{n}", "text": "x" * 900} for n in range(size // 930)]
    at = {"number": number, "hearing": None, "kind": "note", "room_ns": 1, "utc_ns": 1}
    return _signed(target, device, [{**at, "body": {"lines": lines}}])


def _signed(target: Target, device: RoomSigner, events: list[dict[str, Any]]) -> bytes:
    return pack_batch(target.room, [event["number"] for event in events], json.dumps(events), device)
