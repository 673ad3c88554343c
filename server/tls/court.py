"""The court's authority and the certificates of the center and its broker: made at first start, renewed by themselves.

Below the data folder, in `keys/`: `authority.key` and `authority.pem`, `server.key` and `server.pem` of the web server;
`center.key` beside them is another (it signs records). The folder of the broker gets all that it reads: the
authority, a certificate and key of its own, and the list of revoked certificates. Files are replaced whole, so a broker
that is told to read them again never finds half of one.
"""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import structlog
from cryptography import x509

from server.tls.nats_users import NATS_USERS, nats_users_text
from server.tls.room_hosts import CertifiedHosts, hosts_for_room
from sync.errors import ConfigError, LedgerError
from sync.runtime.files.durable_files import replace_file
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from sync.tls.authority import open_authority
from sync.tls.certificates import check_tls_certificate, is_due, pem_of
from sync.tls.contexts import load_own, server_context, show_to
from sync.tls.identity import TlsFiles
from sync.tls.keys import make_tls_key, pem_of_key
from sync.tls.names import CENTER, CENTER_HOST, alternative_names, hosts_in, hosts_in_names, local_hosts
from sync.tls.requests import read_request

log = structlog.get_logger(__name__)

BROKER = "broker"
"""The name in the broker's own certificate: neither a room's nor the center's, so it opens nothing."""
_BROKER_MODE = 0o640
"""The folder belongs to the broker's group; nobody else may read its key."""


def utc_now() -> dt.datetime:
    """The time by which certificates are judged."""
    return dt.datetime.now(dt.UTC)


class CourtAuthority:
    """Methods block for some milliseconds of signing and a file sync."""

    def __init__(
        self,
        data: Path,
        name: str,
        *,
        names: Sequence[str] = (),
        own: tuple[Path, Path] | None = None,
        broker: Path | None = None,
        account: str = CENTER,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        """`names`: by which people and rooms reach the center, besides the machine's own. `own`: certificate and key of
        the court's own for the web server. `broker`: the broker's folder. `account`: the center's name there, of
        several processes each its own. `ConfigError` when a file cannot be used."""
        self._keys = data / "keys"
        self._names = tuple(names)
        self._own = own
        self._broker = broker or data / "broker"
        self._account = account
        self._now = now
        self.authority = open_authority(self._keys, name, now())
        self._made = (self._keys / "server.pem", self._keys / "server.key")
        self._context: ssl.SSLContext | None = None
        self._own_context: ssl.SSLContext | None = None
        self.renew()

    @property
    def files(self) -> TlsFiles:
        """With which the center connects to its broker."""
        own = self._keys / f"{self._account}-tls"
        return TlsFiles(self._keys / "authority.pem", own.with_suffix(".pem"), own.with_suffix(".key"))

    @property
    def server_certificate(self) -> Path:
        """Of the web server, as the authority has made it."""
        return self._made[0]

    @property
    def broker_folder(self) -> Path:
        """What the broker reads."""
        return self._broker

    def context(self) -> ssl.SSLContext:
        """Of the web server; the same object for ever, `renew` puts new certificates into it."""
        if self._context is None:
            authority = self._keys / "authority.pem"
            self._context = server_context(*self._made, authority)
            if self._own is not None:
                self._own_context = server_context(*self._own, authority)
                # Rooms trust the court's authority and ask for a name of their own, which this certificate lacks.
                show_to(self._context, hosts_in(_first(self._own[0])), self._own_context)
        return self._context

    def renew(self) -> bool:
        """Make what is missing, does not fit any more, or has less than a third of its life left; whether it did."""
        hosts = [CENTER_HOST, *self._names, *local_hosts()]
        made = self._certify(*self._made, CENTER, hosts)
        made |= self._certify(self.files.certificate, self.files.key, self._account, [])
        try:
            self._broker.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"the broker's folder {self._broker} cannot be used: {error.strerror}") from error
        self._put(self._broker / "authority.pem", self.authority.pem)
        broker_key = self._keys / "broker.key"
        made |= self._certify(self._broker / "server.pem", broker_key, BROKER, hosts)
        self._put(self._broker / "server.key", pem_of_key(make_tls_key(broker_key)))
        if not (self._broker / "crl.pem").exists():
            self.revoke([])
        if self._context is not None:
            load_own(self._context, *self._made)
        if self._own_context is not None and self._own is not None:
            load_own(self._own_context, *self._own)  # the court itself renews this one
        return made

    def revoke(self, serials: Iterable[int]) -> None:
        """Write the list of revoked certificates for the broker, if it is another than the one that is there."""
        path, wanted = self._broker / "crl.pem", set(serials)
        before: x509.CertificateRevocationList | None = None
        try:
            before = x509.load_pem_x509_crl(path.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, *FOREIGN_ERRORS) as error:
            log.warning("revocations_unreadable", file=str(path), why=str(error), next="written anew")
        ours = before is not None and before.is_signature_valid(self.authority.key.public_key())
        if before is None or not ours or {one.serial_number for one in before} != wanted:
            self._put(path, self.authority.revocations(wanted, self._now(), before if ours else None))

    def admit(self, rooms: Mapping[str, str]) -> None:
        """Write for a NATS broker who may connect: the name that a certificate has -> its `court/room`."""
        self._put(self._broker / NATS_USERS, nats_users_text(rooms).encode())

    def certify(
        self,
        request: bytes,
        room: str,
        *,
        here: bool = False,
        certified: CertifiedHosts | None = None,
        address: str = "",
    ) -> x509.Certificate:
        """A certificate for a room that has proved who it is; `LedgerError` when the request is not of this room.

        `here`, `certified`, `address`: see `hosts_for_room`, which says which of the hosts it asks for are in it.
        """
        key, asked = read_request(request, room)
        center = [*self._names, *local_hosts()]
        hosts = hosts_for_room(asked, center=center, here=here, certified=certified, address=address)
        if len(hosts) < len(asked):
            log.warning("hosts_not_certified", room=room, hosts=sorted(set(asked) - set(hosts))[:20])
        return self.authority.issue(key, room, hosts, self._now())

    def _certify(self, path: Path, key_path: Path, name: str, hosts: list[str]) -> bool:
        key = make_tls_key(key_path)
        wanted = hosts_in_names(alternative_names(hosts))
        try:
            there = check_tls_certificate(path.read_bytes(), name, self.authority.pem, key.public_key(), self._now())
            if wanted <= hosts_in(there) and not is_due(there, self._now()):
                return False
        except (OSError, LedgerError):
            pass
        self._put(path, pem_of(self.authority.issue(key.public_key(), name, hosts, self._now())))
        log.info("certificate_made", file=str(path), days=397)
        return True

    def _put(self, path: Path, data: bytes) -> None:
        """Whole or not at all; of the broker's folder readable by its group."""
        mode = _BROKER_MODE if path.parent == self._broker else 0o644
        try:
            if path.exists() and path.read_bytes() == data:
                return
            replace_file(path, data, mode=mode, shared=True)  # `wutong authority` may be at it beside the center
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def _first(path: Path) -> x509.Certificate:
    """Of a file that may hold a chain."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, IndexError, *FOREIGN_ERRORS) as error:
        raise ConfigError(f"the certificate {path} cannot be read: {error}") from error
