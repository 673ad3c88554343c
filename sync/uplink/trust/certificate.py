"""The room's certificate of TLS: taken when it comes, and renewed by showing the one that ends.

A room that was off for so long that its certificate ended has to be enrolled again; the record waits in the room.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Annotated

import httpx
import structlog
from cryptography import x509
from pydantic import BaseModel, Field, ValidationError

from sync.errors import CenterError, ConfigError, LedgerError
from sync.room.paths import RoomPaths
from sync.runtime.files.durable_files import replace_file
from sync.tls.certificates import check_tls_certificate, is_due, read_certificate
from sync.tls.identity import TlsIdentity
from sync.tls.keys import load_tls_key
from sync.tls.names import CENTER_HOST, alternative_names, hosts_in, hosts_in_names
from sync.tls.requests import tls_request

log = structlog.get_logger(__name__)

FOLLOW_S = 1.0
LOOK_S = 3600.0
AGAIN_S = 300.0


class _Renewed(BaseModel):
    tls: Annotated[str, Field(max_length=10_000)]


async def ask_for_center(request: httpx.Request) -> None:
    """A hook of a client: by whatever name or address the center is reached, its certificate must say it is one."""
    if request.url.scheme == "https":
        request.extensions = {**request.extensions, "sni_hostname": CENTER_HOST}


class CertificateRenewal:
    """All methods belong to one event loop."""

    def __init__(
        self,
        layout: RoomPaths,
        room: str,
        hosts: Sequence[str],
        identity: TlsIdentity,
        http: httpx.AsyncClient,
        *,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """`http` shows the certificate of `identity` to the center; `hosts` are those of the room's panel."""
        self._layout = layout
        self._room = room
        self._hosts = list(hosts)
        self._identity = identity
        self._http = http
        self._now = now
        self._not_granted: set[str] = set()
        """Hosts that were asked for and are not in what came: they are not asked for every hour."""

    async def run(self) -> None:
        """Follow the files and renew for ever."""
        look_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            if self._identity.is_outdated and await asyncio.to_thread(self._identity.follow):
                log.info("certificate_taken", file=str(self._layout.tls_certificate))
                look_at = 0.0
            if loop.time() >= look_at:
                look_at = loop.time() + await self._look()
            await asyncio.sleep(FOLLOW_S)

    async def renew_if_due(self) -> bool:
        """Renew the certificate if less than a third of its life is left or it lacks a host; whether it was.

        `CenterError`, `LedgerError`, `ConfigError` or `httpx.HTTPError` says why it was not.
        """
        try:
            certificate = read_certificate(await asyncio.to_thread(self._layout.tls_certificate.read_bytes))
        except (OSError, LedgerError):
            return False  # Not enrolled by an authority: there is nothing to show.
        if not (is_due(certificate, self._now()) or self._lacks(certificate)):
            return False
        key = await asyncio.to_thread(load_tls_key, self._layout.tls_key)
        asked = tls_request(key, self._room, self._hosts).decode()
        answer = await self._http.post("/api/certificate", json={"request": asked}, headers={"X-Wutong": "1"})
        if answer.status_code != 200:
            raise CenterError(f"the center answered {answer.status_code} to the renewal of this room's certificate")
        try:
            renewed = _Renewed.model_validate_json(answer.content).tls.encode()
            authority = await asyncio.to_thread(self._layout.authority.read_bytes)
        except (ValidationError, OSError) as error:
            raise CenterError("what the center answered to the renewal cannot be read") from error
        check_tls_certificate(renewed, self._room, authority, key.public_key(), self._now())
        await asyncio.to_thread(replace_file, self._layout.tls_certificate, renewed)
        self._not_granted = self._missing(read_certificate(renewed))
        if self._not_granted:
            log.warning(
                "certificate_lacks_hosts",
                hosts=sorted(self._not_granted),
                next="browsers warn there; enroll the room again with a code of the center to have them certified",
            )
        return True

    async def _look(self) -> float:
        try:
            if await self.renew_if_due():
                log.info("certificate_renewed", file=str(self._layout.tls_certificate))
        except (CenterError, LedgerError, ConfigError, httpx.HTTPError, OSError) as error:
            log.warning("certificate_not_renewed", why=str(error) or type(error).__name__, next="it is tried again")
            return AGAIN_S
        return LOOK_S

    def _lacks(self, certificate: x509.Certificate) -> bool:
        return bool(self._missing(certificate) - self._not_granted)

    def _missing(self, certificate: x509.Certificate) -> set[str]:
        return hosts_in_names(alternative_names(self._hosts)) - hosts_in(certificate)
