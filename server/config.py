"""The center's configuration: one TOML file, every field described here and checked at start."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyAddress, model_validator

from server.bucket_settings import BucketSettings, plain_bucket
from server.database_address import plain_database, with_password
from server.people_settings import PeopleSettings
from sync.errors import ConfigError
from sync.http.monitoring.settings import MetricsSettings
from sync.http.rights.origins import PublicOrigin
from sync.runtime.files.secrets import read_secret
from sync.runtime.files.settings_file import read_settings
from sync.text.fields import LINE
from sync.tls.hosts import host_of, is_loopback
from sync.tls.places import MOST_PLACES, ListenPlace, checked_place, place_of
from sync.tls.plain import PlainPolicy, PlainWire

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]

HostName = Annotated[str, Field(max_length=253), AfterValidator(host_of)]
"""A setting: a name or an address of a machine."""


class _ConfigPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoomEntry(_ConfigPart):
    """A courtroom, entered among the rooms of the center at start; administrators add others on their page."""

    court: Slug = Field(description="short name of the court, as in the room's profile")
    room: Slug = Field(description="short name of the courtroom, as in the room's profile")
    court_name: Annotated[str, LINE] = Field("", description="the court's name, shown until the room itself says it")
    room_name: Annotated[str, LINE] = Field("", description="the courtroom's name, shown until the room itself says it")
    token_sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$", description="the old way: SHA-256 of a token")
    token_file: Path | None = Field(None, description="the old way: a file (mode 0600) with the token itself")

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.token_sha256 and self.token_file is not None:
            raise ValueError(f"{self.court}/{self.room} has both token_sha256 and token_file; keep one, or none")
        return self

    @property
    def address(self) -> str:
        """`court/room`."""
        return f"{self.court}/{self.room}"


class Web(_ConfigPart):
    """Where inspectors and rooms reach the center."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8800, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    https: bool = Field(False, description="true when people reach it by https (a proxy in front): cookies are Secure")
    public_origin: list[PublicOrigin] = Field(
        [],
        max_length=50,
        description="what the address bar shows where a proxy is in front, without a path: https://center.example",
    )
    trusted_proxies: list[IPvAnyAddress] = Field(
        [],
        max_length=50,
        description="addresses of proxies whose X-Forwarded-For names who asks (for the audit log); empty: nobody's",
    )


class Mqtt(_ConfigPart):
    """The broker that rooms publish to."""

    kind: Literal["mosquitto", "nats", "emqx"] = Field(
        "mosquitto", description="what it is: for nats the center also writes who may connect (nats-users.conf)"
    )
    host: str = Field("127.0.0.1", description="the broker's host")
    port: int = Field(1883, ge=1, le=65535, description="the broker's port")
    brokers: list[Annotated[str, AfterValidator(checked_place)]] = Field(
        [],
        max_length=MOST_PLACES,
        description="in place of host and port, the machines of a cluster: host:port of each, tried in turn",
    )
    tls: bool | None = Field(
        None, description="by certificate over TLS; not set: wherever host is another machine and no password is named"
    )
    username: str = Field("", description="the old way, without TLS: the center's user at the broker")
    password_file: Path | None = Field(None, description="the old way: file (mode 0600) with its password")

    @model_validator(mode="after")
    def _one_way_to_say_where(self) -> Self:
        if self.brokers and self.model_fields_set & {"host", "port"}:
            raise ValueError("mqtt.brokers stands in place of mqtt.host and mqtt.port; name one or the others")
        if self.kind == "nats" and not self.by_certificate:
            raise ValueError("NATS knows rooms by their certificates alone; set mqtt.tls = true")
        return self

    @property
    def places(self) -> list[ListenPlace]:
        """Where it is: one machine or several."""
        return [place_of(one) for one in self.brokers] or [ListenPlace(self.host, self.port)]

    @property
    def by_certificate(self) -> bool:
        """Whether the broker is spoken to over TLS, with the center's certificate."""
        if self.tls is not None:
            return self.tls
        return not all(place.is_local for place in self.places) and self.password_file is None


class Tls(_ConfigPart):
    """TLS of the center and of what it certifies; docs/authority.md says how browsers get to trust it."""

    names: list[HostName] = Field(
        [], max_length=40, description="names and addresses by which the center is reached, besides the machine's own"
    )
    loopback: bool = Field(False, description="true: HTTPS also where web.host is this machine alone")
    certificate: Path | None = Field(
        None, description="a certificate of the court's own (PEM, with its chain) for who comes by the names in it"
    )
    key: Path | None = Field(None, description="its key (PEM, mode 0600, no password)")
    broker: Path | None = Field(
        None, description="folder of what the broker reads: authority, certificate, revoked ones; empty: broker/"
    )
    plain_until: date | None = Field(
        None, description="a day (2027-03-01) until which http, tokens and MQTT passwords stay open; said in red"
    )

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("tls.certificate and tls.key belong together; name both or none")
        return self


