"""What the center tells its rooms, each message signed with the center's key and later than the one before it.

The stamp (UTC in ns) of a room's messages of one purpose rises strictly, also when the clock does not, so that a room
can refuse what is said to it a second time. While the plain way is open the fields of before stand beside the note, for
rooms that know no signed messages yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from server.ingest.mqtt import CenterBroker
from sync.ledger.keys import CENTER
from sync.ledger.messages.signed_message import pack_message
from sync.ledger.signing_key import SigningKey

ToldPurpose = Literal["receipts", "demand", "docket", "notices", "witness", "audit-head"]
"""Purposes of what goes down to rooms; each is a topic of its own."""


class SignedPublisher:
    """All methods belong to one event loop."""

    def __init__(
        self,
        broker: CenterBroker,
        key: SigningKey,
        *,
        accept_unsigned: Callable[[], bool] = lambda: False,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`accept_unsigned()`: whether rooms of before are still served."""
        self._broker = broker
        self._key = key
        self._accept_unsigned = accept_unsigned
        self._utc_ns = utc_ns
        self._last: dict[tuple[str, str], int] = {}

    def tell(
        self,
        room: str,
        purpose: ToldPurpose,
        text: str,
        *,
        before: Mapping[str, Any] | None = None,
        qos: int = 0,
    ) -> bool:
        """Publish to `court/room`; `before`: what a room of before is told beside it. False: the broker is away."""
        if not self._broker.connected:
            return False
        stamp = max(self._utc_ns(), self._last.get((room, purpose), 0) + 1)
        self._last[(room, purpose)] = stamp
        beside = before if self._accept_unsigned() else None
        payload = pack_message(purpose, room, [stamp], text, CENTER, self._key, beside=beside)
        return self._broker.publish(room, purpose, payload, qos=qos)
