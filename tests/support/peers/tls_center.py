"""A center that serves HTTPS, its broker that asks for certificates, and rooms that enroll as people do it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from server.center import Center
from server.config import Config, load_config
from server.running import running
from server.service import build
from server.tls.center import open_court
from server.tls.court import CourtAuthority
from sync.ledger.keys import make_key
from sync.ledger.signing_key import SigningKey
from sync.room.enrollment import enroll_at
from sync.room.paths import RoomPaths
from sync.tls.identity import TlsFiles
from sync.uplink.trust.certificate import ask_for_center
from tests.support.peers.center_peers import config_text, until
from tests.support.peers.nats_broker import NatsBroker
from tests.support.peers.tls_court import CertifiedBroker, certified_broker, shows, utc_now
from wutong.demo.broker_reload import watch
from wutong.demo.nats import PID_FILE
from wutong.enroll import new_code

ROOM, OTHER = "court1/c03", "court1/c04"
HEADERS = {"X-Wutong": "1"}


@dataclass
class TlsDoor:
    """Where a center that serves HTTPS is reached, whoever runs it."""

    url: str
    config: Config
    file: Path
    broker: CertifiedBroker | NatsBroker

    def http(self, files: TlsFiles | None = None, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client that trusts the court's authority and shows `files`."""
        context = shows(files, self.broker.authority)
        hooks = {"request": [ask_for_center]}
        return httpx.AsyncClient(
            base_url=self.url, verify=context, headers={**HEADERS, **(headers or {})}, timeout=20, event_hooks=hooks
        )

    async def enrolled(
        self, folder: Path, room: str = ROOM, key: SigningKey | None = None, hosts: Sequence[str] = ("room.example",)
    ) -> RoomPaths:
        """A room that was enrolled as people do it; `key`: its device's, made in the folder where there is none."""
        layout = RoomPaths(folder)
        code = await new_code(self.config, room)
        device = key or make_key(layout.device_key)
        await asyncio.to_thread(enroll_at, self.url, layout, room, code, utc_now(), device, hosts=hosts)
        return layout


@dataclass
class TlsCenter(TlsDoor):
    """A center that serves HTTPS in this process, with its broker."""

    center: Center


def files_of(layout: RoomPaths) -> TlsFiles:
    return TlsFiles(layout.authority, layout.tls_certificate, layout.tls_key)


def _text(data: Path, mqtt: str, more: str = "") -> str:
    """A configuration over TLS; `mqtt` are lines of `[mqtt]`, `more` of `[tls]`."""
    ours = f"[mqtt]\n{mqtt}\ntls = true\n[tls]\nloopback = true\n{more}"
    return config_text(data, 1).replace("[mqtt]\nport = 1\n", ours)


def _new(data: Path, mqtt: str, more: str = "") -> str:
    return f'[web]\nport = 0\n[mqtt]\n{mqtt}\ntls = true\n[tls]\nloopback = true\n{more}[storage]\ndata = "{data}"\n'


@contextlib.asynccontextmanager
async def served_by_tls(folder: Path, more: str = "", *, empty: bool = False) -> AsyncIterator[TlsCenter]:
    """A running center below `folder`; `more` is appended to `[tls]` of its configuration.

    `empty`: it knows no room and opens to no shared code, as one that was just installed."""
    data, file = folder / "center", folder / "center.toml"
    text = _new if empty else _text
    file.write_text(text(data, "port = 1", more))
    court = open_court(load_config(file))
    with certified_broker(folder, court) as broker:
        file.write_text(text(data, f"port = {broker.port}", more))
        async with _running(file, court, broker, [broker.pid_file]) as one:
            yield one


@contextlib.asynccontextmanager
async def served_by_nats(folder: Path, nodes: int = 1) -> AsyncIterator[TlsCenter]:
    """The same, with NATS as its broker: one node or a cluster, each told of what the center writes."""
    data, file = folder / "center", folder / "center.toml"
    file.write_text(_text(data, "port = 1"))
    court = open_court(load_config(file))
    court.admit({})  # as the center itself does it; without the file no node would start
    broker = NatsBroker(folder / "nats", court, nodes)
    brokers = json.dumps([f"{host}:{port}" for host, port in broker.places])
    file.write_text(_text(data, f'kind = "nats"\nbrokers = {brokers}'))
    try:
        await asyncio.to_thread(broker.start)
        async with _running(file, court, broker, [one / PID_FILE for one in broker.folders]) as center:
            yield center
    finally:
        await asyncio.to_thread(broker.stop)


@contextlib.asynccontextmanager
async def _running(
    file: Path, court: CourtAuthority, broker: CertifiedBroker | NatsBroker, pid_files: Sequence[Path]
) -> AsyncIterator[TlsCenter]:
    config = load_config(file)
    over = threading.Event()
    watchers = [
        threading.Thread(target=watch, args=(court.broker_folder, pid_file, over.is_set)) for pid_file in pid_files
    ]
    for watcher in watchers:
        watcher.start()
    center = build(config)
    try:
        async with running(center, "127.0.0.1", 0) as port:
            await until(lambda: center.broker.connected, 60)
            yield TlsCenter(f"https://127.0.0.1:{port}", config, file, broker, center)
    finally:
        over.set()
        for watcher in watchers:
            await asyncio.to_thread(watcher.join)
