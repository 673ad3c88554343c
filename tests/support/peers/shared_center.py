"""One center of several processes: a PostgreSQL, a broker and a data folder, each process on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.support.peers.center_peers import TOKENS, Served, config_text, mosquitto
from tests.support.peers.center_process import COMMAND
from tests.support.peers.device_signatures import enroll_at
from tests.support.peers.one_process import OneProcess
from tests.support.peers.postgres_server import PostgresServer
from tests.support.ports import free_port

PATIENCE_S = 150


class ProcessOfCenter(OneProcess):
    """One of them; started again it is a new one with the same data."""

    def __init__(self, folder: Path, name: str, broker_port: int, url: str) -> None:
        self.port = free_port()
        self.config = folder / f"{name}.toml"
        self.served = Served(f"http://127.0.0.1:{self.port}", broker_port, folder / "center")
        self.config.write_text(config_text(folder / "center", broker_port, self.port, url))

    def begin(self) -> None:
        """Start it; `until_it_answers` waits."""
        with self.config.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen([*COMMAND, str(self.config)], stderr=log, stdout=log)

    def until_it_answers(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            assert self._process is not None
            assert self._process.poll() is None, self.config.with_suffix(".log").read_text()[-3000:]
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.served.url}/api/session", timeout=5).status_code == 401:
                    return
            time.sleep(0.05)  # it tells nobody when it is ready
        raise AssertionError("the process did not start")


class SharedCenter:
    """Two processes of a center with the rooms of `center_peers`."""

    def __init__(
        self, postgres: PostgresServer, database: str, first: ProcessOfCenter, second: ProcessOfCenter
    ) -> None:
        self.postgres = postgres
        self.database = database
        self.first, self.second = first, second

    def begin_both(self) -> None:
        for one in (self.first, self.second):
            one.begin()
        for one in (self.first, self.second):
            one.until_it_answers()


@contextlib.contextmanager
def shared_center(folder: Path) -> Iterator[SharedCenter]:
    """Runs while the block does; its PostgreSQL is its own, so that it may be stopped."""
    broker_port = free_port()
    with PostgresServer() as postgres, mosquitto(folder, broker_port):
        database = postgres.new_database()
        url = postgres.url(database)
        center = SharedCenter(
            postgres,
            database,
            ProcessOfCenter(folder, "first", broker_port, url),
            ProcessOfCenter(folder, "second", broker_port, url),
        )
        try:
            asyncio.run(enroll_at(center.first.config, tuple(TOKENS)))
            center.begin_both()
            yield center
        finally:
            for one in (center.first, center.second):
                with contextlib.suppress(AssertionError, ProcessLookupError):
                    one.thaw()
                one.kill()
