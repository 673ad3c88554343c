"""The broker of a measured center: Mosquitto, or NATS as one node or three, each a process of its own."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from server.tls.court import CourtAuthority
from sync.errors import ConfigError
from sync.runtime.process.order import PLACES
from wutong.demo import broker_reload
from wutong.demo.broker import Account, write_config, write_tls_config
from wutong.demo.nats import PID_FILE, NatsPorts, nats_program, write_nats_config
from wutong.demo.preflight import check_port, find_program
from wutong.demo.processes import Child, DemoProcesses

CLUSTER_NODES = 3


class BrokerKind(StrEnum):
    """What stands between rooms and center."""

    MOSQUITTO = "mosquitto"
    NATS = "nats"
    NATS_CLUSTER = "nats-cluster"

    @property
    def setting(self) -> str:
        """What the center's configuration calls it."""
        return "mosquitto" if self is BrokerKind.MOSQUITTO else "nats"

    @property
    def nodes(self) -> int:
        """How many processes it is."""
        return CLUSTER_NODES if self is BrokerKind.NATS_CLUSTER else 1


class BenchedBroker:
    """Started by `start_by_certificates` or `start_by_passwords`; its processes end with the others of the run."""

    def __init__(self, folder: Path, kind: BrokerKind, first_port: int) -> None:
        """It has the ports from `first_port` on; `ConfigError` when one is in use."""
        self.kind = kind
        self._folder = folder
        numbers = range(kind.nodes)
        self._ports = [NatsPorts(*(first_port + row * kind.nodes + n for row in range(3))) for n in numbers]
        self.children: list[Child] = []
        for ports in self._ports:
            for port in (ports.mqtt,) if kind is BrokerKind.MOSQUITTO else (ports.mqtt, ports.own, ports.cluster):
                check_port(port, "the broker")

    @property
    def mqtt_ports(self) -> list[int]:
        """Where rooms and center reach it, on this machine."""
        return [ports.mqtt for ports in self._ports]

    def start_by_certificates(self, processes: DemoProcesses, court: CourtAuthority) -> None:
        """Start it by the policy, over TLS."""
        if self.kind is BrokerKind.MOSQUITTO:
            path = write_tls_config(self._folder, f"{self.mqtt_ports[0]} 127.0.0.1", court.broker_folder)
            self._start_mosquitto(processes, path)
            return
        court.admit({})  # the center lists the rooms when they are enrolled
        for number in range(self.kind.nodes):
            folder = self._folder / f"node{number + 1}"
            path = write_nats_config(folder, number, self._ports, court.broker_folder)
            command = [nats_program(), "--config", str(path)]
            self.children.append(processes.start(f"nats-{number + 1}", command, PLACES["broker"].niceness))
            # It is told of new rooms as a path unit of systemd would tell it.
            watched = [str(court.broker_folder), str(folder / PID_FILE)]
            processes.start(f"nats-reload-{number + 1}", [sys.executable, "-m", broker_reload.__name__, *watched])

    def start_by_passwords(
        self, processes: DemoProcesses, center: Account, rooms: Mapping[str, Account], *, of_center: int = 0
    ) -> None:
        """Start Mosquitto in the old way, plain; so many processes `of_center` have accounts."""
        path = write_config(self._folder, self.mqtt_ports[0], center, dict(rooms), processes=of_center)
        self._start_mosquitto(processes, path)

    async def listens(self) -> bool:
        """Whether all of it is reached."""
        for port in self.mqtt_ports:
            try:
                await asyncio.to_thread(_reach, port)
            except OSError:
                return False
        return True

    def _start_mosquitto(self, processes: DemoProcesses, path: Path) -> None:
        program = find_program("mosquitto")
        if program is None:
            raise ConfigError("the program mosquitto is missing; run `make setup`, or `apt install mosquitto`")
        self.children.append(processes.start("mosquitto", [program, "-c", str(path)], PLACES["broker"].niceness))


def _reach(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=1).close()
