"""The room keeps heads of the center's audit log: out of the center's hands, with the moment at which it had them.

A head that the center tells (`audit-head`) is looked at: signed by the center that this room was enrolled at, and not
before the one that the room has. One every `KEEP_S` is countersigned by the device (the time-stamped cosignature of
c2sp.org/tlog-cosignature) and becomes an event `access` of the room's log, which also returns to the center. That
proves: the center had signed this log of so many rows no later than then. It does not prove that the rows are true, nor
that a later log continues this one: whoever has the rows compares them with what the rooms hold
(`wutong verify --audit --room`). A head that goes back, or is another of the same size, is kept at once and said.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import LedgerError, StorageError
from sync.ledger import note as notes
from sync.ledger.audit_head import AuditHead, read_head
from sync.ledger.signing_key import SigningKey
from sync.record.bodies.media import AccessBody
from sync.room.feed import FeedClient

log = structlog.get_logger(__name__)

KEEP_S = 900.0
AGAIN_S = 60.0
TOPIC = "audit-head"
"""On the uplink's feed, and what the event calls it."""


class AuditWitness:
    """All methods belong to one event loop."""

    def __init__(
        self,
        address: str,
        key: SigningKey,
        center: Callable[[], Ed25519PublicKey | None],
        append: Callable[[AccessBody, str], Awaitable[object]],
        known: Callable[[], set[str]],
        *,
        utc_s: Callable[[], int] = lambda: int(time.time()),
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address` is `court/room`; `append(body, key)` writes an event once for each key, `known()` are those keys
        so far; `center()` is the key of the center that the room was enrolled at."""
        self._address = address
        self._key = key
        self._center = center
        self._append = append
        self._known = known
        self._utc_s = utc_s
        self._monotonic_s = monotonic_s
        self._last: tuple[int, str] | None = None
        self._next_s = float("-inf")

    async def run(self, feed: FeedClient) -> None:
        """Listen to the uplink for ever."""
        async for topic, payload in feed.messages():
            if topic == TOPIC:
                await self.heard(payload)

    async def heard(self, payload: bytes) -> None:
        """The center has told a head."""
        center = await asyncio.to_thread(self._center)
        if center is None:
            return
        try:
            note, head = read_head(payload.decode(), center)
            await self._keep(note, head)
        except (LedgerError, UnicodeDecodeError) as error:
            log.warning("audit_head_refused", why=str(error)[:200])
        except StorageError as error:
            self._next_s = self._monotonic_s() + AGAIN_S
            log.error("audit_head_not_kept", why=error.message)

    async def _keep(self, note: notes.Note, head: AuditHead) -> None:
        if self._last is None:
            self._last = max((_of_key(key) for key in await asyncio.to_thread(self._known)), default=(0, ""))
        size, root = self._last
        now = self._monotonic_s()
        back = head.size < size or (head.size == size and head.root.hex() != root)
        if head.size == size and not back:
            return
        if back:
            log.error("audit_head_goes_back", rows=head.size, before=size, next="wutong verify --audit at the center")
        elif now < self._next_s:
            return
        line = await asyncio.to_thread(notes.cosign, note, self._address, self._key, self._utc_s())
        text = notes.Note(note.text, (*note.lines[:1], line)).to_text()
        body: AccessBody = {"what": "audit-back" if back else "audit-head", "note": text}
        await self._append(body, f"{TOPIC}/{head.size}/{head.root.hex()}")
        if not back:
            self._last = head.size, head.root.hex()
            self._next_s = now + KEEP_S


def _of_key(key: str) -> tuple[int, str]:
    _, size, root = key.split("/")
    return int(size), root
