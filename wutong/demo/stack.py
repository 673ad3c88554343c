"""The whole of Wutong on one machine: broker, center, rooms. The demo and the benchmarks run it."""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from server.config import load_config
from server.tls.center import open_court
from sync.errors import ConfigError
from sync.http.rights.people import write_private
from sync.room.enrollment import is_enrolled
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner
from sync.runtime.process.order import PLACES, Service
from sync.tls.contexts import client_context, trust
from wutong.demo.broker import PID_FILE, write_tls_config
from wutong.demo.preflight import check_disk, check_port, check_programs, find_program
from wutong.demo.processes import Child, DemoProcesses
from wutong.demo.rooms import COURT, COURT_NAME, RoomPlan, plan_rooms, write_profile
from wutong.enroll import new_code
from wutong.redeem import redeem

START_S = 60
ROOM_SERVICES: tuple[Service, ...] = ("recorder", "signer", "edge", "uplink", "transcriber")
CODES_DAYS = timedelta(days=30)
"""So long who tries it may sign in by the codes that it prints."""
CENTER_NAME = "尖山区人民法院庭审督查中心"


@dataclass(frozen=True)
class Stack:
    """What runs where. Made by `start_stack`."""

    center_url: str
    center_data: Path
    rooms: list[RoomPlan]
    absent: list[RoomPlan]
    """Enrolled rooms of which nothing but the signer runs."""
    processes: DemoProcesses
    tls: bool = False
    """Whether center and panels are served by HTTPS."""
    planned: list[RoomPlan] = field(default_factory=list)
    """Rooms that the center knows, and of which nothing is there."""

    def panel_url(self, room: RoomPlan) -> str:
        """Address of a room's web server."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{room.port}"

    def addresses(self) -> list[str]:
        """Of the center and the panels."""
        return [self.center_url, *(self.panel_url(room) for room in self.rooms)]

    def trusted(self) -> ssl.SSLContext:
        """For clients of this stack: it trusts the court's authority, and each room's own."""
        context = client_context()
        own = [RoomPaths(room.data).own_authority / "authority.pem" for room in self.rooms]
        for authority in (self.center_data / "keys" / "authority.pem", *own):
            if authority.exists():
                trust(context, authority)
        return context

    def clerk_code(self, room: RoomPlan) -> str:
        """The clerk's sign-in code for a room, made at its first start."""
        return str(_read_json(room.data / "codes.json")["clerk"])

    def inspector_code(self) -> str:
        """The inspector's sign-in code, made at the center's first start."""
        return str(_read_json(self.center_data / "codes.json")["inspector"])

    def display_url(self, room: RoomPlan) -> str:
        """The display's address with its read-only token."""
        token = RoomPaths(room.data).display_token.read_text(encoding="ascii").strip()
        return f"{self.panel_url(room)}/display?token={token}"

    def child(self, name: str) -> Child:
        """A child by name: `mosquitto`, `center`, `room-01.recorder` …"""
        return next(child for child in self.processes.children if child.name == name)

    def summary(self) -> dict[str, Any]:
        """Addresses, codes and process ids, for tests and scripts."""
        return {
            "inspect_url": f"{self.center_url}/inspect",
            "inspector_code": self.inspector_code(),
            "rooms": [
                {
                    "address": room.address,
                    "panel_url": f"{self.panel_url(room)}/panel",
                    "display_url": self.display_url(room),
                    "clerk_code": self.clerk_code(room),
                    "data": str(room.data.resolve()),
                    "profile": str(room.profile.resolve()),
                }
                for room in self.rooms
            ],
            "pids": {child.name: child.pid for child in self.processes.children},
        }


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise ConfigError(
            f"the sign-in codes in {path} cannot be read; restore the file, or start afresh with another --data DIR"
        ) from None


def _wutong(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "wutong", *arguments]


