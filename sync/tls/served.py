"""TLS of a small server that is given its certificate by hand: speech server, machine that keeps copies.

Promises: beyond this machine nothing is served without TLS, unless a day is named until which it may; a certificate
that was replaced in its files is shown from the next handshake on, without a restart, and one that is about to end is
said in the log each day.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import structlog
from cryptography import x509

from sync.errors import ConfigError
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from sync.runtime.process.service import cancel_and_wait
from sync.tls.contexts import load_own, server_context
from sync.tls.hosts import is_loopback
from sync.tls.names import hosts_in
from sync.tls.plain import PlainPolicy, PlainWire

log = structlog.get_logger(__name__)

LOOK_S = 60.0
SAY_S = 86_400.0
SOON = dt.timedelta(days=30)


class ServedTls:
    """`context` is None where all is plain. Methods but `followed` may block for some milliseconds."""

    def __init__(
        self,
        host: str,
        files: tuple[Path, Path] | None,
        policy: PlainPolicy,
        *,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """`files`: certificate (PEM, with its chain) and key. `ConfigError` when `host` is one of a network and there
        are none, unless `policy` still leaves the plain way open; or when they cannot be used."""
        self._files = files
        self._policy = policy
        self._now = now
        self._seen: tuple[int, int] | None = None
        self._said_at: dt.datetime | None = None
        self.context: ssl.SSLContext | None = None
        if files is None:
            wires = [] if is_loopback(host) else [PlainWire("--host", host, "give --certificate and --key (PEM)")]
            for warning in policy.warnings(wires):
                log.error("plain_wire", what=warning)
            return
        self.context = server_context(*files)
        self._seen = self._stamp()
        self._say_end()

    def hosts(self) -> set[str]:
        """The names and addresses that its certificate says it is reached by; none where there is no certificate."""
        if self._files is None:
            return set()
        try:
            return hosts_in(x509.load_pem_x509_certificates(self._files[0].read_bytes())[0])
        except (OSError, IndexError, *FOREIGN_ERRORS) as error:
            raise ConfigError(f"the certificate {self._files[0]} cannot be read: {error}") from error

    @property
    def is_secure(self) -> bool:
        """Whether all is served by TLS at this moment."""
        return self.context is not None and not self._policy.is_open

    def is_plain_open(self) -> bool:
        """Whether plain HTTP is served beside TLS at this moment."""
        return self._policy.is_open

    def follow(self) -> bool:
        """Show the certificate that is in the files now; whether it is another. One that is unusable is not taken."""
        if self._files is None or self.context is None:
            return False
        self._say_end()
        try:
            seen = self._stamp()
            if seen == self._seen:
                return False
            load_own(self.context, *self._files)
        except (OSError, ConfigError) as error:
            log.error("certificate_unusable", why=str(error), next="the one before is shown on")
            return False
        self._seen, self._said_at = seen, None
        log.info("certificate_taken", file=str(self._files[0]))
        self._say_end()
        return True

    @contextlib.asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Follow while the block runs."""
        following = asyncio.create_task(self._follow_for_ever())
        try:
            yield
        finally:
            await cancel_and_wait(following)

    async def _follow_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await asyncio.to_thread(self.follow)

    def _stamp(self) -> tuple[int, int]:
        assert self._files is not None
        return self._files[0].stat().st_mtime_ns, self._files[1].stat().st_mtime_ns

    def _say_end(self) -> None:
        assert self._files is not None
        now = self._now()
        if self._said_at is not None and (now - self._said_at).total_seconds() < SAY_S:
            return
        self._said_at = now
        try:
            until = x509.load_pem_x509_certificates(self._files[0].read_bytes())[0].not_valid_after_utc
        except (OSError, IndexError, *FOREIGN_ERRORS):
            return
        if until - now < SOON:
            log.error("certificate_ends", file=str(self._files[0]), until=f"{until:%Y-%m-%d}", next="replace the files")
