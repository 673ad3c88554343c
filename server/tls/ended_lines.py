"""The end of a room's connection to the broker: the center takes it over and lets it go.

The broker gives each name one connection, and a newer one takes the place of an older (`use_username_as_clientid`). So
a certificate of the room's own name, made for this and valid for a minute, is enough: the room's old line ends within a
second, and by then the list of revoked certificates, or the end of its own, keeps it from coming back. This line says
nothing and hears nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog

from server.tls.court import CourtAuthority
from sync.broker_address import BrokerAddress
from sync.mqtt import MqttConnection
from sync.runtime.files.durable_files import replace_file
from sync.tls.authority import BACKDATE
from sync.tls.certificates import pem_of
from sync.tls.contexts import client_context, load_own, trust
from sync.tls.keys import make_tls_key

log = structlog.get_logger(__name__)

LASTS = dt.timedelta(minutes=1)
PATIENCE_S = 10.0


async def end_line(court: CourtAuthority, places: Sequence[tuple[str, int]], room: str) -> bool:
    """End what `room` has open at the broker, (host, port) of its machines; whether it was there to do it."""
    up = asyncio.Event()
    with tempfile.TemporaryDirectory(prefix="wutong-") as folder:
        context = await asyncio.to_thread(_context, court, Path(folder), room)
    connection = MqttConnection(BrokerAddress.of(places, room, tls=context))
    connection.on_link(lambda there: up.set() if there else None)
    connection.start()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await up.wait()
    finally:
        await connection.stop()
    log.info("line_ended", room=room, done=up.is_set())
    return up.is_set()


def _context(court: CourtAuthority, folder: Path, room: str) -> ssl.SSLContext:
    key = make_tls_key(folder / "line.key")
    now = dt.datetime.now(dt.UTC)
    certificate = court.authority.issue(key.public_key(), room, [], now, lasts=BACKDATE + LASTS)
    replace_file(folder / "line.pem", pem_of(certificate), synced=False)
    context = client_context()
    trust(context, court.files.authority)
    load_own(context, folder / "line.pem", folder / "line.key")
    return context
