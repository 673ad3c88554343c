"""What an attacker has: the addresses that everybody may reach, and everything of one compromised room."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hardware.profile import load_profile
from sync.room.paths import RoomPaths
from wutong.demo.rooms import RoomPlan
from wutong.demo.stack import Stack


@dataclass(frozen=True)
class Target:
    """`room` (`court/room`) is the compromised one, `victim` the honest one."""

    center_url: str
    panel_url: str
    room: str
    victim: str
    mqtt_port: int
    token: str
    authority: str
    certificate: str
    key: str
    signer: str
    """Paths: of the room's TLS, and of the socket by which its device signs."""

    @classmethod
    def of(cls, stack: Stack, taken: RoomPlan) -> Target:
        """`taken` is the compromised room; the stack's first is the honest one."""
        victim = stack.rooms[0]
        center, layout = load_profile(taken.profile).center, RoomPaths(taken.data)
        token = "" if center.token_file is None else center.token_file.read_text(encoding="utf-8").strip()
        return cls(
            stack.center_url,
            stack.panel_url(victim),
            taken.address,
            victim.address,
            center.mqtt_port,
            token,
            str(layout.authority.resolve()),
            str(layout.tls_certificate.resolve()),
            str(layout.tls_key.resolve()),
            str(layout.signer_socket),
        )

    def write(self, path: Path) -> None:
        """Keep it in a file that only its owner may read."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Target:
        """What `write` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))
