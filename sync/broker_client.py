"""paho's client, which goes to the next of several machines at each attempt, and a name for it that nobody guesses."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from typing import TypeVar

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

T = TypeVar("T")


def unguessable_client_id(name: str) -> str:
    """A client id for this process alone.

    Mosquitto takes the account's name in its place. NATS does not: there whoever knew the id could take the line of
    another away. So nobody can know it, and what a process of before left open ends by itself.
    """
    return f"{name}-{secrets.token_hex(16)}"


class BrokerClient(mqtt.Client):
    """Used as paho's own."""

    turns: itertools.cycle[tuple[str, int]] | None = None
    """(host, port) of the machines; None where there is one alone, which `connect_async` names."""

    def reconnect(self) -> MQTTErrorCode:
        """Connect, the first time and each further one; called in paho's thread."""
        # Set here and nowhere else: the library has no word for another machine while it is connecting.
        if self.turns is not None:
            self._host, self._port = next(self.turns)
        return super().reconnect()

    def loop_stop(self) -> MQTTErrorCode:
        """End its thread, and let go of the connection and of what the thread was woken by.

        The library keeps those until the client is thrown away, which of one that its own callbacks hold is at nobody
        knows what time.
        """
        ended = super().loop_stop()
        self._reset_sockets()
        return ended


def in_packets(filters: Sequence[T], most: int) -> Iterator[list[T]]:
    """Filters as they are asked for, so many in one packet."""
    for start in range(0, len(filters), most):
        yield list(filters[start : start + most])
