"""The center that is measured and its broker, as processes of their own, and rooms that are enrolled there.

As in production by certificates, center and broker over TLS. On the old way (`--plain`) center and broker are plain on
this machine, rooms by token and password; what they say is signed all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from server.config import Config, load_config
from server.integrity.enrollment import Enrollment, center_key
from server.store.database import open_database
from server.tls.center import open_court
from server.tls.court import CourtAuthority
from sync.errors import ConfigError
from sync.http.rights.people import write_private
from sync.ledger.keys import make_key
from sync.room.enrollment import enroll_at
from sync.room.paths import RoomPaths
from sync.runtime.process.order import PLACES
from sync.tls.fingerprint import joined_code
from wutong.bench.center.benched_broker import BenchedBroker, BrokerKind
from wutong.bench.center.orders import ListenerOrders, Wires
from wutong.bench.center.rooms.replayed_room import DEVICE_KEY
from wutong.demo.broker import Account, account
from wutong.demo.preflight import check_port, check_programs
from wutong.demo.processes import Child, DemoProcesses
from wutong.enroll import fingerprint_of

COURT = "bench"
START_S = 60
STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class BenchedRoom:
    """A room that the center knows. Token and password are of the old way, else empty."""

    address: str
    data: Path
    token: str
    password: str


class MeasuredCenter:
    """Made by `start`; `stop` ends what it started, by its process ids."""

    def __init__(
        self, folder: Path, wires: Wires, rooms: Sequence[BenchedRoom], config: Config, broker: BenchedBroker
    ) -> None:
        self.folder = folder
        self.wires = wires
        self.rooms = list(rooms)
        self.config = config
        self.processes = DemoProcesses(folder / "logs")
        self.broker = broker
        self.court: CourtAuthority | None = None
        self._center: Child | None = None

    @classmethod
    async def start(
        cls,
        folder: Path,
        rooms_folder: Path,
        count: int,
        port_base: int,
        *,
        tls: bool,
        kind: BrokerKind = BrokerKind.MOSQUITTO,
        database: str = "",
        enroll: Callable[[MeasuredCenter], None] | None = None,
        processes: int = 0,
        lease_s: float | None = None,
    ) -> MeasuredCenter:
        """Start broker and center and enroll `count` rooms, whose data are below `rooms_folder`.

        `database`: its address; empty: SQLite. `enroll`: how all rooms become known before the center starts, in place
        of one after the other as an operator does it. So many numbered `processes` may come in the place of the one
        that is started, each with leases of `lease_s`. `ConfigError` when something is in the way; nothing is left
        running then.
        """
        check_programs()
        check_port(port_base, "the center")
        broker = BenchedBroker(folder / "broker", kind, port_base + 1)
        wires = Wires(f"{'https' if tls else 'http'}://127.0.0.1:{port_base}", broker.mqtt_ports, tls)
        rooms = [_room(folder, rooms_folder, number, tls=tls) for number in range(1, count + 1)]
        path = _write_center(folder, wires, rooms, kind, database, lease_s)
        self = cls(folder, wires, rooms, load_config(path), broker)
        self.court = await asyncio.to_thread(open_court, self.config)
        try:
            await self._start_broker(self.court, processes)
            if enroll is not None:
                await asyncio.to_thread(enroll, self)
            command = [sys.executable, "-m", "wutong", "server", "--config", str(path)]
            self._center = self.processes.start("center", command, PLACES["center"].niceness)
            await _until(self._answers, self._center, "the center")
            if enroll is None:
                await self._enroll()
        except BaseException:
            await self.stop()
            raise
        return self

    @property
    def center(self) -> Child:
        """The process that is measured."""
        assert self._center is not None
        return self._center

    @property
    def data(self) -> Path:
        """The center's data folder."""
        return self.config.storage.data

    @property
    def code(self) -> str:
        """The inspectors' sign-in code."""
        return str(json.loads((self.data / "codes.json").read_text(encoding="utf-8"))["inspector"])

    @property
    def authority(self) -> Path:
        """The certificate that everybody trusts."""
        return self.data / "keys" / "authority.pem"

    def listener(self) -> ListenerOrders:
        """For who listens to all rooms in the place of the center, when that is gone."""
        assert self.court is not None
        files = self.court.files
        user = "" if self.wires.tls else self.config.mqtt.username
        return ListenerOrders(
            self.wires,
            str(files.authority),
            str(files.certificate),
            str(files.key),
            user,
            self.config.mqtt_password(),
        )

    async def stop_center(self) -> None:
        """End the center alone, in order."""
        process = self.center.process
        if process is not None and process.poll() is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    while process.poll() is None:
                        await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End everything."""
        await self.processes.stop()

    async def _start_broker(self, court: CourtAuthority, processes: int) -> None:
        if self.wires.tls:
            self.broker.start_by_certificates(self.processes, court)
        else:
            accounts = {one.address: account(self.folder / "keys", one.address) for one in self.rooms}
            center = Account("center", _center_password(self.folder))
            self.broker.start_by_passwords(self.processes, center, accounts, of_center=processes)
        for child in self.broker.children:
            await _until(self.broker.listens, child, "the broker")

    async def _answers(self) -> bool:
        try:
            # Only whether it answers.
            async with httpx.AsyncClient(timeout=2, verify=False, trust_env=False) as http:  # noqa: S501
                return (await http.get(f"{self.wires.center_url}/api/session")).status_code == 401
        except httpx.HTTPError:
            return False

    async def _enroll(self) -> None:
        """As an operator would: a code for each room from the center, redeemed in the room."""
        assert self.court is not None
        fingerprint = await asyncio.to_thread(fingerprint_of, self.config)
        database = await asyncio.to_thread(open_database, self.config.database_url)
        try:
            enrollment = Enrollment(database, center_key(self.data), self.court)
            for room in self.rooms:
                code = joined_code(await enrollment.new_code(room.address), fingerprint)
                await asyncio.to_thread(self._redeem, room, code)
        finally:
            database.close()

    def _redeem(self, room: BenchedRoom, code: str) -> None:
        layout = RoomPaths(room.data)
        key = make_key(layout.keys / DEVICE_KEY)
        now = dt.datetime.now(dt.UTC)
        enroll_at(self.wires.center_url, layout, room.address, code, now, key, hosts=["127.0.0.1"])


def _center_password(folder: Path) -> Path:
    return account(folder / "keys", "center").password_file


def _room(folder: Path, rooms_folder: Path, number: int, *, tls: bool) -> BenchedRoom:
    address = f"{COURT}/r{number:03}"
    data = rooms_folder / f"r{number:03}"
    data.mkdir(parents=True)
    keys = RoomPaths(data).keys
    keys.mkdir(mode=0o700)
    if tls:
        return BenchedRoom(address, data, "", "")
    secret = account(folder / "keys", address).password_file.read_text(encoding="utf-8")
    token = secrets.token_urlsafe(32)
    write_private(folder / "keys" / f"r{number:03}.token", token)
    return BenchedRoom(address, data, token, secret)


def _write_center(
    folder: Path,
    wires: Wires,
    rooms: Sequence[BenchedRoom],
    kind: BrokerKind,
    database: str,
    lease_s: float | None,
) -> Path:
    q = json.dumps
    data = (folder / "center").resolve()
    lines = [
        "[web]",
        f"port = {wires.center_url.rpartition(':')[2]}",
        "[mqtt]",
        f"kind = {q(kind.setting)}",
        f"brokers = {q([f'127.0.0.1:{port}' for port in wires.mqtt_ports])}",
        f"tls = {q(wires.tls)}",
    ]
    if not wires.tls:
        lines += ['username = "center"', f"password_file = {q(str(_center_password(folder).resolve()))}"]
    lines += ["[tls]", f"loopback = {q(wires.tls)}", "[people]", "codes_until = 2099-12-31"]
    lines += ["[storage]", f"data = {q(str(data))}"]
    if database:
        lines.append(f"database = {q(database)}")
    if lease_s is not None:
        lines.append(f"lease_s = {lease_s}")
    for room in rooms:
        lines += ["[[rooms]]", f"court = {q(COURT)}", f"room = {q(room.address.partition('/')[2])}"]
        if room.token:
            file = folder / "keys" / f"{room.address.partition('/')[2]}.token"
            lines.append(f"token_file = {q(str(file.resolve()))}")
    data.mkdir(parents=True)
    path = folder / "center.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


async def _until(true: Callable[[], Awaitable[bool]], child: Child, what: str) -> None:
    deadline = time.monotonic() + START_S
    while not await true():
        if child.pid is None or time.monotonic() > deadline:
            raise ConfigError(f"{what} did not start: {child.last_words() or 'it said nothing'}; see {child.log}")
        await asyncio.sleep(0.1)