async def start_stack(
    data: Path,
    hearing: Path,
    *,
    rooms: int = 1,
    absent: int = 0,
    planned: int = 0,
    port_base: int = 8800,
    tls: bool = False,
    small: bool = False,
    words: bool = True,
    cameras: int = 2,
    say: Callable[[str], None] = lambda line: None,
) -> Stack:
    """Check, configure and start everything, and return when all of it serves.

    `absent`: so many more rooms are enrolled at the center, and of their services the signer alone runs. `planned`: so
    many more the center knows, and nothing else is there of them.
    Rooms and center speak to the broker by certificates. `tls`: center and panels are served by HTTPS, and uploads are
    by certificate, too; otherwise they are plain, which never leaves this machine. `small`: rooms that cost little;
    `words` and `cameras` as in `write_profile`.
    Ports: `port_base` is the center, +1 the broker, +10… the rooms. `ConfigError` says what to do when something is in
    the way; nothing is left running then.
    """
    check_programs()
    check_disk(data)
    center_port, mqtt_port = port_base, port_base + 1
    known = plan_rooms(data, rooms + absent + planned, port_base + 10)
    every = known[: rooms + absent]
    plans = every[:rooms]
    check_port(center_port, "the center")
    check_port(mqtt_port, "the broker")
    for plan in plans:
        check_port(plan.port, f"the panel of {plan.room}")

    say("writing configuration")
    center_url = f"{'https' if tls else 'http'}://127.0.0.1:{center_port}"
    keys, center_data = data / "keys", data / "center"
    for plan in every:
        token = keys / f"{plan.room}.token"
        if not token.exists():
            write_private(token, secrets.token_urlsafe(32))
        write_profile(
            plan,
            hearing,
            center_url=center_url,
            token_file=token,
            mqtt_port=mqtt_port,
            tls=tls,
            small=small,
            words=words,
            cameras=cameras,
        )
    for plan in known[len(every) :]:
        write_private(keys / f"{plan.room}.token", secrets.token_urlsafe(32))
    center_config = _write_center(center_data, center_port, mqtt_port, keys, known, tls=tls)
    court = await asyncio.to_thread(open_court, load_config(center_config))
    broker_config = write_tls_config(data / "broker", f"{mqtt_port} 127.0.0.1", court.broker_folder)

    processes = DemoProcesses(data / "logs")
    stack = Stack(center_url, center_data, plans, every[rooms:], processes, tls, known[len(every) :])
    try:
        mosquitto = find_program("mosquitto")
        assert mosquitto is not None
        say("starting the broker and the center")
        processes.start("mosquitto", [mosquitto, "-c", str(broker_config)], PLACES["broker"].niceness)
        reload = [sys.executable, "-m", "wutong.demo.broker_reload", str(court.broker_folder)]
        processes.start("broker-reload", [*reload, str(data / "broker" / PID_FILE)])
        processes.start("center", _wutong("server", "--config", str(center_config)), PLACES["center"].niceness)
        for plan in plans:
            say(f"starting {plan.room}")
            for service in ROOM_SERVICES:
                command = _wutong("room", service, "--profile", str(plan.profile))
                processes.start(f"{plan.room}.{service}", command, PLACES[service].niceness)
        for plan in stack.absent:  # a room cannot be enrolled without what signs its request
            processes.start(f"{plan.room}.signer", _wutong("room", "signer", "--profile", str(plan.profile)))
        await _until_serving(stack, say)
        await _enroll(stack, center_config)
    except BaseException:
        await processes.stop()
        raise
    return stack


def _write_center(data: Path, port: int, mqtt_port: int, keys: Path, plans: list[RoomPlan], *, tls: bool) -> Path:
    q = json.dumps
    lines = [
        f"name = {q(CENTER_NAME, ensure_ascii=False)}",
        "[web]",
        f"port = {port}",
        "[mqtt]",
        f"port = {mqtt_port}",
        "tls = true",
        "[tls]",
        f"loopback = {q(tls)}",
        "[people]",
        f"codes_until = {datetime.now().astimezone().date() + CODES_DAYS}",
        "[storage]",
        f"data = {q(str(data.resolve()))}",
    ]
    for plan in plans:
        lines += [
            "[[rooms]]",
            f"court = {q(COURT)}",
            f"room = {q(plan.room)}",
            f"court_name = {q(COURT_NAME, ensure_ascii=False)}",
            f"room_name = {q(plan.room_name, ensure_ascii=False)}",
            f"token_file = {q(str((keys / f'{plan.room}.token').resolve()))}",
        ]
    data.mkdir(parents=True, exist_ok=True)
    path = data / "center.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


async def _enroll(stack: Stack, center_config: Path) -> None:
    """Enroll the rooms that are not, as an operator would: a code from the center, redeemed in the room."""
    config = load_config(center_config)
    for plan in (*stack.rooms, *stack.absent):
        layout = RoomPaths(plan.data)
        await _until(stack, time.monotonic() + START_S, f"the signer of {plan.room}", partial(_signs, plan))
        device = await asyncio.to_thread(RoomSigner(layout.signer_socket).public_key)
        if not is_enrolled(layout, plan.address, datetime.now(UTC), device):
            code = await new_code(config, plan.address)
            await asyncio.to_thread(redeem, plan.profile, code)


async def _until_serving(stack: Stack, say: Callable[[str], None]) -> None:
    """Wait until the center and every room answer and every track of every room runs."""
    deadline = time.monotonic() + START_S
    # Only whether it answers: panels change their certificate when they are enrolled.
    async with httpx.AsyncClient(timeout=2, verify=False) as http:  # noqa: S501
        await _until(stack, deadline, "the center", partial(_answers, http, stack.center_url))
        for plan in stack.rooms:
            await _until(stack, deadline, plan.room, partial(_answers, http, stack.panel_url(plan)))
            await _until(stack, deadline, f"the signer of {plan.room}", partial(_signs, plan))
    say("waiting for cameras and microphones")
    for plan in stack.rooms:
        await _until(stack, deadline, f"the devices of {plan.room}", partial(_records, plan))


async def _until(stack: Stack, deadline: float, what: str, ready: Callable[[], Awaitable[bool]]) -> None:
    while not await ready():
        for child in stack.processes.children:
            if child.pid is None:
                raise ConfigError(
                    f"{child.name} did not start: {child.last_words() or 'it said nothing'}; see {child.log}"
                )
        if time.monotonic() > deadline:
            raise ConfigError(f"{what} did not answer within {START_S} s; see the logs in {stack.processes.log_dir}")
        await asyncio.sleep(0.1)


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/api/session")).status_code in (200, 401)
    except httpx.HTTPError:
        return False


async def _signs(plan: RoomPlan) -> bool:
    return await asyncio.to_thread(RoomSigner(RoomPaths(plan.data).signer_socket).known_key) is not None


async def _records(plan: RoomPlan) -> bool:
    """Whether the recorder of a room says that all its tracks run."""
    client = FeedClient(RoomPaths(plan.data).feed("recorder"), ["status"])
    try:
        async with asyncio.timeout(2):
            async for _, payload in client.messages():
                tracks = json.loads(payload)["tracks"]
                return bool(tracks) and all(track["state"] == "running" for track in tracks)
    except TimeoutError:
        pass
    return False
