"""paho's client for an event loop: given each connection ready-made, and told when to read and to write, in turns.

It refuses what is too large for any broker of ours before it reads it, and takes what it cannot read for the end of the
connection, whatever the library says to it.
"""

from __future__ import annotations

import itertools
import secrets
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from sync.runtime.bounds.message_size import MAX_PACKET_BYTES

log = structlog.get_logger(__name__)

T = TypeVar("T")

SEND_BYTES = 64 * 1024
"""Given to the socket at a time."""
MOST_READ_BYTES = 2 * MAX_PACKET_BYTES
"""Of one packet. No broker of ours takes half of it from anybody, so whoever sends it is none."""


def unguessable_client_id(name: str) -> str:
    """A client id for this process alone.

    Mosquitto takes the account's name in its place. NATS does not: there whoever knew the id could take the line of
    another away. So nobody can know it, and what a process of before left open ends by itself.
    """
    return f"{name}-{secrets.token_hex(16)}"


class BrokerClient(mqtt.Client):
    """Of MQTT 3.1.1. All methods belong to one thread; `loop_start` and its kin are not for it."""

    def __init__(self, client_id: str) -> None:
        # Without `reconnect_on_failure` the library never connects by itself, whatever the broker answers.
        super().__init__(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311, reconnect_on_failure=False
        )
        self.suppress_exceptions = True
        self.turns: itertools.cycle[tuple[str, int]] | None = None
        """(host, port) of the machines; None where there is one alone, which `connect_async` names."""
        self._dialled: socket.socket | None = None
        self._may_send_bytes = 0
        self.is_full = False
        """The socket took nothing more in the last `write_turn`."""
        self.write_waits_to_read = False
        """TLS cannot write on before it has read something."""
        self.read_waits_to_write = False
        """TLS cannot read on before it has written something."""

    def next_place(self) -> tuple[str, int]:
        """(host, port) of the machine whose turn it is, the first time and each further one."""
        # Set here and nowhere else: the library has no word for another machine.
        if self.turns is not None:
            self._host, self._port = next(self.turns)
        return self._host, self._port

    def begin(self, sock: socket.socket) -> None:
        """Say hello over a connection that stands; what was of the one before is forgotten. It owns the socket now."""
        self.is_full = self.write_waits_to_read = self.read_waits_to_write = False
        self._dialled = sock
        self.reconnect()

    def read_packet(self) -> bool:
        """Read on; whether a whole packet was read and handled, so that there may be another one."""
        if self._sock is None:
            return False
        self.read_waits_to_write = False
        try:
            code = self._packet_read()
        except Exception:  # what the library stumbles over ends the connection, as what it knows to be malformed does
            log.exception("packet_unreadable", next="the connection to the broker is ended")
            code = MQTTErrorCode.MQTT_ERR_PROTOCOL
        if code > 0:
            self._loop_rc_handle(code)
        return code == MQTTErrorCode.MQTT_ERR_SUCCESS and self._sock is not None

    def write_turn(self, most_bytes: int) -> None:
        """Write what waits, until nothing does, the socket takes no more, or so many bytes are written."""
        self._may_send_bytes = most_bytes
        self.is_full = self.write_waits_to_read = False
        self.loop_write()

    def close(self) -> None:
        """End the connection without a word, and without telling anybody; not from within a callback."""
        self._sock_close()

    # What the library calls:

    def _create_socket(self) -> socket.socket:
        sock, self._dialled = self._dialled, None
        if sock is None:
            raise ConnectionError("no connection was made")
        return sock

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > MOST_READ_BYTES:
            raise ConnectionError(f"a packet of {bufsize} bytes")
        try:
            return super()._sock_recv(bufsize)
        except BlockingIOError as error:
            self.read_waits_to_write = isinstance(error.__cause__, ssl.SSLWantWriteError)
            raise

    def _sock_send(self, buf: bytes | bytearray) -> int:
        if self._may_send_bytes <= 0:
            raise BlockingIOError("the rest is for the next turn")
        try:
            sent = super()._sock_send(buf[:SEND_BYTES])
        except BlockingIOError as error:
            self.is_full = True
            self.write_waits_to_read = isinstance(error.__cause__, ssl.SSLWantReadError)
            raise
        self._may_send_bytes -= sent
        return sent

    def _packet_queue(
        self, command: int, packet: bytes | bytearray, mid: int, qos: int, info: Any = None
    ) -> MQTTErrorCode:
        # The library cuts what it has written off its front again and again; of a view that copies nothing.
        return super()._packet_queue(command, cast(bytes, memoryview(packet)), mid, qos, info)


def in_packets(filters: Sequence[T], most: int) -> Iterator[list[T]]:
    """Filters as they are asked for, so many in one packet."""
    for start in range(0, len(filters), most):
        yield list(filters[start : start + most])
