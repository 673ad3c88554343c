"""What a process of light rooms is told when it starts: one file of JSON, mode 0600."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from sync.runtime.files.durable_files import replace_file


@dataclass(frozen=True, slots=True)
class LightPace:
    """What each room says, and how often."""

    status_s: float = 1.0
    batch_s: float = 10.0
    events: int = 5
    """Of a batch."""


@dataclass(frozen=True, slots=True)
class LightRoomOrders:
    """One room. Secrets are those of the run, which ends with its folder."""

    address: str
    password: str
    key: str
    """Of its device: the private key, raw, in hexadecimal."""
    phase: float
    """How much of each of its pauses lies before its first word: 0…1, so that rooms do not speak at one time."""


@dataclass(frozen=True, slots=True)
class ProvinceOrders:
    """The rooms of one process."""

    mqtt_port: int
    center_key: str
    """The center's public key, raw, in hexadecimal."""
    pace: LightPace
    rooms: list[LightRoomOrders]

    def write(self, path: Path) -> None:
        """Keep them in a file that only its owner may read."""
        replace_file(path, json.dumps(asdict(self)), private=True)

    @classmethod
    def read(cls, path: Path) -> ProvinceOrders:
        """What `write` wrote."""
        said = json.loads(path.read_text(encoding="utf-8"))
        rooms = [LightRoomOrders(**one) for one in said["rooms"]]
        return cls(said["mqtt_port"], said["center_key"], LightPace(**said["pace"]), rooms)
