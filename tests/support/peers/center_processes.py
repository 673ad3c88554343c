"""Several processes of one center: on a PostgreSQL and a Mosquitto of the tests', with the product's own accounts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

from server.leases.center_process import LEASE_S
from sync.broker_address import BrokerAddress
from tests.support.peers.center_peers import CODES_OPEN, Served
from tests.support.peers.device_signatures import enroll_at
from tests.support.peers.forked_commands import ForkedCommand
from tests.support.peers.one_process import OneProcess
from tests.support.peers.postgres_server import PostgresServer
from tests.support.peers.real_room import SendingRoom, sending_room
from tests.support.ports import free_port, free_ports
from wutong.demo.broker import Account, account, write_config

PATIENCE_S = 120
"""Processes start slowly on a machine that is busy with other things."""

OWNERS = (
    "SELECT l.shard, p.address FROM leases l JOIN center_processes p ON p.name = l.owner"
    " WHERE l.until_ms > (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
)
"""Asks which shard is whose."""


class RightsBroker(OneProcess):
    """Mosquitto with the product's access list: rooms, and processes of a center, each with its own account."""

    def __init__(self, folder: Path, rooms: Collection[str], processes: int) -> None:
        folder.mkdir(parents=True)
        self.port = free_port()
        self.center = account(folder, "center")
        self.rooms = {room: account(folder, room.replace("/", "-")) for room in rooms}
        self._config = write_config(folder, self.port, self.center, self.rooms, processes=processes)

    def start(self) -> None:
        """Run it, until it listens."""
        self._process = subprocess.Popen(["mosquitto", "-c", str(self._config)], stderr=subprocess.DEVNULL)
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            time.sleep(0.02)  # it tells nobody when it is ready
        raise AssertionError("mosquitto did not start")

    def address(self, who: Account, client_id: str) -> BrokerAddress:
        """As a client has it."""
        return BrokerAddress("127.0.0.1", self.port, client_id, who.username, who.password_file.read_text())


