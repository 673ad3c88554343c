"""The tables of a profile that say where the center is, and how what goes to it and to the screens is protected."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import Field

from hardware.profile_part import HostName, ProfilePart, WebAddress
from sync.tls.hosts import is_loopback


class CenterSettings(ProfilePart):
    """The record server. Without it a hearing opens, runs and closes all the same."""

    url: WebAddress = Field("", description="https address of the center itself, not of a proxy; empty: stand alone")
    token_file: Path | None = Field(
        None, description="the old way, and for a machine that keeps copies: file (mode 0600) with this room's token"
    )
    tsa_url: WebAddress = Field(
        "", description="http(s) address of a time-stamp authority (RFC 3161) for seals; empty: none"
    )
    mqtt_host: str = Field("127.0.0.1", description="the center's MQTT broker")
    mqtt_port: int = Field(1883, ge=1, le=65535, description="the broker's port; that of its TLS is 8883")
    mqtt_tls: bool | None = Field(
        None,
        description="by certificate over TLS; not set: wherever mqtt_host is another machine and no password",
    )
    mqtt_username: str = Field("", description="the old way, without TLS: this room's account at the broker")
    mqtt_password_file: Path | None = Field(None, description="the old way: file (mode 0600) with its password")

    @property
    def by_certificate(self) -> bool:
        """Whether the broker is spoken to over TLS, with the room's certificate."""
        if self.mqtt_tls is not None:
            return self.mqtt_tls
        return not is_loopback(self.mqtt_host) and self.mqtt_password_file is None


class RoomTls(ProfilePart):
    """TLS of the room. Its certificate comes with the enrollment; a room that stands alone makes its own authority."""

    names: list[HostName] = Field(
        [], max_length=40, description="names and addresses by which screens reach the panel, besides the machine's own"
    )
    loopback: bool = Field(False, description="true: HTTPS also where panel.host is this machine alone")
    plain_until: date | None = Field(
        None, description="a day (2027-03-01) until which http, tokens and MQTT passwords stay open; said in red"
    )
