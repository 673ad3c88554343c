"""Which certificates of rooms are good, known in memory: judged at every request and every message of a room.

What another process changes (`wutong enroll --revoke`) is noticed within `LOOK_S`, and so is the end of a certificate's
time. Whoever listens to `changed` and `ended` ends what the room still has open.
"""

from __future__ import annotations

import datetime as dt
import functools
import time
from collections.abc import Callable, Container
from dataclasses import dataclass

from cryptography import x509
from sqlalchemy import Connection, func, insert, select, update

from server.store import tables as t
from server.store.database import Database
from server.tls.nats_users import common_name_user
from server.tls.room_hosts import CertifiedHosts
from sync.errors import AccessError
from sync.runtime.listeners import Listeners
from sync.runtime.units import NS_PER_S
from sync.tls.certificates import PeerIdentity, pem_of, read_certificate
from sync.tls.names import certificate_uri, hosts_in

LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class _Known:
    room: str
    until_utc_ns: int


class DeviceCertificates:
    """All methods belong to one event loop; `note` and `revoke` are parts of a transaction of others."""

    def __init__(self, database: Database, listed: Container[str], *, utc_ns: Callable[[], int] = time.time_ns) -> None:
        """`listed`: the rooms of the configuration."""
        self._listed = listed
        self._db = database
        self._utc_ns = utc_ns
        self._good: dict[int, _Known] = {}
        self._shut: frozenset[str] = frozenset()
        self._mark: object = None
        self._serials: frozenset[int] = frozenset()
        self._revoked_of: frozenset[str] = frozenset()
        self._told: set[int] = set()
        self.changed = Listeners[[frozenset[int], frozenset[str]]]()
        """Told of all revoked serials, and of the rooms that lost a certificate just now."""
        self.ended = Listeners[[frozenset[str]]]()
        """Told of the rooms of which a certificate has come to its end just now; they may have a newer one."""

    def room(self, peer: PeerIdentity) -> str:
        """`court/room` of who shows this certificate; `AccessError` "not-enrolled" when it opens nothing here."""
        known = self._good.get(peer.serial)
        bad = known is None or known.room != peer.name or known.until_utc_ns <= self._utc_ns()
        if known is None or bad or known.room not in self._listed:
            raise AccessError(
                "本庭的证书已吊销、过期或不属于本中心，请重新登记 (this certificate was revoked, has ended or is "
                "not of this center; enroll the room again)",
                code="not-enrolled",
            )
        return known.room

    @property
    def good(self) -> frozenset[int]:
        """The serials of all certificates that open something."""
        now = self._utc_ns()
        return frozenset(serial for serial, known in self._good.items() if known.until_utc_ns > now)

    def admitted(self) -> dict[str, str]:
        """The names that good certificates have, each with its `court/room`: for a broker that lists who may connect.

        A certificate of before has no name of its own, so its room's common name stands for it, but for a room of
        which a certificate was revoked: that one has the same common name.
        """
        now = self._utc_ns()
        good = {s: known.room for s, known in self._good.items() if known.until_utc_ns > now}
        rooms = {serial: room for serial, room in good.items() if room in self._listed}
        names = {certificate_uri(serial): room for serial, room in rooms.items()}
        by_room = {common_name_user(room): room for room in rooms.values() if room not in self._revoked_of}
        return names | by_room

    @property
    def revoked(self) -> frozenset[int]:
        """The serials of those that were taken away and would still be valid."""
        return self._serials

    def ends(self) -> dict[str, float]:
        """`court/room` -> UTC in seconds at which the last of its good certificates ends."""
        found: dict[str, float] = {}
        for known in self._good.values():
            found[known.room] = max(found.get(known.room, 0.0), known.until_utc_ns / NS_PER_S)
        return found

    def is_shut(self, room: str) -> bool:
        """Whether a room had devices and all of them were revoked: nothing is taken from it by any way."""
        return room in self._shut

    async def look(self) -> None:
        """Read what is new; call it about once a second, and after each change of our own."""

        def read(connection: Connection) -> tuple[object, list[tuple[int, str, int, bool]], set[str], set[str]] | None:
            d, c = t.devices.c, t.device_certificates.c
            mark = (
                tuple(
                    connection.execute(select(func.count(), func.count(d.revoked_utc_ns)).select_from(t.devices)).one()
                ),
                tuple(
                    connection.execute(
                        select(func.count(), func.count(c.revoked_utc_ns)).select_from(t.device_certificates)
                    ).one()
                ),
            )
            if mark == self._mark:
                return None
            rows = connection.execute(select(c.serial, c.room, c.expires_utc_ns, c.revoked_utc_ns)).all()
            devices = connection.execute(select(d.room, d.revoked_utc_ns)).all()
            return (
                mark,
                [(int(r.serial, 16), str(r.room), int(r.expires_utc_ns), r.revoked_utc_ns is not None) for r in rows],
                {str(r.room) for r in devices},
                {str(r.room) for r in devices if r.revoked_utc_ns is None},
            )

        found = await self._db.read(read)
        first = self._mark is None
        if found is not None:
            self._mark, rows, had, have = found
            now, before = self._utc_ns(), self._good
            self._good = {serial: _Known(room, until) for serial, room, until, revoked in rows if not revoked}
            self._serials = frozenset(serial for serial, _, until, revoked in rows if revoked and until > now)
            self._revoked_of = frozenset(room for _, room, until, revoked in rows if revoked and until > now)
            lost = {known.room for serial, known in before.items() if serial not in self._good}
            newly_shut = frozenset(had - have) - self._shut
            self._shut = frozenset(had - have)
            self.changed.notify(self._serials, frozenset() if first else frozenset(lost | newly_shut))
        self._drop_ended(first=first)

    def _drop_ended(self, *, first: bool) -> None:
        """Tell of what has come to its end. A line that was made with it stands on: only a handshake looks at it.

        At the first look old ones are no news, but for rooms that have nothing newer: their line may have outlived it
        while no center was there.
        """
        now = self._utc_ns()
        gone = {serial for serial, known in self._good.items() if known.until_utc_ns <= now} - self._told
        if not gone:
            return
        self._told = (self._told & self._good.keys()) | gone
        rooms = {self._good[serial].room for serial in gone}
        if first:
            rooms -= {known.room for known in self._good.values() if known.until_utc_ns > now}
        if rooms:
            self.ended.notify(frozenset(rooms))