class NumberedProcess(OneProcess):
    """One of them."""

    _process: Any = None
    """A `ForkedCommand`."""

    def __init__(
        self, config: Path, number: int, port: int, tls: ssl.SSLContext | None = None, *, is_gateway: bool = False
    ) -> None:
        """`tls`: by which it is asked where it serves HTTPS."""
        self.number, self.port, self.is_gateway = number, port, is_gateway
        self.url = f"http://127.0.0.1:{port}" if tls is None else f"https://127.0.0.1:{port}"
        self._config = config
        self._tls = tls

    @property
    def runs(self) -> bool:
        """Whether it was started and not ended."""
        return self._process is not None

    def start(self) -> None:
        """Begin to start it."""
        arguments = ["server", "--config", str(self._config), "--process", str(self.number)]
        arguments += ["--gateway"] if self.is_gateway else []
        self._process = ForkedCommand(arguments, self._config.with_name(f"center-{self.number}.log"))

    def wait(self) -> None:
        """Until it answers."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            assert self._process is not None
            assert self._process.poll() is None, "the process ended by itself"
            with contextlib.suppress(OSError, HTTPException):
                if self._status() == 401:
                    return
            time.sleep(0.05)  # nor does it
        raise AssertionError("the process did not start")

    def _status(self) -> int:
        """To a stranger; without all that a client of the product makes for a connection."""
        line: HTTPConnection = (
            HTTPConnection("127.0.0.1", self.port, timeout=5)
            if self._tls is None
            else HTTPSConnection("127.0.0.1", self.port, timeout=5, context=self._tls)
        )
        try:
            line.request("GET", "/api/session")
            return line.getresponse().status
        finally:
            line.close()

    def stop(self) -> int:
        """In good order; its exit code."""
        process: ForkedCommand = self._process
        self._process = None
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE_S)


class CenterProcesses:
    """A center of so many processes; `with` begins and ends them, and the broker."""

    def __init__(
        self, folder: Path, postgres: PostgresServer, rooms: Sequence[str], count: int, gateways: int, lease_s: float
    ) -> None:
        self.folder, self.postgres = folder, postgres
        self.data = folder / "center"
        self.data.mkdir(parents=True)
        self.database = postgres.new_database()
        self.broker = RightsBroker(folder / "broker", rooms, count)
        base = free_ports(count + 1)
        self.config = folder / "center.toml"
        listed = ""
        for room in rooms:
            court, name = room.split("/")
            token = folder / f"{court}-{name}.token"
            token.write_text(token_of(room))
            token.chmod(0o600)
            listed += f'[[rooms]]\ncourt = "{court}"\nroom = "{name}"\ntoken_file = "{token}"\n'
        password = json.dumps(str(self.broker.center.password_file.resolve()))
        database = postgres.url(self.database)
        self.config.write_text(
            f"[web]\nport = {base}\n[mqtt]\nport = {self.broker.port}\n"
            f'username = "{self.broker.center.username}"\npassword_file = {password}\n'
            f'{CODES_OPEN}[storage]\ndata = "{self.data}"\ndatabase = "{database}"\nlease_s = {lease_s}\n{listed}'
        )
        self.processes = [
            NumberedProcess(self.config, number, base + number, is_gateway=number > count - gateways)
            for number in range(1, count + 1)
        ]

    async def enroll(self, rooms: Sequence[str]) -> None:
        """The devices of these rooms; it makes the tables, too."""
        await enroll_at(self.config, rooms)

    def start(self) -> None:
        """The broker and all processes that do not run."""
        if self.broker._process is None:
            self.broker.start()
        if not (self.data / "codes.json").exists():
            self.processes[0].start()  # the first start of a center is that of one process
            self.processes[0].wait()
        for one in self.processes:
            if not one.runs:
                one.start()
        for one in self.processes:
            one.wait()

    def end(self) -> None:
        """Everything, at once."""
        for one in self.processes:
            with contextlib.suppress(ProcessLookupError, AssertionError):
                one.thaw()
            one.kill()
        self.broker.kill()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database has."""
        return self.postgres.run(query, database=self.database)

    def stored(self, room: str) -> list[tuple[int, str]]:
        """(number, digest) of the room's events, as often as each is there."""
        return [(int(n), str(d)) for n, d in self.rows(f"SELECT number, sha256 FROM events WHERE room = '{room}'")]

    def owners(self) -> dict[int, str]:
        """shard -> address of the process that owns it; those of none are missing."""
        return {int(shard): str(address) for shard, address in self.rows(OWNERS)}

    def served(self, number: int) -> Served:
        """One of the processes, as its visitors see it."""
        return Served(self.processes[number - 1].url, self.broker.port, self.data)

    @contextlib.asynccontextmanager
    async def sending(self, folder: Path, rooms: Sequence[str]) -> AsyncIterator[dict[str, SendingRoom]]:
        """These rooms, each on its way to the broker."""
        async with contextlib.AsyncExitStack() as stack:
            made = {}
            for room in rooms:
                address = self.broker.address(self.broker.rooms[room], f"room-{room}")
                one = sending_room(self.data, folder / room.replace("/", "-"), address, address=room)
                made[room] = await stack.enter_async_context(one)
            yield made


def token_of(room: str) -> str:
    """The bearer token of a room."""
    return f"token-of-room-{room.replace('/', '-')}-0123456789abcdef"


@contextlib.contextmanager
def center_processes(
    folder: Path,
    postgres: PostgresServer,
    rooms: Sequence[str],
    count: int,
    *,
    gateways: int = 0,
    lease_s: float = LEASE_S,
) -> Iterator[CenterProcesses]:
    """Not started yet; the last of the processes are the `gateways`."""
    made = CenterProcesses(folder, postgres, rooms, count, gateways, lease_s)
    try:
        yield made
    finally:
        made.end()
        if os.environ.get("WUTONG_KEEP_LOGS"):
            for log in sorted(folder.glob("center-*.log")):
                print(log.name, log.read_text(), sep="\n")
