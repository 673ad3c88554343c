"""NATS as a court would run it, one node or three, with the product's own policy and what a center writes for it."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

from server.tls.court import CourtAuthority
from sync.broker_address import BrokerAddress
from tests.support.ports import free_port
from wutong.demo.nats import NatsPorts, nats_program, write_nats_config

PATIENCE_S = 60


class NatsBroker:
    """Whoever uses it stops what it started; each process by its own id."""

    def __init__(self, folder: Path, court: CourtAuthority, nodes: int = 1) -> None:
        self.court = court
        ports = [free_port() for _ in range(3 * nodes)]
        self.ports = [NatsPorts(*ports[3 * number : 3 * number + 3]) for number in range(nodes)]
        self.folders = [folder / f"node{number + 1}" for number in range(nodes)]
        self._configs = [
            write_nats_config(folder, number, self.ports, court.broker_folder)
            for number, folder in enumerate(self.folders)
        ]
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def authority(self) -> Path:
        """Whom a client trusts."""
        return self.court.files.authority

    @property
    def port(self) -> int:
        """Of the first node."""
        return self.ports[0].mqtt

    @property
    def places(self) -> list[tuple[str, int]]:
        return [("127.0.0.1", ports.mqtt) for ports in self.ports]

    def start(self, *numbers: int) -> None:
        """These nodes, or all; wait until each listens."""
        for number in numbers or range(len(self.ports)):
            with (self.folders[number] / "log").open("ab") as log:
                command = [nats_program(), "--config", str(self._configs[number])]
                self._running[number] = subprocess.Popen(command, stdout=log, stderr=log)
        for number in numbers or range(len(self.ports)):
            self._wait(number)

    def _wait(self, number: int) -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.ports[number].mqtt), 0.2).close()
                return
            assert self._running[number].poll() is None, self.log(number)
            time.sleep(0.02)  # it tells nobody when it is ready
        raise AssertionError(f"NATS did not start: {self.log(number)}")

    def log(self, number: int = 0) -> str:
        return (self.folders[number] / "log").read_text(errors="replace")

    def read_again(self) -> None:
        """What the path unit does."""
        for process in self._running.values():
            process.send_signal(signal.SIGHUP)

    def kill(self, number: int = 0) -> None:
        """End a node without a word."""
        process = self._running.pop(number)
        process.kill()
        process.wait()

    def pid(self, number: int = 0) -> int:
        return self._running[number].pid

    def stop(self) -> None:
        for number in list(self._running):
            self.kill(number)

    def address(self, client_id: str, tls: ssl.SSLContext) -> BrokerAddress:
        """All nodes, the first one first."""
        return BrokerAddress.of(self.places, client_id, tls=tls)
