"""One MQTT connection (3.1.1) in an event loop, without a thread of its own: of these a process holds some thousand.

It says what a simulated room says and hears what it is told. It keeps nothing and repeats nothing: what was not
receipted its room says again. Quality of service 1 is answered, and what the broker acknowledges is not waited for.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Callable, Sequence
from typing import cast

_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _PINGREQ = 0x20, 0x30, 0x40, 0x90, 0xC0
KEEPALIVE_S = 60
_MOST_BYTES = 4 * 1024 * 1024


class LightLine(asyncio.Protocol):
    """Made for each connection anew; `ready` is set once the broker has taken connection and subscriptions, `lost`
    when it is over, also of one that was refused."""

    def __init__(
        self,
        name: str,
        password: str,
        topics: Sequence[str],
        heard: Callable[[str, bytes], None],
    ) -> None:
        """`topics` are subscribed; `heard(topic, payload)` is told of what comes."""
        self._name = name
        self._password = password
        self._topics = topics
        self._heard = heard
        self._transport: asyncio.Transport | None = None
        self._numbers = itertools.cycle(range(1, 65_536))
        self._waits = bytearray()
        self.ready = asyncio.Event()
        self.lost = asyncio.Event()

    def publish(self, topic: str, payload: bytes, *, qos: int = 1) -> bool:
        """Say something; False when the line is not there."""
        if self._transport is None or not self.ready.is_set() or self._transport.is_closing():
            return False
        number = struct.pack("!H", next(self._numbers)) if qos else b""
        self._transport.write(_packet(_PUBLISH | qos << 1, _text(topic) + number + payload))
        return True

    def ping(self) -> None:
        """Say that it is still there, where nothing else is said for long."""
        if self._transport is not None and self.ready.is_set():
            self._transport.write(_packet(_PINGREQ, b""))

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce itself."""
        # uvloop's are no subclass of asyncio's, and do the same.
        self._transport = wire = cast(asyncio.Transport, transport)
        flags = 0b1100_0010  # a name, a password, a clean session
        head = _text("MQTT") + struct.pack("!BBH", 4, flags, KEEPALIVE_S)
        wire.write(_packet(0x10, head + _text(self._name) + _text(self._name) + _text(self._password)))

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._transport = None
        self.ready.clear()
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        """Take whole packets out of what has come."""
        self._waits += data
        while (found := _whole(self._waits)) is not None:
            kind, start, end = found
            body = bytes(self._waits[start:end])
            del self._waits[:end]
            self._take(kind, body)

    def _take(self, kind: int, body: bytes) -> None:
        assert self._transport is not None
        if kind & 0xF0 == _CONNACK:
            if body[1:2] != b"\0":
                self._transport.close()
                return
            said = b"".join(_text(topic) + b"\1" for topic in self._topics)
            self._transport.write(_packet(0x82, struct.pack("!H", next(self._numbers)) + said))
        elif kind & 0xF0 == _SUBACK:
            self.ready.set()
        elif kind & 0xF0 == _PUBLISH:
            size = int.from_bytes(body[:2], "big")
            topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
            if kind & 0b110:
                self._transport.write(_packet(_PUBACK, rest[:2]))
                rest = rest[2:]
            self._heard(topic, rest)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def _packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, low = divmod(size, 128)
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes((kind,)) + bytes(length) + body


def _whole(data: bytearray) -> tuple[int, int, int] | None:
    """(kind, beginning, end) of the first packet, if all of it is there; `ValueError` for what no broker sends."""
    size = 0
    for place in range(1, min(len(data), 5)):
        size |= (data[place] & 0x7F) << 7 * (place - 1)
        if not data[place] & 0x80:
            end = place + 1 + size
            return (data[0], place + 1, end) if len(data) >= end else None
    if len(data) > 5 or size > _MOST_BYTES:
        raise ValueError("this is no MQTT")
    return None
