"""The tables of a profile that say where the center is, and how what goes to it and to the screens is protected."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from hardware.profile_part import HostName, ProfilePart, WebAddress
from sync.tls.places import MOST_PLACES, ListenPlace, checked_place, place_of


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
    brokers: list[Annotated[str, AfterValidator(checked_place)]] = Field(
        [],
        max_length=MOST_PLACES,
        description="in place of mqtt_host and mqtt_port, the machines of a cluster: host:port of each, tried in turn",
    )
    mqtt_tls: bool | None = Field(
        None,
        description="by certificate over TLS; not set: wherever mqtt_host is another machine and no password",
    )
    mqtt_username: str = Field("", description="the old way, without TLS: this room's account at the broker")
    mqtt_password_file: Path | None = Field(None, description="the old way: file (mode 0600) with its password")

    @model_validator(mode="after")
    def _one_way_to_say_where(self) -> Self:
        if self.brokers and self.model_fields_set & {"mqtt_host", "mqtt_port"}:
            raise ValueError("center.brokers stands in place of center.mqtt_host and mqtt_port; name one or the others")
        return self

    @property
    def broker_places(self) -> list[ListenPlace]:
        """Where the broker is: one machine or several."""
        return [place_of(one) for one in self.brokers] or [ListenPlace(self.mqtt_host, self.mqtt_port)]

    @property
    def by_certificate(self) -> bool:
        """Whether the broker is spoken to over TLS, with the room's certificate."""
        if self.mqtt_tls is not None:
            return self.mqtt_tls
        return not all(place.is_local for place in self.broker_places) and self.mqtt_password_file is None


class RoomTls(ProfilePart):
    """TLS of the room. Its certificate comes with the enrollment; a room that stands alone makes its own authority."""

    names: list[HostName] = Field(
        [], max_length=40, description="names and addresses by which screens reach the panel, besides the machine's own"
    )
    loopback: bool = Field(False, description="true: HTTPS also where panel.host is this machine alone")
    plain_until: date | None = Field(
        None, description="a day (2027-03-01) until which http, tokens and MQTT passwords stay open; said in red"
    )
