"""One room for tests: a real edge on a free port, and the feeds that recorder and transcriber would own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
import websockets

from edge.service import serve
from hardware.profile import Profile, load_profile
from sync.http.rights.people import People
from sync.media.envelope import Envelope, Kind, pack_init
from sync.record.hearing import State
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from sync.room.follower import Follower
from sync.room.paths import RoomPaths
from sync.runtime.process.service import Lifeline
from tests.support.ports import free_port
from tests.support.quick_tls import UNTRUSTING
from tests.support.rooms.signer_peer import signing

PROFILE = """
[[seats]]
id = "judge"
roles = ["审判长"]
channel = 0
[[seats]]
id = "plaintiff"
roles = ["原告", "原告代理人"]
channel = 1
[[cameras]]
id = "bench"
name = "审判席"
driver = "simulated"
[room]
court = "jianshan"
room = "c03"
court_name = "尖山区人民法院"
room_name = "第三法庭"
[microphones]
driver = "simulated"
channels = 2
[storage]
data = "data"
reserve_gib = 0
[panel]
port = %d
"""
CASE = {
    "procedure": "ordinary",
    "vocabulary": {},
    "case_no": "(2026)黑05民初123号",
    "cause": "民间借贷纠纷",
    "title": "甲诉乙",
    "parties": {"原告": "甲"},
}


async def until(condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    """Wait for a condition; its value."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"this did not happen within {timeout_s} s")
        await asyncio.sleep(0.02)
    return value


class _Ready(Lifeline):
    def __init__(self) -> None:
        super().__init__()
        self.event = asyncio.Event()

    def ready(self) -> None:
        self.event.set()


class RecorderPeer:
    """What a recorder says of itself; `keeps` says whether it does its duty, `runs` whether anything comes in."""

    def __init__(self, layout: RoomPaths) -> None:
        self.feed = FeedServer(layout.feed("recorder"))
        self._log = RoomLog(layout.log)
        self.keeps = True
        self.runs = True
        self.speaks = True
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.feed.start()
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        follower = Follower(self._log)
        await follower.start()
        while True:
            await follower.poll()
            current = follower.current
            kept = self.keeps and current is not None and current.state is State.OPEN
            track = {"id": "bench", "kind": "video", "state": "running" if self.runs else "failed", "kept": kept}
            clock = {"source": "free-running", "error_ms": None}
            status = {"at_ns": 1, "tracks": [track], "hearing": None if current is None else current.id}
            status |= {"disk": {"free_bytes": 1, "hours_left": 1}, "clock": clock, "alarms": []}
            if self.speaks:
                self.feed.publish_json("status", status)
            await asyncio.sleep(0.05)

    def init(self, init_id: int = 1) -> None:
        message = Envelope(Kind.INIT, init_id, 0, 0, 0, 0, pack_init("video/mp4", b"init")).pack()
        self.feed.publish("init/bench", message, retain=True)

    def fragment(self, sequence: int, *, key: bool = False, size: int = 10) -> None:
        message = Envelope(Kind.FRAGMENT, 1, sequence, 0, 0, 100_000, bytes(size), key_frame=key).pack()
        self.feed.publish("frag/bench", message)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.feed.stop()
        self._log.close()


def enroll(folder: Path) -> str:
    """Make codes once for many rooms; the clerk's session cookie."""
    token, _ = People.open(folder / "access.json", {"clerk": "书记员"}).sign_in(
        json.loads((folder / "codes.json").read_text())["clerk"], "test"
    )
    return token


class Room:
    """`async with Room(folder, people, cookie) as room`: an edge with a signed-in clerk.

    `trusted`: panel and display by HTTPS, and its clients believe this context; the room has to be enrolled already.
    `more`: further tables of its profile.
    """

    def __init__(
        self, folder: Path, people: Path, cookie: str, *, trusted: ssl.SSLContext | None = None, more: str = ""
    ) -> None:
        path = folder / "room.toml"
        port = free_port()
        tls = "" if trusted is None else "[tls]\nloopback = true\n"
        path.write_text(PROFILE % port + tls + more, encoding="utf-8")
        self.profile: Profile = load_profile(path)
        self.layout = RoomPaths(self.profile.storage.data)
        self.base = f"{'http' if trusted is None else 'https'}://127.0.0.1:{port}"
        self.recorder = RecorderPeer(self.layout)
        self.transcriber = FeedServer(self.layout.feed("transcriber"))
        self.layout.data.mkdir(exist_ok=True)
        for name in ("access.json", "codes.json"):
            shutil.copy(people / name, self.layout.data / name)
        believed: Any = UNTRUSTING if trusted is None else trusted
        self.clerk, self.stranger = (
            httpx.AsyncClient(
                base_url=self.base, headers={"X-Wutong": "1"}, trust_env=False, timeout=30, verify=believed
            )
            for _ in range(2)
        )
        self.cookie = "wutong_room_jianshan_c03" if trusted is None else "__Host-wutong_room_jianshan_c03"
        self.clerk.cookies.set(self.cookie, cookie, domain="127.0.0.1")
        self._task: asyncio.Task[None] | None = None
        self._signer = contextlib.ExitStack()

    async def __aenter__(self) -> Self:
        self._signer.enter_context(signing(self.layout, self.profile.address))
        await self.recorder.start()
        await self.transcriber.start()
        self.transcriber.publish_json("status", {"state": "ready", "lag_ms": 0, "why": ""}, retain=True)
        await self.start()
        await self.until_state(lambda state: state["recorder"] and state["transcriber"])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self.recorder.stop()
        await self.transcriber.stop()
        await self.clerk.aclose()
        await self.stranger.aclose()
        await asyncio.to_thread(self._signer.close)

    @property
    def code(self) -> str:
        return str(json.loads(self.layout.access.with_name("codes.json").read_text())["clerk"])

    @property
    def token(self) -> str:
        return self.layout.display_token.read_text().strip()

    async def start(self) -> None:
        """Start the edge (again)."""
        lifeline = _Ready()
        self._task = asyncio.create_task(serve(self.profile, lifeline))
        ready = asyncio.create_task(lifeline.event.wait())
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        ready.cancel()
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def state(self) -> Any:
        return (await self.clerk.get("/api/state")).json()

    async def until_state(self, condition: Callable[[Any], Any], timeout_s: float = 60) -> Any:
        end = time.monotonic() + timeout_s
        while not condition(state := await self.state()):
            assert time.monotonic() < end, state
            await asyncio.sleep(0.05)
        return state

    async def open(self) -> Any:
        if self.recorder.speaks:  # an edge that has just started has not heard it yet, and opens nothing until then
            await self.until_state(lambda state: state["recorder"])
        answer = await self.clerk.post("/api/hearing", json=CASE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def add(self, name: str, data: bytes, title: str = "") -> httpx.Response:
        return await self.clerk.post("/api/exhibits", files={"file": (name, data)}, data={"title": title})

    def socket(self, path: str, *, origin: str | None = "", cookies: bool = True) -> Any:
        """A WebSocket as a browser of this room (or of `origin`) opens it."""
        headers = {}
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.clerk.cookies.items())
        return websockets.connect(
            self.base.replace("http", "ws") + path,
            origin=self.base if origin == "" else origin,  # type: ignore[arg-type]  # a NewType of str
            additional_headers=headers,
            proxy=None,
            max_size=2**24,
        )
