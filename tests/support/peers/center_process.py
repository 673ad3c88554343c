"""A real center in a process of its own, for the room of the uplink's peers, at a broker with the product's rights."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.integrity.enrollment import center_key
from tests.support.files import databases
from tests.support.peers.center_peers import CODES_OPEN, Served
from tests.support.peers.device_signatures import enroll_at
from tests.support.peers.live_tab import Tab, tab
from tests.support.peers.one_process import OneProcess
from tests.support.peers.uplink_peers import ADDRESS, Mosquitto, until
from tests.support.ports import free_port

BENCH = f"{ADDRESS}/bench"
PATIENCE_S = 150
"""Processes start slowly on a machine that is busy with other things."""
COMMAND = [sys.executable, "-c", "from wutong.cli import main; main()", "server", "--config"]


class CenterProcess(OneProcess):
    """Started again it is the same center: its data stay."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.data = folder / "center"
        self.data.mkdir(parents=True)
        self.config = folder / "center.toml"
        self.port = free_port()
        self.served = Served(f"http://127.0.0.1:{self.port}", broker.port, self.data)
        rooms = ""
        for address in (ADDRESS, "jianshan/c04"):
            court, room = address.split("/")
            token = self.data / f"{room}.token"
            token.write_text(f"token-of-room-{room}-0123456789abcdef")
            token.chmod(0o600)
            rooms += f'[[rooms]]\ncourt = "{court}"\nroom = "{room}"\nroom_name = "{room}"\ntoken_file = "{token}"\n'
        password = json.dumps(str(broker.center.password_file.resolve()))
        self.config.write_text(
            f"[web]\nport = {self.port}\n[mqtt]\nport = {broker.port}\n"
            f'username = "{broker.center.username}"\npassword_file = {password}\n'
            f'{CODES_OPEN}[storage]\ndata = "{self.data}"\n{rooms}'
        )

    async def enroll(self) -> None:
        """The room's device."""
        await enroll_at(self.config, [ADDRESS])

    @property
    def key(self) -> Ed25519PublicKey:
        """By which the room knows the center."""
        return center_key(self.data).public_key()

    async def start(self) -> None:
        self._process = self._spawned()
        async with asyncio.timeout(PATIENCE_S):
            while not await self._answers():
                assert self._process.poll() is None, "the center ended by itself"
                await asyncio.sleep(0.05)

    def _spawned(self) -> subprocess.Popen[bytes]:
        with self.config.with_name("center.log").open("ab") as log:
            return subprocess.Popen([*COMMAND, str(self.config)], stderr=log)

    async def _answers(self) -> bool:
        async with httpx.AsyncClient() as http:
            try:
                return (await http.get(f"{self.served.url}/api/session")).status_code == 401
            except httpx.TransportError:
                return False

    def stored(self) -> list[int]:
        """The numbers of the room's events, in the order in which they were stored."""
        query = f"SELECT number FROM events WHERE room = '{ADDRESS}' ORDER BY rowid"
        return [int(row[0]) for row in databases.rows(self.data / "center.db", query)]

    @contextlib.asynccontextmanager
    async def watching(self, *tracks: str) -> AsyncIterator[Tab]:
        """An inspector's tab that watches these tracks of the room."""
        async with self.served.inspector() as http, tab(self.served, http, max_size=None) as one:
            await one.say(watch=[f"{ADDRESS}/{track}" for track in tracks], rooms=[ADDRESS])
            yield one


async def shows(tab: Tab, *, online: bool = True, timeout_s: float = PATIENCE_S) -> None:
    """Until the tab was told that the room is there, or is not."""

    def last() -> bool:
        rooms = [room for text in tab.texts for room in text.get("rooms", [text.get("room")])]
        known = [room for room in rooms if isinstance(room, dict) and room["address"] == ADDRESS]
        return bool(known) and known[-1]["online"] is online

    await until(last, timeout_s)
