"""A room redeems a code with its device's key. Light: setup has it done by a process of its own, and waits for it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from edge.panel_tls import panel_hosts
from hardware.profile import load_profile
from sync.errors import ConfigError
from sync.room.enrollment import enroll_at, fingerprint
from sync.room.paths import RoomPaths
from wutong.device_key import device_key


def redeem(profile: Path, code: str) -> str:
    """Enroll the device of a room; the fingerprint of the center's key."""
    loaded = load_profile(profile)
    if not loaded.center.url:
        raise ConfigError("the profile names no center ([center] url); a room that stands alone needs no enrollment")
    layout = RoomPaths(loaded.storage.data)
    key = device_key(layout)
    if key is None:
        raise ConfigError("this device has no key yet: start the signer first (systemctl start wutong-signer)")
    policy = loaded.policy
    policy.warnings(loaded.plain_to_center())
    center = enroll_at(
        loaded.center.url,
        layout,
        loaded.address,
        code,
        dt.datetime.now(dt.UTC),
        key,
        hosts=panel_hosts(loaded),
        plain=policy.is_open,
    )
    return fingerprint(center)
