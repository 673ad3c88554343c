"""Whether another device goes by the identity of this room: a copied disk, or somebody who has the certificate.

The broker knows a room by its account alone, so each of the two takes the line over from the other, again and again.
The center hears two runs of an uplink by turns (`session` of the status) and says so in `demand`. Then each of them
waits `TURN_S` after its line was lost and connects anew, so each has its turn to send what waits, and the broker has
few connections to make. Nothing of the record is given up: what the center does not take stays in the room.

Promises: no picture leaves the room before the center has said that it is this uplink that it hears. A picture that
overtook the status of its room would be shown as the hearing of the other. A center of before does not say it, nor
does one that this room cannot believe (not enrolled, a wrong clock): thumbnails, which nobody asks for, wait
`HOLD_S` for its word at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from sync.mqtt import RECONNECT_S, MqttConnection

log = structlog.get_logger(__name__)

TURN_S = (10, 30)
"""The first wait, which is the other's turn, and the longest, where the broker is away."""
HOLD_S = 10.0


class Twin:
    """What an uplink knows of the other. All methods belong to one event loop."""

    def __init__(
        self,
        session: str,
        broker: MqttConnection,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`session` is the name of this run."""
        self.session = session
        self.is_there = False
        """Whether the center hears another one by turns."""
        self._broker = broker
        self._monotonic = monotonic
        self._held_until = monotonic() + HOLD_S

    @property
    def may_show(self) -> bool:
        """Whether thumbnails may leave now."""
        return self._monotonic() >= self._held_until

    def connected(self) -> None:
        """The line is new: whom the center hears now is not known."""
        self._held_until = self._monotonic() + HOLD_S

    def told(self, heard: str, *, twice: bool) -> bool:
        """The center hears the uplink of this name ("" if it does not say), and perhaps two by turns; whether it is
        this one alone, so that pictures may leave."""
        if twice != self.is_there:
            self.is_there = twice
            if twice:
                log.error("two_devices", next="two devices use this room's identity: revoke it, enroll the right one")
                self._broker.reconnect_after(*TURN_S)
            else:
                log.info("two_devices_over")
                self._broker.reconnect_after(*RECONNECT_S)
        is_ours = not twice and heard in ("", self.session)
        self._held_until = self._monotonic() + (0.0 if is_ours else HOLD_S)
        return is_ours
