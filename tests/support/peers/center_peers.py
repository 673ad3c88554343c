"""Real peers for the center's tests: a broker of our own, a room that speaks MQTT and tus, small fragmented MP4."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from paho.mqtt.enums import CallbackAPIVersion

from sync import topics
from sync.uplink.files.tus import TusClient
from tests.support.peers.device_signatures import device_key, enroll_devices, signed_batch
from tests.support.quick_tls import UNTRUSTING
from wutong.bench.threaded_client import ThreadedClient

TOKENS = {"court1/c03": "token-of-room-c03-0123456789abcdef", "court1/c04": "token-of-room-c04-0123456789abcdef"}
ROOM_NS = 1_000_000_000_000
CODES_OPEN = "[people]\ncodes_until = 2099-12-31\n"
"""Of a center whose roles sign in by shared codes, as most tests of what they see do."""


@contextlib.contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A broker on `port`, stopped by its pid."""
    config = folder / f"mosquitto-{port}.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nretain_available false\n"
        "max_queued_messages 10000\n"
    )
    process = subprocess.Popen(["mosquitto", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.02)  # Mosquitto tells nobody when it is ready
        else:
            raise AssertionError("mosquitto did not start")
        yield process
    finally:
        process.terminate()
        process.wait(5)


async def until(condition: Callable[[], Any], timeout_s: float = 60) -> Any:
    """Wait until `condition()` is true and return its value."""
    try:
        async with asyncio.timeout(timeout_s):
            while not (value := condition()):
                await asyncio.sleep(0.02)
            return value
    except TimeoutError:
        code = condition.__code__
        raise TimeoutError(f"not within {timeout_s} s: {code.co_filename}:{code.co_firstlineno}") from None


@dataclass
class RoomPeer:
    """A courtroom as the center sees it, over a real connection."""

    port: int
    address: str = "court1/c03"
    received: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = device_key(self.address)
        self._client = ThreadedClient(CallbackAPIVersion.VERSION2, client_id=f"peer-{uuid.uuid4().hex}")
        self._client.max_inflight_messages_set(1000)
        self._client.will_set(f"{topics.of_room(self.address)}/status", b'{"online":false}', qos=1)
        self.ready = False
        self._client.on_connect = lambda c, *_: c.subscribe(
            [(f"{topics.of_room(self.address)}/{t}", 1) for t in topics.ROOM_READS]
        )
        self._client.on_subscribe = lambda *_: setattr(self, "ready", True)
        self._client.on_message = self._take

    def _take(self, _client: Any, _userdata: Any, message: Any) -> None:
        topic = message.topic.rsplit("/", 1)[-1]
        value = json.loads(message.payload)
        self.received.append((topic, json.loads(value[topic]) if topic in value else value))

    async def start(self) -> RoomPeer:
        """Connect and subscribe."""
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        await until(lambda: self.ready)
        return self

    def stop(self) -> None:
        """Disconnect in good order."""
        self._client.disconnect()
        self._client.loop_stop()

    def crash(self) -> None:
        """Vanish, as a device whose cable is pulled: the broker publishes the will."""
        sock = self._client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes | dict[str, Any], *, qos: int = 1) -> None:
        """Publish below the room's prefix; an event leaves signed by the room's device."""
        if topic == "events" and isinstance(payload, dict):
            payload = signed_batch(self.address, payload, key=self.key)
        data = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        self._client.publish(f"{topics.of_room(self.address)}/{topic}", data, qos=qos)

    def of(self, topic: str) -> list[Any]:
        """What came on a topic so far."""
        return [value for name, value in self.received if name == topic]

    def demands(self) -> list[Any]:
        """What was asked for so far, whatever it was called."""
        return [{key: value for key, value in one.items() if key in ("tracks", "levels")} for one in self.of("demand")]

    def receipts(self) -> set[int]:
        """All numbers receipted so far."""
        return {one["number"] for value in self.of("receipts") for one in value["stored"]}

    def refused(self) -> list[int]:
        """All numbers refused so far."""
        return [one["number"] for value in self.of("receipts") for one in value["refused"]]


def event(
    number: int, kind: str, body: dict[str, Any], *, hearing: str | None = "h1", at_ms: int = 0
) -> dict[str, Any]:
    """An event as a room sends it."""
    return {
        "number": number,
        "hearing": hearing,
        "kind": kind,
        "room_ns": ROOM_NS + at_ms * 1_000_000,
        "utc_ns": 1_795_000_000_000_000_000 + at_ms * 1_000_000,
        "body": body,
    }


