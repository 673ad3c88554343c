"""Who may sign for a room: codes with which a device enrolls, and the devices that did.

A code has 128 random bits, works once and for 15 minutes, and is stored as a hash. Redeeming one issues a certificate
for the key that signed the request and revokes whatever device the room had before; rows are never deleted. A key that
is enrolled again (its certificate ends) is certified since its first enrollment, else nothing that it signed before
could be verified any more. The center's key is made at first start (mode 0600), its public half lies beside it.

With the request of its signing key a device sends one for TLS, and gets a certificate of the court's authority that
opens the center and the broker. It renews that one by itself, by showing it, a few times a day at most: each is a row
and, once revoked, a line in the broker's list. Revoking a device takes both away at once.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection, func, insert, select, update

from server.access.audit import Audit, address_of
from server.integrity.device_keys import Device, DeviceKeys
from server.store import tables as t
from server.store.database import Database
from server.store.room_entries import READY, EntryRow, admit_machine, entries, next_number
from server.tls.court import CourtAuthority
from server.tls.devices import (
    certified_hosts,
    count_certificates,
    note_certificate,
    revoke_certificates,
    revoked_serials,
)
from sync.errors import AccessError, ConfigError, LedgerError
from sync.http.rights.people import Throttle
from sync.http.rights.rules import machine, public
from sync.ledger.keys import BACKDATE, issue, make_key, public_pem, request_key
from sync.runtime.listeners import Listeners
from sync.runtime.units import NS_PER_S
from sync.tls.certificates import pem_of
from sync.tls.hosts import is_loopback
from sync.tls.names import local_hosts

VALID_S = 15 * 60
STILL_HOLDS = "still-holds"
RENEWALS_A_DAY = 8
"""Of one room by itself; a certificate lasts for a year, and a network seldom changes."""


class EnrollmentRequest(BaseModel):
    """Body of `POST /api/enroll`; `request` is a certificate request (PEM)."""

    code: str = Field(min_length=1, max_length=64)
    request: str = Field(max_length=10_000)
    tls_request: str = Field("", max_length=10_000)


class OfferRequest(BaseModel):
    """Body of `POST /api/enroll/room`."""

    code: str = Field(min_length=1, max_length=64)


@dataclass(frozen=True, slots=True)
class BrokersTold:
    """How rooms reach the broker: `host:port` of each place, without a host the center's own."""

    places: list[str]
    mqtt_tls: bool


class RenewalRequest(BaseModel):
    """Body of `POST /api/certificate`."""

    request: str = Field(max_length=10_000)


@dataclass(frozen=True, slots=True)
class Issued:
    """What a device gets for a code; certificates as PEM."""

    room: str
    certificate: str
    tls: str
    """Empty where none was asked for."""
    first_number: int = 1
    """With which number the log of a new machine begins."""


def center_key(data: Path) -> Ed25519PrivateKey:
    """The center's key, made at first use; `center.pem` beside it has the public half."""
    try:
        key = make_key(data / "keys" / "center.key")
        public, pem = data / "keys" / "center.pem", public_pem(key.public_key())
        if not public.exists() or public.read_bytes() != pem:  # a power cut leaves it empty
            public.write_bytes(pem)
    except OSError as error:
        raise ConfigError(f"the center's key in {data / 'keys'} cannot be used: {error.strerror}") from error
    return key