class StoreSettings(_ConfigPart):
    """Where the record is kept."""

    data: Path = Field(description="folder of the record store")
    objects: Literal["folder", "s3"] = Field(
        "folder", description="where files are kept for good: objects/ in the data folder, or the bucket of [s3]"
    )
    database: str = Field(
        "", max_length=2000, description="postgresql://USER@HOST/NAME; empty: SQLite in the data folder"
    )
    database_password_file: Path | None = Field(
        None, description="file (mode 0600) with the password of the database's user"
    )
    lease_s: float = Field(
        6.0, ge=2, le=60, description="of several processes: when one was killed, its rooms wait so long for the next"
    )
    reserve_gib: float = Field(1.0, ge=0, le=10_000, description="uploads wait (507) while less than this is free")
    max_upload_gib: float = Field(8.0, gt=0, le=1024, description="one segment or exhibit may not be larger")
    upload_quota_gib: float = Field(
        64.0, gt=0, le=100_000, description="what one room may have sent and not finished; above it uploads wait (507)"
    )


class AuditSettings(_ConfigPart):
    """How the audit log is proven."""

    tsa_url: str = Field(
        "",
        max_length=500,
        pattern=r"^(https?://\S+)?$",
        description="time-stamp authority (RFC 3161) for its signed heads, asked every hour; empty: none",
    )


class Config(_ConfigPart):
    """A center."""

    name: Annotated[str, LINE] = Field(
        "五同督查中心", max_length=100, description="the center's name as people read it"
    )
    inspector: str = Field("督查员", max_length=40, description="the name shown for who signs in to inspect")
    archivist: str = Field("档案管理员", max_length=40, description="the name shown for who keeps the archive")
    not_recorded_minutes: float = Field(
        10, gt=0, le=600, description="a planned hearing that was not opened so long after its time is an alarm"
    )
    web: Web = Web.model_construct()
    mqtt: Mqtt = Mqtt.model_construct()
    tls: Tls = Tls.model_construct()
    storage: StoreSettings
    s3: BucketSettings = BucketSettings.model_construct()
    audit: AuditSettings = AuditSettings.model_construct()
    metrics: MetricsSettings = MetricsSettings.model_construct()
    people: PeopleSettings = PeopleSettings.model_construct()
    rooms: list[RoomEntry] = Field(default_factory=list, max_length=5000)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        addresses = [room.address for room in self.rooms]
        if len(set(addresses)) != len(addresses):
            raise ValueError("a courtroom is listed twice")
        return self

    @model_validator(mode="after")
    def _bucket_is_named(self) -> Self:
        if self.storage.objects == "s3" and not self.s3.is_named:
            raise ValueError('storage.objects is "s3": write endpoint and bucket into [s3]')
        return self

    @property
    def database_url(self) -> str:
        """Where the database is, with its password: for `open_database` alone."""
        if not self.storage.database:
            return f"sqlite:///{self.storage.data / 'center.db'}"
        return with_password(self.storage.database, self.storage.database_password_file)

    def token_hashes(self) -> dict[str, str]:
        """SHA-256 of a room's token -> `court/room`. `ConfigError` for a missing, short or shared token."""
        hashes: dict[str, str] = {}
        for room in self.rooms:
            digest = room.token_sha256
            if room.token_file is not None:
                token = read_secret(room.token_file, f"the token of {room.address}")
                if len(token) < 20:
                    raise ConfigError(f"the token in {room.token_file} is too short; use 32 random characters")
                digest = hashlib.sha256(token.encode()).hexdigest()
            if not digest:
                continue  # It comes by its certificate alone.
            if digest in hashes:
                raise ConfigError(f"{room.address} and {hashes[digest]} share a token; give each its own")
            hashes[digest] = room.address
        return hashes

    @property
    def policy(self) -> PlainPolicy:
        """Whether what is not encrypted may go on for now."""
        return PlainPolicy(self.tls.plain_until)

    @property
    def serves_tls(self) -> bool:
        """Whether the center speaks HTTPS itself."""
        return self.tls.loopback or not is_loopback(self.web.host)

    def plain_wires(self) -> list[PlainWire]:
        """What would leave this machine without TLS."""
        wires = plain_database(self.storage.database) if self.storage.database else []
        wires += plain_bucket(self.s3)
        if not self.mqtt.by_certificate:
            remedy = "set mqtt.tls = true and the port of the broker's TLS (8883)"
            setting = "mqtt.brokers" if self.mqtt.brokers else "mqtt.host"
            far = [place.host for place in self.mqtt.places if not place.is_local]
            wires += [PlainWire(setting, host, remedy) for host in far]
        return wires

    def mqtt_password(self) -> str:
        """The center's password at the broker, empty for none."""
        file = self.mqtt.password_file
        return "" if file is None else read_secret(file, "the center's MQTT password")


def load_config(path: Path) -> Config:
    """Read and check a configuration; relative paths in it are relative to its folder."""
    config = read_settings(path, Config, "the configuration", whole="file")
    folder = path.resolve().parent

    def at(file: Path | None) -> Path | None:
        return None if file is None else folder / file.expanduser()

    return config.model_copy(
        update={
            "storage": config.storage.model_copy(
                update={
                    "data": at(config.storage.data),
                    "database_password_file": at(config.storage.database_password_file),
                }
            ),
            "s3": config.s3.model_copy(update={"keys_file": at(config.s3.keys_file), "ca_file": at(config.s3.ca_file)}),
            "mqtt": config.mqtt.model_copy(update={"password_file": at(config.mqtt.password_file)}),
            "tls": config.tls.model_copy(
                update={
                    "certificate": at(config.tls.certificate),
                    "key": at(config.tls.key),
                    "broker": at(config.tls.broker),
                }
            ),
            "metrics": config.metrics.below(folder),
            "people": config.people.below(folder),
            "rooms": [room.model_copy(update={"token_file": at(room.token_file)}) for room in config.rooms],
        }
    )