def opening(number: int, **more: Any) -> dict[str, Any]:
    """The opening of a hearing with one camera."""
    body = {
        "case": {
            "id": "c1",
            "case_no": "(2026)黑05民初123号",
            "cause": "民间借贷",
            "parties": {"原告": "张三"},
            "public": True,
        },
        "seats": [{"id": "judge", "role": "审判长", "roles": ["审判长"], "channel": 0}],
        "tracks": [{"id": "bench", "kind": "video", "name": "审判席"}],
        "court_name": "尖山区人民法院",
        "room_name": "第三法庭",
    }
    return event(number, "open", body, **more)


def said(number: int, text: str, *, role: str = "审判长", at_ms: int = 0, **more: Any) -> dict[str, Any]:
    """An utterance."""
    body = {"id": f"u{number}", "seat": "judge", "role": role, "text": text, "confidence": 0.9, "words": []}
    start = ROOM_NS + at_ms * 1_000_000
    return event(number, "utterance", {**body, "start_ns": start, "end_ns": start + 10**9}, at_ms=at_ms, **more)


@dataclass
class Served:
    """A center under test."""

    url: str
    broker_port: int
    data: Path
    center: Any = None

    def code(self, role: str = "inspector") -> str:
        """The sign-in code of a role."""
        return str(json.loads((self.data / "codes.json").read_text())[role])

    @contextlib.asynccontextmanager
    async def inspector(self, role: str = "inspector") -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who is signed in, an inspector unless said otherwise."""
        async with httpx.AsyncClient(
            base_url=self.url, headers={"X-Wutong": "1"}, timeout=20, verify=UNTRUSTING
        ) as http:
            answer = await http.post("/api/session", json={"code": self.code(role)})
            assert answer.status_code == 200, answer.text
            yield http

    async def enroll(self, *addresses: str) -> None:
        """Enroll the devices of these rooms, of all that the center knows unless said otherwise."""
        await enroll_devices(self.center.enrollment, addresses or tuple(TOKENS))

    async def audited(self, what: str) -> list[dict[str, Any]]:
        """The audit log's lines of one kind, once there are any: it is written behind."""
        async with asyncio.timeout(15):
            while not (rows := await self.center.archive.audited(what)):
                await asyncio.sleep(0.02)
            return list(rows)

    @contextlib.asynccontextmanager
    async def uploader(self, room: str = "court1/c03") -> AsyncIterator[tuple[TusClient, httpx.AsyncClient]]:
        """The room's own upload client."""
        headers = {"Authorization": f"Bearer {TOKENS[room]}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20, verify=UNTRUSTING) as http:
            yield TusClient(http), http


def config_text(data: Path, broker_port: int, port: int = 0, database: str = "", objects: str = "") -> str:
    """The center's TOML for two rooms; `database`: a URL, or nothing for SQLite in the data folder; `objects`: the
    table `[s3]`, or nothing for the folder."""
    rooms = ""
    for address, token in TOKENS.items():
        court, room = address.split("/")
        file = data / f"{room}.token"
        data.mkdir(parents=True, exist_ok=True)
        file.write_text(token)
        file.chmod(0o600)
        rooms += f'[[rooms]]\ncourt = "{court}"\nroom = "{room}"\nroom_name = "{room}"\ntoken_file = "{file}"\n'
    stored = f'data = "{data}"\n' + (f'database = "{database}"\n' if database else "")
    stored += 'objects = "s3"\n' if objects else ""
    return f"[web]\nport = {port}\n[mqtt]\nport = {broker_port}\n{CODES_OPEN}[storage]\n{stored}{rooms}{objects}"


def metadata(place: int, *, room: str = "court1/c03", track: str = "bench", hearing: str = "h1") -> dict[str, str]:
    """What a room says when it begins to upload a segment."""
    return {
        "room": room,
        "hearing": hearing,
        "kind": "segment",
        "track": track,
        "index": str(place),
        "name": f"{place:05}.mp4",
    }


def fragmented_mp4(path: Path, *, seconds: float = 4) -> bytes:
    """A small H.264 file of 160 ms fragments with a key frame a second."""
    command = (
        f"ffmpeg -v error -y -f lavfi -i testsrc2=size=160x120:rate=25 -t {seconds} -c:v libx264 -preset ultrafast "
        "-bf 0 -g 25 -keyint_min 25 -sc_threshold 0 -pix_fmt yuv420p "
        "-movflags empty_moov+default_base_moof+frag_keyframe -frag_duration 160000 -f mp4"
    )
    subprocess.run([*command.split(), str(path)], check=True, timeout=60)
    return path.read_bytes()