class Enrollment:
    """Codes and devices in the record store."""

    def __init__(
        self,
        database: Database,
        key: Ed25519PrivateKey,
        court: CourtAuthority | None = None,
        *,
        proxied: bool = False,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`court`: whose certificates of TLS devices get; None: they get none. `proxied`: a proxy may ask for others,
        so an address of this machine says nothing of where they are."""
        self.changed = Listeners[[]]()
        """Told after a device was enrolled or revoked here."""
        self._db = database
        self._key = key
        self._court = court
        self._proxied = proxied
        self._utc_ns = utc_ns
        self.still_holds: Callable[[str], str] = lambda room: ""
        """In words what the machine that a room has now still holds for the center; asked, in another thread, before
        another takes its place as was agreed."""
        self.brokers = BrokersTold([], mqtt_tls=True)
        """How rooms reach the broker."""
        self.keys = DeviceKeys(key.public_key(), utc_ns=utc_ns)
        """Who may sign for a room now, as of the last `refresh`."""

    async def refresh(self) -> None:
        """Look which devices may sign now: another process may have revoked one."""
        self.keys.learn(await self.devices())

    async def new_code(self, room: str) -> str:
        """A code for `court/room`, in groups that people can type."""
        code = base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")
        now = self._utc_ns()
        values = {"code_sha256": _hash(code), "room": room, "made_utc_ns": now}
        await self._db.write(
            lambda c: c.execute(insert(t.enrollments).values(**values, expires_utc_ns=now + VALID_S * NS_PER_S))
        )
        return "-".join(code[i : i + 5] for i in range(0, len(code), 5))

    async def entry(self, room: str) -> EntryRow | None:
        """A room as the center has it; None where there is none (yet, of one that the configuration names)."""
        found = await self._db.read(lambda connection: entries(connection, [room]))
        return found[0] if found else None

    async def room_of(self, code: str) -> EntryRow:
        """For which room a code is that could be redeemed now; `AccessError` "code"."""

        def read(connection: Connection) -> EntryRow:
            e = t.enrollments.c
            good = (e.code_sha256 == _hash(code)) & e.used_utc_ns.is_(None) & (e.expires_utc_ns > self._utc_ns())
            room = connection.execute(select(e.room).where(good)).scalar()
            found = [] if room is None else entries(connection, [room])
            if room is None or any(one.retired for one in found):
                raise AccessError("the code is unknown, was used, or is too old", code="code")
            return found[0] if found else EntryRow(room, "", "", named=False, retired=False, moving="")

        return await self._db.read(read)

    async def redeem(self, code: str, request: str) -> tuple[str, str]:
        """(room, certificate) for the signing key alone; errors as those of `enroll`."""
        issued = await self.enroll(code, request)
        return issued.room, issued.certificate

    async def enroll(self, code: str, request: str, tls_request: str = "", *, here: bool = False) -> Issued:
        """What a code is good for; `AccessError` "code" when it is unknown, used or old; `LedgerError`.

        `here`: it is redeemed on the center's own machine.
        """

        def work(connection: Connection) -> Issued:
            now = self._utc_ns()
            e = t.enrollments.c
            row = connection.execute(select(t.enrollments).where(e.code_sha256 == _hash(code))).first()
            if row is None or row.used_utc_ns is not None or row.expires_utc_ns <= now:
                raise AccessError("the code is unknown, was used, or is too old", code="code")
            at = dt.datetime.fromtimestamp(now // NS_PER_S, dt.UTC)
            key = request_key(request.encode()).public_bytes_raw().hex()
            certificate = issue(
                request.encode(), row.room, self._key, at, since=_known_since(connection, row.room, key)
            )
            tls = (
                None
                if self._court is None or not tls_request
                else self._court.certify(tls_request.encode(), row.room, here=here)
            )
            unused = (e.code_sha256 == _hash(code)) & e.used_utc_ns.is_(None)
            if not connection.execute(update(t.enrollments).where(unused).values(used_utc_ns=now)).rowcount:
                raise AccessError("the code is unknown, was used, or is too old", code="code")  # by another, just now
            entry = admit_machine(connection, row.room)
            if entry.moving == READY and (why := self.still_holds(row.room)):
                raise AccessError(why, code=STILL_HOLDS)
            revoke_devices(connection, row.room, now)
            connection.execute(
                insert(t.devices).values(
                    room=row.room, public_key=key, certificate=certificate.decode(), enrolled_utc_ns=now
                )
            )
            if tls is not None:
                note_certificate(connection, row.room, tls, now)
            return Issued(
                str(row.room),
                certificate.decode(),
                "" if tls is None else pem_of(tls).decode(),
                next_number(connection, row.room),
            )

        issued = await self._db.write(work)
        await self.refresh()  # before the room is answered: what it signs from now on counts
        self.changed.notify()
        return issued

    async def renew(self, room: str, request: str, *, here: bool = False, address: str = "") -> str:
        """A further TLS certificate (PEM) for a room that has shown the one it has; `LedgerError` for the request.

        `here`: it is asked for on the center's own machine; `address`: from where. `AccessError` "throttled" after
        `RENEWALS_A_DAY`, judged before the one writer of the database is asked.
        """
        court = self._court
        if court is None:
            raise LedgerError("this center gives no certificates of TLS", code="certificate")

        since = self._utc_ns() - 24 * 3600 * NS_PER_S
        if await self._db.read(lambda connection: count_certificates(connection, room, since)) > RENEWALS_A_DAY:
            raise AccessError("本庭今日更新证书过于频繁 (too many renewals today; wait)", code="throttled")

        def work(connection: Connection) -> x509.Certificate:
            now = self._utc_ns()
            certified = certified_hosts(connection, room, now)
            tls = court.certify(request.encode(), room, here=here, certified=certified, address=address)
            note_certificate(connection, room, tls, now)
            return tls

        tls = await self._db.write(work)
        self.changed.notify()
        return pem_of(tls).decode()

    async def revoke(self, room: str) -> int:
        """Revoke the device of a room, with its certificates of both kinds; how many devices there were."""
        count = await self._db.write(lambda connection: revoke_devices(connection, room, self._utc_ns()))
        await self.refresh()
        self.changed.notify()
        return count

    async def write_revocations(self) -> None:
        """Have the broker's list of revoked certificates say what the store says."""
        if self._court is not None:
            serials = await self._db.read(lambda connection: revoked_serials(connection, self._utc_ns()))
            await asyncio.to_thread(self._court.revoke, serials)

    async def devices(self, room: str | None = None) -> list[Device]:
        """All devices, of a room or of all, the newest first."""
        query = select(t.devices).order_by(t.devices.c.row.desc())
        if room is not None:
            query = query.where(t.devices.c.room == room)
        rows = await self._db.read(lambda connection: connection.execute(query).all())
        return [Device(r.room, r.public_key, r.certificate, r.enrolled_utc_ns, r.revoked_utc_ns) for r in rows]

    def install(
        self, app: FastAPI, audit: Audit, by_certificate: Callable[[Request], Awaitable[None]] | None = None
    ) -> None:
        """Add `POST /api/enroll`, guessing slowed down as it is at sign-in, and what belongs to it.

        `by_certificate` puts the room into the request whose certificate came with it, and refuses any other.
        """
        throttle = Throttle()
        center = public_pem(self._key.public_key()).decode()
        authority = "" if self._court is None else self._court.authority.pem.decode()

        @app.post("/api/enroll")
        @public()
        async def enroll(body: EnrollmentRequest, request: Request) -> Response:
            address = address_of(request)
            throttle.check(address)
            try:
                issued = await self.enroll(body.code, body.request, body.tls_request, here=self._is_here(address))
            except AccessError as error:
                audit.note("refused", "device", address, "enroll code")
                if error.code == STILL_HOLDS:  # the code is right, and can be redeemed a little later
                    return JSONResponse({"code": error.code, "message": error.message}, 409)
                throttle.failed(address)
                return JSONResponse({"code": error.code, "message": error.message}, 403)
            throttle.succeeded(address)
            audit.note("enroll", "device", address, issued.room)
            told = {"certificate": issued.certificate, "center": center, "tls": issued.tls, "authority": authority}
            return JSONResponse({**told, "first_number": issued.first_number})

        @app.post("/api/enroll/room")
        @public()
        async def offered(body: OfferRequest, request: Request) -> Response:
            """For which room a code is; it is good for its enrollment afterwards."""
            address = address_of(request)
            throttle.check(address)
            try:
                entry = await self.room_of(body.code)
            except AccessError as error:
                throttle.failed(address)
                audit.note("refused", "device", address, "enroll code")
                return JSONResponse({"code": error.code, "message": error.message}, 403)
            court, _, name = entry.address.partition("/")
            names = {"court_name": entry.court_name, "room_name": entry.room_name}
            told = {"brokers": self.brokers.places, "mqtt_tls": self.brokers.mqtt_tls}
            return JSONResponse({"court": court, "room": name, **names, **told})

        if self._court is None or by_certificate is None:
            return

        @app.get("/api/authority")
        @public()
        async def who() -> dict[str, str]:
            """What the fingerprint in a code is of; nobody believes it before it was compared."""
            return {"authority": authority, "center": center}

        @app.get("/authority.pem")
        @public()
        async def for_browsers() -> Response:
            headers = {"Content-Disposition": 'attachment; filename="authority.crt"'}
            return Response(authority, media_type="application/x-x509-ca-cert", headers=headers)

        @app.post("/api/certificate")
        @machine(by_certificate)
        async def certificate(body: RenewalRequest, request: Request) -> dict[str, str]:
            room = str(request.scope["wutong_room"])
            address = address_of(request)
            renewed = await self.renew(room, body.request, here=self._is_here(address), address=address)
            audit.note("enroll", "device", address, f"{room} renewed")
            return {"tls": renewed, "authority": authority}

    def _is_here(self, address: str) -> bool:
        """Whether who asks is on this machine, and so has its names."""
        return not self._proxied and (is_loopback(address) or address in local_hosts())


def _hash(code: str) -> str:
    # 128 random bits: a fast hash is enough, there is nothing to guess.
    return hashlib.sha256(code.replace("-", "").replace(" ", "").upper().encode("utf-8", "replace")).hexdigest()


def _known_since(connection: Connection, room: str, key: str) -> dt.datetime | None:
    """When this room enrolled this key first."""
    d = t.devices.c
    first = connection.execute(select(func.min(d.enrolled_utc_ns)).where(d.room == room, d.public_key == key)).scalar()
    return None if first is None else dt.datetime.fromtimestamp(first // NS_PER_S, dt.UTC) - BACKDATE


def revoke_devices(connection: Connection, room: str, now: int) -> int:
    """Revoke the device of a room, with its certificates of both kinds, in a transaction of others; how many."""
    d = t.devices.c
    revoke_certificates(connection, room, now)
    return connection.execute(
        update(t.devices).where(d.room == room, d.revoked_utc_ns.is_(None)).values(revoked_utc_ns=now)
    ).rowcount
