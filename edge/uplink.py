"""The uplink as a service of a room: reads the profile and runs `sync.uplink`."""

from __future__ import annotations

from pathlib import Path

import structlog

from edge.panel_tls import panel_hosts
from hardware.profile import Profile
from hardware.profile_text import MOST_SHARED_BYTES, shared_text
from sync.broker_address import BrokerAddress
from sync.broker_client import unguessable_client_id
from sync.room.clock import RoomClock
from sync.room.messages import RoomIdentity
from sync.room.paths import RoomPaths
from sync.room.signer import RoomSigner
from sync.runtime.files.secrets import read_secret
from sync.runtime.process.service import Lifeline
from sync.tls.identity import TlsFiles, TlsIdentity
from sync.uplink.service import Uplink, UplinkConfig

log = structlog.get_logger(__name__)


def _secret(path: Path | None, what: str) -> str:
    return "" if path is None else read_secret(path, what)


def _told(profile: Profile) -> str:
    """What the center keeps of the profile; none that is longer than it takes."""
    text = shared_text(profile)
    return text if len(text.encode()) <= MOST_SHARED_BYTES else ""


def config_of(profile: Profile) -> UplinkConfig:
    """What a profile says about the center; `ConfigError` when a secret's file cannot be read."""
    layout = RoomPaths(profile.storage.data)
    identity: RoomIdentity = {
        "court_name": profile.room.court_name,
        "room_name": profile.room.room_name,
        "seats": [{"id": seat.id, "role": seat.role} for seat in profile.seats],
    }
    key = RoomSigner(layout.signer_socket)
    center = profile.center
    if not center.url:
        return UplinkConfig(profile.room.court, profile.room.room, identity, layout, key, tsa_url=center.tsa_url)
    for warning in profile.policy.warnings(profile.plain_to_center()):
        log.error("plain_wire", what=warning)
    shown = TlsIdentity(TlsFiles(layout.authority, layout.tls_certificate, layout.tls_key))
    return UplinkConfig(
        court=profile.room.court,
        room=profile.room.room,
        identity=identity,
        layout=layout,
        key=key,
        accept_unsigned=lambda: profile.policy.is_open,
        tsa_url=center.tsa_url,
        center_url=center.url,
        token=_secret(center.token_file, "the room's token"),
        tls=shown,
        panel_hosts=panel_hosts(profile),
        profile=_told(profile),
        broker=BrokerAddress.of(
            center.broker_places,
            center.mqtt_username or unguessable_client_id(f"room-{profile.room.court}-{profile.room.room}"),
            username=center.mqtt_username,
            password=_secret(center.mqtt_password_file, "the room's MQTT password"),
            tls=shown.context if center.by_certificate else None,
        ),
    )


async def serve(profile: Profile, lifeline: Lifeline) -> None:
    """Carry everything to the center until told to stop."""
    config = config_of(profile)
    await Uplink(config, clock=RoomClock.open(config.layout.clock)).run(lifeline.ready)
