"""What the processes of `wutong bench center` are told when they start: one file of JSON for each, mode 0600."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from sync.broker_address import BrokerAddress
from sync.room.paths import RoomPaths
from sync.runtime.files.durable_files import replace_file
from sync.tls.identity import TlsFiles, TlsIdentity


@dataclass(frozen=True, slots=True)
class Wires:
    """Where center and broker are, and whether both are spoken to over TLS, by certificate."""

    center_url: str
    mqtt_ports: list[int]
    """Of each machine of the broker, all on this one."""
    tls: bool


@dataclass(frozen=True, slots=True)
class RoomOrders:
    """One simulated room. Secrets are those of the run, which ends with its folder."""

    address: str
    """`court/room`."""
    data: str
    """Its data folder."""
    phase_s: float
    """Where in the script its first hearing begins."""
    first_share: float
    """How much of a segment its first ones are, so that the rooms do not close theirs at one time."""
    after_s: float
    """So long after the process it begins."""
    watched: list[str] = field(default_factory=list)
    """Tracks that will be watched: of the others no fragment is said on the room's feed."""
    token: str = ""
    password: str = ""
    """Of the old way: at the center, and at the broker."""

    def identity(self, wires: Wires) -> TlsIdentity | None:
        """What it shows and trusts; None on the old way."""
        layout = RoomPaths(Path(self.data))
        files = TlsFiles(layout.authority, layout.tls_certificate, layout.tls_key)
        return TlsIdentity(files) if wires.tls else None

    def broker(self, wires: Wires, identity: TlsIdentity | None) -> BrokerAddress:
        """How it reaches the broker."""
        name = f"room-{self.address.replace('/', '-')}"
        user = "" if wires.tls else self.address
        ports = wires.mqtt_ports
        first = sum(self.address.encode()) % len(ports)  # rooms are spread over the machines
        places = [("127.0.0.1", port) for port in (*ports[first:], *ports[:first])]
        context = None if identity is None else identity.context
        return BrokerAddress.of(places, name, username=user, password=self.password, tls=context)


@dataclass(frozen=True, slots=True)
class ProcessOrders:
    """What every process is told, in a file that only its owner may read."""

    wires: Wires

    def write(self, path: Path) -> None:
        """Keep them."""
        replace_file(path, json.dumps(asdict(self)), private=True)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` wrote."""
        said = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**said, **cls._parts(said)})

    @classmethod
    def _parts(cls, said: Mapping[str, Any]) -> dict[str, Any]:
        """What JSON has of it as objects, made anew."""
        return {"wires": Wires(**said["wires"])}


@dataclass(frozen=True, slots=True)
class RoomsOrders(ProcessOrders):
    """The rooms of one process."""

    reel: str
    segment_s: float
    rooms: list[RoomOrders]

    @classmethod
    def _parts(cls, said: Mapping[str, Any]) -> dict[str, Any]:
        return {"wires": Wires(**said["wires"]), "rooms": [RoomOrders(**one) for one in said["rooms"]]}


@dataclass(frozen=True, slots=True)
class WallOrders(ProcessOrders):
    """The inspectors of one process, each with what it watches, and who asks for an answer each moment."""

    code: str
    authority: str
    tabs: list[list[str]]
    """For each tab the addresses (`court/room/track`) that it watches."""
    pings: bool


@dataclass(frozen=True, slots=True)
class ListenerOrders(ProcessOrders):
    """The plain subscriber: how it reaches the broker in the place of the center."""

    authority: str
    certificate: str
    key: str
    username: str = ""
    password: str = ""
