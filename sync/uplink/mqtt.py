"""One connection to an MQTT broker (3.1.1): paho in its own thread, bridged to the event loop.

Promises: nothing is published, and so nothing is queued, while the broker is away; what waits to be written is known
in bytes (`backlog_bytes`), so that live media can be cut to seconds. Refuses to be durable: paho keeps unacknowledged
messages in memory only; whatever must arrive is sent again by the outbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

log = structlog.get_logger(__name__)

KEEPALIVE_S = 15
MAX_QUEUED_MESSAGES = 512
"""Of QoS 1: the outbox's window, statuses and init segments."""
SEND_BUFFER_BYTES = 512 * 1024
"""Of the socket: what the kernel holds is lag too."""


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and who connects."""

    host: str
    port: int
    client_id: str
    username: str = ""
    password: str = ""


class Broker:
    """All methods belong to one event loop; handlers are called on it."""

    def __init__(self, address: BrokerAddress, *, will_topic: str, will: bytes) -> None:
        self._address = address
        self._will_topic = will_topic
        self._will = will
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handlers: dict[str, tuple[int, Callable[[bytes], None]]] = {}
        self._outstanding: dict[int, int] = {}
        self._on_connected: list[Callable[[], None]] = []
        self._published = asyncio.Event()
        self.connected = False
        self.backlog_bytes = 0
        self.why = ""
        """Why it is not connected, in words; empty before the first attempt."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=address.client_id, protocol=mqtt.MQTTv311)
        client.suppress_exceptions = True
        client.max_queued_messages_set(MAX_QUEUED_MESSAGES)
        client.max_inflight_messages_set(128)
        client.reconnect_delay_set(min_delay=1, max_delay=5)
        if address.username:
            client.username_pw_set(address.username, address.password)
        client.will_set(will_topic, will, qos=1, retain=True)
        client.on_connect = self._paho_connect
        client.on_disconnect = self._paho_disconnect
        client.on_publish = self._paho_publish
        client.on_message = self._paho_message
        client.on_socket_open = self._paho_socket
        self._client = client

    def subscribe(self, topic: str, qos: int, handler: Callable[[bytes], None]) -> None:
        """Call `handler(payload)` for every message of `topic`; say it before `start`."""
        self._handlers[topic] = (qos, handler)

    def on_connected(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every connect, when all topics are subscribed."""
        self._on_connected.append(callback)

    def start(self) -> None:
        """Connect in the background, for ever."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    async def stop(self) -> None:
        """Say goodbye (the will is not sent on a clean goodbye, so it is published) and end the thread."""
        if self.connected and self.publish(self._will_topic, self._will, qos=1, retain=True):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    while self._outstanding:
                        self._published.clear()
                        await self._published.wait()
        self.connected = False
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> bool:
        """Hand a message to the connection; False (and nothing is queued) when it cannot take it now."""
        if not self.connected:
            return False
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        self._outstanding[info.mid] = len(payload)
        self.backlog_bytes += len(payload)
        return True

    # The methods below run in paho's thread and only hop to the loop: holding a lock of ours under one of paho's
    # would invite a deadlock.

    def _hop(self, callback: Callable[..., None], *arguments: Any) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _paho_socket(self, _client: Any, _userdata: Any, sock: Any) -> None:
        # Nagle would hold a fragment back until the one before is acknowledged.
        with contextlib.suppress(OSError, AttributeError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def _paho_connect(self, client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._hop(self._refused, str(reason))
            return
        if self._handlers:
            client.subscribe([(topic, qos) for topic, (qos, _) in self._handlers.items()])
        self._hop(self._up)

    def _paho_disconnect(self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._hop(self._down, str(reason))

    def _paho_publish(self, _client: Any, _userdata: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._hop(self._sent, mid)

    def _paho_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        self._hop(self._receive, message.topic, bytes(message.payload))

    # On the loop:

    def _refused(self, why: str) -> None:
        if why != self.why:
            log.warning("broker_refused", host=self._address.host, port=self._address.port, why=why)
        self.why = why

    def _up(self) -> None:
        log.info("broker_connected", host=self._address.host, port=self._address.port)
        self.why = ""
        self._forget_outstanding()
        self.connected = True
        for callback in self._on_connected:
            callback()

    def _down(self, why: str) -> None:
        if self.connected:
            log.warning("broker_lost", why=why, next="reconnecting; events wait in the room's log")
        self.connected = False
        self.why = why
        self._forget_outstanding()

    def _forget_outstanding(self) -> None:
        self._outstanding.clear()
        self.backlog_bytes = 0
        self._published.set()

    def _sent(self, mid: int) -> None:
        self.backlog_bytes -= self._outstanding.pop(mid, 0)
        self._published.set()

    def _receive(self, topic: str, payload: bytes) -> None:
        handler = self._handlers.get(topic)
        if handler is not None:
            handler[1](payload)