def note_certificate(connection: Connection, room: str, certificate: x509.Certificate, now_utc_ns: int) -> None:
    """Keep a certificate that is handed out, in the transaction that makes it true."""
    connection.execute(
        insert(t.device_certificates).values(
            serial=f"{certificate.serial_number:x}",
            room=room,
            certificate=pem_of(certificate).decode(),
            issued_utc_ns=now_utc_ns,
            expires_utc_ns=_ns(certificate.not_valid_after_utc),
        )
    )


def revoke_certificates(connection: Connection, room: str, now_utc_ns: int) -> None:
    """Revoke all certificates of a room, in the transaction that revokes its device."""
    c = t.device_certificates.c
    good = (c.room == room) & c.revoked_utc_ns.is_(None)
    connection.execute(update(t.device_certificates).where(good).values(revoked_utc_ns=now_utc_ns))


def certified_hosts(connection: Connection, room: str, now_utc_ns: int) -> CertifiedHosts:
    """What the good certificates of a room, and of all others, name."""
    c = t.device_certificates.c
    good = c.revoked_utc_ns.is_(None) & (c.expires_utc_ns > now_utc_ns)
    own: set[str] = set()
    others: set[str] = set()
    for row in connection.execute(select(c.room, c.certificate).where(good)):
        (own if row.room == room else others).update(_hosts_of(row.certificate))
    return CertifiedHosts(frozenset(own), frozenset(others))


@functools.lru_cache(maxsize=8192)
def _hosts_of(certificate: str) -> frozenset[str]:
    """Of one certificate (PEM). It never changes, and reading those of all rooms takes the database's one writer."""
    return frozenset(hosts_in(read_certificate(certificate.encode())))


def count_certificates(connection: Connection, room: str, since_utc_ns: int) -> int:
    """How many certificates a room was given since then."""
    c = t.device_certificates.c
    given = (c.room == room) & (c.issued_utc_ns > since_utc_ns)
    return int(connection.execute(select(func.count()).select_from(t.device_certificates).where(given)).scalar_one())


def revoked_serials(connection: Connection, now_utc_ns: int) -> set[int]:
    """What the list of revoked certificates must hold: those that would still be valid."""
    c = t.device_certificates.c
    wanted = c.revoked_utc_ns.is_not(None) & (c.expires_utc_ns > now_utc_ns)
    return {int(serial, 16) for serial in connection.execute(select(c.serial).where(wanted)).scalars()}


def _ns(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * NS_PER_S
