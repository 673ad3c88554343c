"""The other end of an uplink for tests: Mosquitto, a receiver with receipts, a tus server, a line that breaks."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request, Response
from fastapi.routing import APIRoute
from paho.mqtt.enums import CallbackAPIVersion
from tuspyserver import create_tus_router

from sync import topics
from sync.broker_address import BrokerAddress
from sync.http.rights.rules import public
from sync.http.serve import new_app
from sync.ledger.messages.object_claim import sign_stored
from sync.ledger.messages.receipts import Receipts, RefusedEvent, StoredEvent
from sync.ledger.messages.signed_message import Purpose, text_digest
from sync.record.event import Event, event_digest
from tests.support.peers.device_signatures import CENTER_KEY, center_says
from tests.support.peers.line_relay import Ends, LineRelay
from tests.support.peers.one_process import OneProcess
from tests.support.ports import free_port
from wutong.bench.threaded_client import ThreadedClient
from wutong.demo.broker import Account, account, write_config

ADDRESS = "jianshan/c03"
PREFIX = topics.of_room(ADDRESS)


async def until(condition: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """Wait for a condition; its value."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"this did not happen within {timeout_s} s: {condition}")
        await asyncio.sleep(0.02)
    return value


class Mosquitto(OneProcess):
    """A broker with the product's own passwords and access list; can be killed and started again."""

    def __init__(self, folder: Path, *, max_packet_bytes: int | None = None, more: tuple[str, ...] = ()) -> None:
        """Of a court's own broker: `max_packet_bytes`, less than ours takes; `more` settings, which stand for ours."""
        self.port = free_port()
        self.center = account(folder, "center")
        self.room = account(folder, "room")
        self.other = account(folder, "other")
        rooms = {ADDRESS: self.room, "jianshan/c04": self.other}
        self._config = write_config(folder, self.port, self.center, rooms)
        if max_packet_bytes is not None:
            more = (f"max_packet_size {max_packet_bytes}", *more)
        replaced = tuple(line.split()[0] + " " for line in more)
        ours = [line for line in self._config.read_text().splitlines() if not (more and line.startswith(replaced))]
        self._config.write_text("\n".join([*more, *ours]) + "\n")

    def start(self) -> None:
        self._process = subprocess.Popen(["mosquitto", "-c", str(self._config)], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            time.sleep(0.02)
        raise AssertionError("mosquitto did not start")

    def address(self, who: Account | None = None) -> BrokerAddress:
        one = who or self.room
        return BrokerAddress(
            "127.0.0.1", self.port, f"test-{one.username}", one.username, one.password_file.read_text()
        )


class CenterPeer:
    """Receives what a room publishes, and answers events with signed receipts while `receipting`."""

    def __init__(self, broker: Mosquitto) -> None:
        self.events: dict[int, dict[str, Any]] = {}
        self.heard: Counter[int] = Counter()
        self.batches: list[str] = []
        """The texts of the batches that came, as often as they came."""
        self.messages: list[tuple[str, bytes]] = []
        self.receipting = True
        self._lock = threading.Lock()
        client = ThreadedClient(CallbackAPIVersion.VERSION2, client_id="test-center", protocol=mqtt.MQTTv311)
        client.username_pw_set(broker.center.username, broker.center.password_file.read_text())
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda c, *_: c.subscribe("court/v1/#", 1)
        client.on_message = self._take
        client.connect_async("127.0.0.1", broker.port, keepalive=10)
        client.loop_start()
        self.client = client

    def _take(self, _client: Any, _userdata: Any, message: Any) -> None:
        with self._lock:
            self.messages.append((message.topic, bytes(message.payload)))
            if message.topic.endswith("/events"):
                text = json.loads(message.payload)["events"]
                self.batches.append(text)
                events = json.loads(text)
                for event in events:
                    self.events[event["number"]] = event
                    self.heard[event["number"]] += 1
                if self.receipting:
                    self.receipt([event["number"] for event in events])

    def receipt(self, numbers: list[int]) -> None:
        """Say that these are stored, as they came; of what never came, as something else."""
        stored = [StoredEvent(number=n, sha256=self._digest(n)) for n in numbers]
        self.answer(Receipts(stored=stored))

    def refuse(self, numbers: list[int]) -> None:
        """Say that these will not be taken, as each batch that came said them."""
        refused = [
            RefusedEvent(number=event["number"], batch=text_digest(text))
            for text in self.batches
            for event in json.loads(text)
            if event["number"] in numbers
        ]
        self.answer(Receipts(refused=refused))

    def answer(self, receipts: Receipts) -> None:
        self.say("receipts", receipts.model_dump())

    def _digest(self, number: int) -> str:
        event = self.events.get(number)
        return "0" * 64 if event is None else event_digest(Event.from_json(event))

    def on(self, ending: str) -> list[bytes]:
        with self._lock:
            return [payload for topic, payload in self.messages if topic == f"{PREFIX}/{ending}"]

    def say(self, topic: Purpose, value: Any) -> None:
        """Signed by the center's key, now."""
        message = center_says(topic, ADDRESS, value, time.time_ns())
        self.client.publish(f"{PREFIX}/{topic}", message, qos=1)

    def say_plain(self, topic: str, value: Any) -> None:
        """Signed by nobody, or by a note in it."""
        self.client.publish(f"{PREFIX}/{topic}", json.dumps(value), qos=1)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class UploadPeer:
    """tuspyserver and `POST /api/objects` as the protocol has it; keeps objects in memory."""

    def __init__(self, folder: Path) -> None:
        self.objects: dict[str, bytes] = {}
        self.posts: list[dict[str, Any]] = []
        self.folder = folder
        self.spoil = 0
        """So many confirmations find other bytes than were sent."""
        self.key: Ed25519PrivateKey | None = CENTER_KEY
        self.app = new_app("uploads")
        self.app.router.routes.extend(create_tus_router(prefix="/api/uploads", files_dir=str(folder)).routes)

        @self.app.post("/api/objects")
        async def objects(request: Request) -> Response:
            body = await request.json()
            self.posts.append(body)
            path = self.folder / body["upload"]
            if not path.exists() and body["sha256"] not in self.objects:
                return Response(status_code=404)
            data = path.read_bytes() if path.exists() else self.objects[body["sha256"]]
            if self.spoil:
                self.spoil -= 1
                data += b"!"
            if hashlib.sha256(data).hexdigest() != body["sha256"] or len(data) != body["bytes"]:
                return Response('{"code":"checksum"}', 409)
            known = body["sha256"] in self.objects
            self.objects[body["sha256"]] = data
            stored_utc_ns = time.time_ns()
            answer = {"sha256": body["sha256"], "stored_utc_ns": stored_utc_ns}
            if self.key is not None:
                answer["note"] = sign_stored({"track": "", "index": 0, **body}, stored_utc_ns, self.key)
            return Response(json.dumps(answer), 200 if known else 201, media_type="application/json")

        for route in self.app.router.routes:
            assert isinstance(route, APIRoute)
            public()(route.endpoint)

    def partial_bytes(self) -> int:
        """What uploads hold that are not finished."""
        return sum(p.stat().st_size for p in self.folder.glob("*") if len(p.name) == 32)


class BreakingLine(LineRelay):
    """A TCP line to `port` that is cut after a random number of bytes, again and again, `cuts` times."""

    def __init__(self, port: int, cuts: int, seed: int = 1) -> None:
        super().__init__(port)
        self._random = random.Random(seed)
        self.cuts = cuts
        self.done = 0

    async def _serve(self, down: Ends, up: Ends) -> None:
        left = self._random.randrange(20_000, 900_000) if self.done < self.cuts else None
        back = asyncio.create_task(self._pump(up[0], down[1], None))
        try:
            await self._pump(down[0], up[1], left)
            if left is not None:
                self.done += 1
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(16_384):
                if left is not None:
                    left -= len(data)
                    if left < 0:
                        return
                writer.write(data)
                await writer.drain()
            writer.close()


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content
