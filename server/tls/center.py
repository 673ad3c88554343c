"""TLS of a running center in one piece: its authority, what it serves and shows, what it does each second and hour."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.config import Config
from server.tls.court import CourtAuthority, utc_now
from server.tls.devices import LOOK_S, DeviceCertificates
from server.tls.ended_lines import end_line
from server.tls.revocations import Revocations
from sync.errors import StorageError, WutongError
from sync.runtime.process.service import every
from sync.tls.authority import near_end
from sync.tls.fingerprint import center_fingerprint
from sync.tls.identity import TlsIdentity
from sync.tls.names import CENTER
from sync.tls.plain import ALARM, PlainPolicy

log = structlog.get_logger(__name__)

RENEW_S = 3600.0
AUTHORITY_ALARM = "authority"
_LOOK_AGAIN_S = 5.0


class Alarms(Protocol):
    """Where the wall has its alarms from (`server.rooms.Rooms`)."""

    def alarm(self, address: str, code: str, words: str) -> None:
        """Show one."""

    def clear(self, address: str, code: str) -> None:
        """It is over."""


def open_court(config: Config, account: str = CENTER) -> CourtAuthority:
    """The authority of a configuration, made at first use; `account`: as which the center comes to the broker."""
    own = config.tls
    return CourtAuthority(
        config.storage.data,
        f"{config.name} TLS",
        names=own.names,
        own=(own.certificate, own.key) if own.certificate is not None and own.key is not None else None,
        broker=own.broker,
        account=account,
    )


def fingerprint_of(court: CourtAuthority, key: Ed25519PrivateKey) -> str:
    """The fingerprint of a center: of its authority and of the key that signs records."""
    return center_fingerprint(court.authority.pem, key.public_key().public_bytes_raw())


class CenterTls:
    """All methods belong to one event loop."""

    def __init__(
        self,
        court: CourtAuthority,
        shown: TlsIdentity | None,
        certificates: DeviceCertificates,
        config: Config,
        policy: PlainPolicy,
        addresses: Callable[[], Collection[str]],
        *,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        """`shown`: how the center connects to its broker; None where it does so by a password. `addresses()`: of all
        rooms."""
        self._court = court
        self._shown = shown
        self._certificates = certificates
        self._config = config
        self._policy = policy
        self._addresses = addresses
        self._standing: dict[str, str] = {}
        """What is wrong with the center itself, which every room bears: code -> words."""
        self._now = now
        self._rooms: Alarms | None = None
        self._said_plain: bool | None = None
        self._look = asyncio.Event()
        self.revocations = Revocations(self._write, self._end_line)

    async def start(self, rooms: Alarms) -> None:
        """Know which certificates are good, before anybody can ask."""
        self._rooms = rooms
        await self._certificates.look()
        self._say_plain()
        self._say_end()

    def tasks(self) -> list[asyncio.Task[None]]:
        """What runs while the center runs."""
        make = asyncio.get_running_loop().create_task
        return [
            make(self.revocations.run(), name="revocations"),
            make(self._look_for_ever(), name="certificates"),
            make(every(RENEW_S, self.renew), name="renewal"),
        ]

    @property
    def certificate_files(self) -> dict[str, Path]:
        """The certificates of the center's own, by what each is for."""
        court, own = self._court, self._config.tls.certificate
        named = {
            "authority": court.files.authority,
            "server": court.server_certificate,
            "broker": court.broker_folder / "server.pem",
        }
        return named if own is None else {**named, "own": own}

    def served(self) -> tuple[ssl.SSLContext | None, Callable[[], bool]]:
        """(context of the web server or None for plain HTTP, whether plain HTTP is served beside it)."""
        return (self._court.context() if self._config.serves_tls else None), lambda: self._policy.is_open

    @property
    def certificates(self) -> DeviceCertificates:
        """Which certificates are good."""
        return self._certificates

    def is_shut(self, room: str) -> bool:
        """Whether nothing is taken from a room."""
        return self._certificates.is_shut(room)

    def look_now(self) -> None:
        """Something was enrolled or revoked in this process."""
        self._look.set()

    async def renew(self) -> None:
        """Renew what is due, and notice the day on which the old ways close."""
        try:
            await asyncio.to_thread(self._court.renew)
        except WutongError as error:
            log.error("certificates_not_renewed", why=error.message)
        if self._shown is not None:
            await asyncio.to_thread(self._shown.follow)
        self._say_plain()
        self._say_end()

    async def _look_for_ever(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            try:
                await self._certificates.look()
            except StorageError as error:
                log.error("certificates_unread", why=error.message)
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def _write(self, serials: frozenset[int]) -> None:
        await asyncio.to_thread(self._court.revoke, serials)
        await self._admit()

    async def _admit(self) -> None:
        if self._config.mqtt.kind == "nats":
            await asyncio.to_thread(self._court.admit, self._certificates.admitted())

    async def _end_line(self, room: str) -> bool:
        mqtt = self._config.mqtt
        if mqtt.kind == "nats":  # it ends the lines of those itself whom its list has no more
            await self._admit()
            return True
        return not mqtt.by_certificate or await end_line(self._court, mqtt.places, room)

    def _say_end(self) -> None:
        """On the wall and in the log, for the years in which the authority has to be replaced."""
        words = near_end(self._court.authority.certificate.not_valid_after_utc, self._now())
        if self._rooms is None or words is None:
            return
        log.error("authority_ends", what=words)
        self._standing[AUTHORITY_ALARM] = words
        for address in self._addresses():
            self._rooms.alarm(address, AUTHORITY_ALARM, words)

    def _say_plain(self) -> None:
        """In red, on the wall and in the log, for as long as the old ways are open."""
        is_open = self._policy.is_open
        if self._rooms is None or is_open == self._said_plain:
            return
        self._said_plain = is_open
        words = self._policy.words("http、令牌和 MQTT 密码仍可使用 (http, tokens and MQTT passwords are still taken)")
        if is_open:
            log.error("plain_wire", what=words)
            self._standing[ALARM] = words
        else:
            self._standing.pop(ALARM, None)
        for address in self._addresses():
            if is_open:
                self._rooms.alarm(address, ALARM, words)
            else:
                self._rooms.clear(address, ALARM)

    def bear(self, address: str) -> None:
        """A room is new: what is wrong with the center itself stands at it, too."""
        for code, words in self._standing.items():
            if self._rooms is not None:
                self._rooms.alarm(address, code, words)
