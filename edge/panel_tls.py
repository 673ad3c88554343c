"""HTTPS of the panel and the display: with the certificate of the enrollment or, until there is one, of our own making.

Promises: a room that listens on a network never serves without TLS, enrolled or not, unless its profile leaves the old
way open for a time. A new certificate is taken while screens are connected; those go on.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import Callable

import structlog

from hardware.profile import Profile
from sync.errors import ConfigError, LedgerError
from sync.room.messages import RoomAlarm
from sync.room.paths import RoomPaths
from sync.runtime.files.durable_files import replace_file
from sync.tls.authority import open_authority
from sync.tls.certificates import check_tls_certificate, is_due, pem_of
from sync.tls.contexts import load_own, server_context
from sync.tls.hosts import hosts_of_urls
from sync.tls.identity import TlsFiles
from sync.tls.keys import make_tls_key
from sync.tls.names import local_hosts
from sync.tls.plain import ALARM

log = structlog.get_logger(__name__)

LOOK_S = 2.0


def panel_hosts(profile: Profile) -> tuple[str, ...]:
    """By what the panel of a room is reached."""
    return (*profile.tls.names, *hosts_of_urls(profile.panel.public_origin), *local_hosts())


def plain_alarms(profile: Profile, now_ns: int) -> list[RoomAlarm]:
    """What the screens say in red while the old ways without TLS are open; `now_ns` is room time."""
    policy = profile.policy
    if not policy.is_open:
        return []
    wires = "、".join(f"{wire.setting} = {wire.value}" for wire in profile.plain_wires())
    text = policy.words(wires or "http、令牌和 MQTT 密码仍可使用")
    return [{"code": ALARM, "subject": "", "text": text, "since_ns": now_ns}]


class PanelTls:
    """Methods but `run` block for some milliseconds."""

    def __init__(self, profile: Profile, *, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        """`ConfigError` when a key or certificate cannot be used."""
        layout = RoomPaths(profile.storage.data)
        own = layout.own_authority
        self._address = profile.address
        self._hosts = panel_hosts(profile)
        self._now = now
        self._enrolled = TlsFiles(layout.authority, layout.tls_certificate, layout.tls_key)
        self._own = TlsFiles(own / "authority.pem", own / "panel.pem", own / "panel.key")
        self._served: object = None
        self.context: ssl.SSLContext = self._first()

    def look(self) -> bool:
        """Take a certificate that is new; whether there was one."""
        files = self._best()
        seen = (files, files.certificate.stat().st_mtime_ns)
        if seen == self._served:
            return False
        load_own(self.context, files.certificate, files.key)
        self._served = seen
        return True

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if await asyncio.to_thread(self.look):
                    log.info("panel_certificate_taken")
            except (ConfigError, OSError) as error:
                log.error("panel_certificate_unusable", why=str(error), next="the one before is shown on")

    def _first(self) -> ssl.SSLContext:
        files = self._best()
        self._served = (files, files.certificate.stat().st_mtime_ns)
        return server_context(files.certificate, files.key)

    def _best(self) -> TlsFiles:
        if self._is_good(self._enrolled):
            return self._enrolled
        if not self._is_good(self._own):
            authority = open_authority(self._own.authority.parent, f"Wutong {self._address}", self._now())
            key = make_tls_key(self._own.key)
            made = authority.issue(key.public_key(), self._address, self._hosts, self._now())
            replace_file(self._own.certificate, pem_of(made))
        return self._own

    def _is_good(self, files: TlsFiles) -> bool:
        try:
            key = make_tls_key(files.key) if files.key.exists() else None
            if key is None:
                return False
            certificate, authority = files.certificate.read_bytes(), files.authority.read_bytes()
            found = check_tls_certificate(certificate, self._address, authority, key.public_key(), self._now())
        except (OSError, LedgerError):
            return False
        return files is self._enrolled or not is_due(found, self._now())
