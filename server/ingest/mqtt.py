"""The center's connection to the MQTT broker: topics of all rooms in, demand, receipts and dockets out.

Promises: messages reach the handler in order, on the event loop; at most `MAX_PENDING_BYTES` wait there, beyond that
live media is dropped (its tracks are reported) and events too: a room sends what was not receipted again. Nothing is
published while the broker is away; whoever publishes says it again on `on_link(True)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

log = structlog.get_logger(__name__)

PREFIX = "court/v1"
TOPICS = (
    ("status", 1),
    ("events", 1),
    ("checkpoints", 1),
    ("caption", 0),
    ("levels", 0),
    ("live/+/init", 1),
    ("live/+/frag", 0),
    ("live/+/thumb", 0),
)
MAX_PENDING_BYTES = 64 * 1024 * 1024

Handler = Callable[[str, str, bytes, bool], None]
"""(`court/room`, the rest of the topic, payload, retained)."""


class CenterBroker:
    """All methods belong to one event loop."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        username: str,
        password: str,
        client_id: str,
        on_message: Handler,
        on_link: Callable[[bool], None],
    ) -> None:
        self._address = (host, port)
        self._on_message = on_message
        self._on_link = on_link
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._waiting: deque[tuple[str, bytes, bool]] = deque()
        self._waiting_bytes = 0
        self._scheduled = False
        self.connected = False
        self.dropped = 0
        # A clean session: what the rooms say while the center is away waits in their outboxes, not in the broker.
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
        client.suppress_exceptions = True
        client.max_queued_messages_set(4096)
        client.reconnect_delay_set(min_delay=1, max_delay=5)
        if username:
            client.username_pw_set(username, password)
        client.on_connect = self._paho_connect
        client.on_disconnect = self._paho_disconnect
        client.on_message = self._paho_message
        self._client = client

    def start(self) -> None:
        """Connect in the background, for ever."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(*self._address, keepalive=15)
        self._client.loop_start()

    async def stop(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def publish(self, room: str, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> bool:
        """Publish to a room; False (and nothing is queued) while the broker is away."""
        if not self.connected:
            return False
        info = self._client.publish(f"{PREFIX}/{room}/{topic}", payload, qos=qos, retain=retain)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    # In paho's thread; only hops to the loop.

    def _hop(self, callback: Callable[..., None], *arguments: Any) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _paho_connect(self, client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker_refused", why=str(reason), next="look at [mqtt] in the center's configuration")
            return
        client.subscribe([(f"{PREFIX}/+/+/{topic}", qos) for topic, qos in TOPICS])
        self._hop(self._set_link, True)

    def _paho_disconnect(self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._hop(self._set_link, False)

    def _paho_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        payload = bytes(message.payload)
        with self._lock:
            if self._waiting_bytes + len(payload) > MAX_PENDING_BYTES:
                self.dropped += 1
                return
            self._waiting.append((message.topic, payload, bool(message.retain)))
            self._waiting_bytes += len(payload)
            if self._scheduled:
                return
            self._scheduled = True
        self._hop(self._drain)

    # On the loop:

    def _set_link(self, up: bool) -> None:
        if up != self.connected:
            log.info("broker", connected=up, host=self._address[0], port=self._address[1])
            self.connected = up
            self._on_link(up)

    def _drain(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, deque()
            self._waiting_bytes = 0
            self._scheduled = False
        for topic, payload, retained in taken:
            parts = topic.split("/", 4)
            if len(parts) == 5:
                self._on_message(f"{parts[2]}/{parts[3]}", parts[4], payload, retained)
