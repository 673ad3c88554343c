"""One connection to an MQTT broker (3.1.1), on the event loop (`sync.line_driver`). Rooms and center use it.

Promises: the messages of one sender reach their handlers in order, on the event loop, which is let go after each
`TURN_BYTES`; senders take turns by bytes, and what waits is bounded (`sync.runtime.bounds.fair_inbox`): what is too
much is dropped and counted. Nothing is published, and so nothing is queued, while the broker is away; what waits to be
written is known in bytes (`backlog_bytes`) and bounded, so that live media can be cut to seconds.

Refuses to be durable: whatever must arrive is sent again by who is not receipted. A new connection therefore begins
with nothing of the one before, neither what this end had not got rid of nor what the other end still says: hours may
lie between them. After the process stood still for longer than a broker waits (a suspended machine), what the old
connection still holds is old, and is dropped unread. Refuses what is larger than a broker takes: it is counted, and
costs nobody the connection.

Refuses to leave anything behind in the broker, too: no message is retained, so there is nothing of somebody's that
fills its memory, or that is old when somebody hears it. Whoever comes is told what holds now by who knows it.

A broker may be several machines (a cluster). They are tried in turn, for ever: whoever loses one, is refused by it or
does not reach it goes to the next one on the list. Of such a one everything is heard at quality 0: for quality 1 the
machines would first agree who leads each topic of each room, for longer than it takes to say things again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import structlog
from paho.mqtt.enums import MQTTErrorCode

from sync.broker_address import BrokerAddress, Will
from sync.broker_client import BrokerClient, in_packets
from sync.line_driver import GOODBYE_S, LineDriver
from sync.runtime.bounds.fair_inbox import FairInbox
from sync.runtime.bounds.message_size import MAX_MESSAGE_BYTES
from sync.runtime.logs.seldom import is_named

log = structlog.get_logger(__name__)

KEEPALIVE_S = 15
RECONNECT_S = (1, 5)
"""The first wait before it connects anew, and the longest: each doubles the one before."""
MAX_QUEUED_MESSAGES = 512
"""Of QoS 1, of a room: the outbox's window, statuses and init segments."""
MAX_INFLIGHT_MESSAGES = 128
TURN_BYTES = 128 * 1024
"""Handled before everybody else on the event loop has a turn, messages counted as the inbox counts them."""
MAX_BACKLOG_BYTES = 32 * 1024 * 1024
"""Of all that waits to be written or, of QoS 1, to be acknowledged: more is not taken until some of it has gone."""
MOST_FILTERS = 500
"""Asked for in one packet."""
STOOD_STILL_S = 1.5 * KEEPALIVE_S
"""Who has said nothing for so long is gone by the protocol: the broker has ended the connection."""
AWAKE_S = 1.0
SUBSCRIBE_AGAIN_S = 30.0
"""After a broker took the connection and not each topic."""
MOST_NAMED = 8
"""Of refused topics, in a line of the log."""

Handler = Callable[[bytes], None]
AnyHandler = Callable[[str, bytes], None]
"""(topic, payload)."""


class MqttConnection:
    """All methods belong to one event loop; handlers and callbacks are called on it. The session is a clean one."""

    def __init__(
        self, address: BrokerAddress, *, will: Will | None = None, max_queued_messages: int = MAX_QUEUED_MESSAGES
    ) -> None:
        self._address = address
        self._will = will
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handlers: dict[str, Handler] = {}
        self._filters: list[tuple[str, int]] = []
        self._followed: dict[str, int] = {}
        """Filters that come and go while it is connected."""
        self._most_qos = 0 if address.others else 1
        self._asked: dict[int, list[tuple[str, int]]] = {}
        self._take_any: AnyHandler | None = None
        self._sender_of: Callable[[str], str] = lambda topic: ""
        self._outstanding: dict[int, int] = {}
        self._on_link: list[Callable[[bool], None]] = []
        self._published = asyncio.Event()
        self._inbox = FairInbox[tuple[str, bytes]]()
        self.connected = False
        self.backlog_bytes = 0
        self.failed = 0
        """Messages whose handler raised; each cost itself alone."""
        self.too_large = 0
        """Messages that were refused because no broker of ours takes one of their size."""
        self.outdated = 0
        """Messages that were dropped because the connection had ended while this process stood still."""
        self._awake_s = _boot_s()
        self._is_outdated = False
        self._connects = 0
        self._ticker: asyncio.Task[None] | None = None
        self.why = ""
        """Why it is not connected, in words; empty before the first attempt."""
        client = BrokerClient(address.client_id)
        if address.others:
            client.turns = itertools.cycle([(address.host, address.port), *address.others])
        client.max_queued_messages_set(max_queued_messages)
        client.max_inflight_messages_set(MAX_INFLIGHT_MESSAGES)
        if address.username:
            client.username_pw_set(address.username, address.password)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1)
        client.on_connect = self._paho_connect
        client.on_disconnect = self._paho_disconnect
        client.on_publish = self._paho_publish
        client.on_subscribe = self._paho_subscribe
        client.on_message = self._paho_message
        self._client = client
        self._next_receive: asyncio.Handle | None = None
        self._line = LineDriver(
            client, address.tls, waits_s=RECONNECT_S, turn_ended=self._receive_now, unreached=self._unreached
        )

    def subscribe(self, topic: str, qos: int, handler: Handler) -> None:
        """Call `handler(payload)` for every message of `topic`; say it before `start`."""
        self._filters.append((topic, min(qos, self._most_qos)))
        self._handlers[topic] = handler

    def subscribe_any(
        self, filters: list[tuple[str, int]], handler: AnyHandler, *, sender_of: Callable[[str], str] = lambda topic: ""
    ) -> None:
        """Call `handler(topic, payload)` for what comes by topics with wildcards; say it before `start`.

        `sender_of(topic)` names who takes turns with whom.
        """
        self._filters += [(topic, min(qos, self._most_qos)) for topic, qos in filters]
        self._take_any = handler
        self._sender_of = sender_of

    def follow(self, filters: Mapping[str, int]) -> None:
        """Hear these topics too, each with its quality of service, by the handler of `subscribe_any`, from now on."""
        more = {name: min(qos, self._most_qos) for name, qos in filters.items()}
        self._followed = {**self._followed, **more}  # first: whoever connects just now subscribes to all of it
        if self.connected:
            self._follow_now(list(more.items()))

    def unfollow(self, filters: Collection[str]) -> None:
        """Hear them no more; what is on its way may still come."""
        gone = list(set(filters))
        self._followed = {name: qos for name, qos in self._followed.items() if name not in gone}
        if self.connected:
            self._leave_now(gone)

    def _follow_now(self, filters: list[tuple[str, int]]) -> None:
        for some in in_packets(filters, MOST_FILTERS):
            self._note_asked(self._client.subscribe(some)[1], some)

    def _leave_now(self, filters: list[str]) -> None:
        for some in in_packets(filters, MOST_FILTERS):
            self._client.unsubscribe(some)

    @property
    def place(self) -> tuple[str, int]:
        """(host, port) of the machine that it is connected to, or tries."""
        return self._client.host, self._client.port

    @property
    def dropped(self) -> int:
        """Messages that came faster than they were handled."""
        return self._inbox.dropped

    @property
    def waiting(self) -> int:
        """Messages that came and are not handled yet."""
        return len(self._inbox)

    def dropped_since(self) -> dict[str, int]:
        """The same for each sender, since this was last asked."""
        return self._inbox.dropped_since()

    def on_connected(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every connect, when all topics are subscribed."""
        self._on_link.append(lambda up: callback() if up else None)

    def on_link(self, callback: Callable[[bool], None]) -> None:
        """Call `callback(connected)` whenever the broker comes or goes."""
        self._on_link.append(callback)

    def reconnect_after(self, first_s: int, longest_s: int) -> None:
        """Wait so long before connecting anew when the line is lost; `RECONNECT_S` unless this was said."""
        self._line.waits_s = (first_s, longest_s)

    def start(self) -> None:
        """Connect in the background, for ever."""
        self._loop = asyncio.get_running_loop()
        self._awake_s = _boot_s()
        self._ticker = self._loop.create_task(self._stay_awake())
        self._client.connect_async(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
        self._line.start()

    async def stop(self) -> None:
        """Say goodbye (the will is not sent on a clean goodbye, so it is published) and end the connection.

        A broker that does not take it is left alone after `GOODBYE_S` each.
        """
        if self._will is not None and self.publish(self._will.topic, self._will.payload, qos=1):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    while self._outstanding:
                        self._published.clear()
                        await self._published.wait()
        self.connected = False
        if self._ticker is not None:
            self._ticker.cancel()
        self._client.drop_out_messages()
        await self._line.stop()

    def publish(self, topic: str, payload: bytes, *, qos: int = 0) -> bool:
        """Hand a message to the connection; False (and nothing is queued) when it cannot take it now.

        What is larger than `MAX_MESSAGE_BYTES` it never takes: who would say the same again looks at the size first.
        """
        if len(payload) > MAX_MESSAGE_BYTES:
            self.too_large += 1
            if self.too_large < 100 or self.too_large % 1000 == 0:
                log.error("message_too_large", topic=topic[:120], bytes=len(payload), most=MAX_MESSAGE_BYTES)
            return False
        if not self.connected or (self._outstanding and self.backlog_bytes + len(payload) > MAX_BACKLOG_BYTES):
            return False
        info = self._client.publish(topic, payload, qos=qos)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        if qos:  # what must arrive; the broker's own log names it by this number (`m…`)
            log.debug("published", topic=topic[:120], bytes=len(payload), mid=info.mid)
        self._outstanding[info.mid] = len(payload)
        self.backlog_bytes += len(payload)
        return True

    async def _stay_awake(self) -> None:
        """Notice that this process, or its loop, stood still, and keep the connection alive."""
        while True:
            self._look_awake()
            self._line.keep_alive()
            await asyncio.sleep(AWAKE_S)

    def _look_awake(self) -> None:
        """Note that time has passed, and end the connection when it cannot have lived through it."""
        now_s = _boot_s()
        stood_still, self._awake_s = now_s - self._awake_s > STOOD_STILL_S, now_s
        if stood_still and self._client.is_connected():
            self._is_outdated = True
            log.warning("connection_outdated", next="what it still holds is dropped, and a new one is made")
            self._inbox.clear()
            self._cut()

    def _cut(self) -> None:
        """End the connection without a word; the line notices."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                # Not TLS's own way, after which paho might write in clear for a moment.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    # The methods below are called by paho from within what it does, with a lock of its own held: whoever is told of the
    # link, and handlers, may well publish and so come back to it, and are called when it is done.

    def _hop(self, callback: Callable[..., None], *arguments: Any) -> asyncio.Handle:
        assert self._loop is not None
        return self._loop.call_soon(callback, *arguments)

    def _paho_connect(self, client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._hop(self._refused, str(reason))
            return
        # What the connection before had not got rid of may be hours old; who must be heard says it again.
        client.drop_out_messages()
        self._line.accepted()
        self._is_outdated = False
        followed = self._followed
        for some in in_packets([*self._filters, *followed.items()], MOST_FILTERS):
            self._note_asked(client.subscribe(some)[1], some)
        self._hop(self._up, followed)

    def _paho_disconnect(self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._hop(self._down, str(reason))

    def _paho_publish(self, _client: Any, _userdata: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self.backlog_bytes -= self._outstanding.pop(mid, 0)
        self._published.set()

    def _paho_subscribe(self, _client: Any, _userdata: Any, mid: int, reasons: Any, _properties: Any) -> None:
        self._hop(self._subscribed, mid, [reason.is_failure for reason in reasons])

    def _paho_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        if self._is_outdated or _boot_s() - self._awake_s > STOOD_STILL_S:
            self.outdated += 1
            self._hop(self._look_awake)
            return
        payload = bytes(message.payload)
        if self._inbox.put(self._sender_of(message.topic), (message.topic, payload), len(payload)):
            self._next_receive = self._hop(self._receive)

    # Called when paho is done:

    def _unreached(self, why: str) -> None:
        self.why = why

    def _refused(self, why: str) -> None:
        if why != self.why:
            log.warning("broker_refused", host=self._client.host, port=self._client.port, why=why)
        self.why = why

    def _note_asked(self, mid: int | None, filters: list[tuple[str, int]]) -> None:
        if mid is not None:
            self._asked[mid] = filters

    def _subscribed(self, mid: int, failures: list[bool]) -> None:
        asked = self._asked.pop(mid, [])
        if refused := [one for one, failed in zip(asked, failures, strict=False) if failed]:
            named = [topic for topic, _ in refused[:MOST_NAMED]]
            log.warning("subscriptions_refused", topics=named, count=len(refused), again_s=SUBSCRIBE_AGAIN_S)
            assert self._loop is not None
            self._loop.call_later(SUBSCRIBE_AGAIN_S, self._subscribe_again, refused, self._connects)

    def _subscribe_again(self, refused: list[tuple[str, int]], connects: int) -> None:
        wanted = [one for one in refused if one in self._filters or one[0] in self._followed]
        if wanted and self.connected and self._connects == connects:
            self._note_asked(self._client.subscribe(wanted)[1], wanted)

    def _up(self, followed: Mapping[str, int]) -> None:
        log.info("broker_connected", host=self._client.host, port=self._client.port)
        self.why = ""
        self._forget_outstanding()
        self.connected = True
        self._connects += 1
        # What came and went since what was `followed` then was asked for.
        self._follow_now([one for one in self._followed.items() if one[0] not in followed])
        self._leave_now([name for name in followed if name not in self._followed])
        for callback in self._on_link:
            callback(True)

    def _down(self, why: str) -> None:
        was_connected, self.connected = self.connected, False
        self.why = why
        self._asked.clear()
        self._forget_outstanding()
        if was_connected:
            log.warning("broker_lost", why=why, next="reconnecting; what was not receipted is sent again")
            for callback in self._on_link:
                callback(False)

    def _forget_outstanding(self) -> None:
        self._outstanding.clear()
        self.backlog_bytes = 0
        self._published.set()

    def _receive_now(self) -> None:
        """After a turn of reading: handle what came in it without coming round again, once everybody is told that it
        is connected."""
        if self._next_receive is not None and self.connected:
            self._next_receive.cancel()
            self._receive()

    def _receive(self) -> None:
        taken, more = self._inbox.take(TURN_BYTES)
        self._next_receive = self._hop(self._receive) if more else None
        for _, (topic, payload) in taken:
            try:
                self._handle(topic, payload)
            except Exception:  # a defect in one handler costs its own message alone
                self.failed += 1
                if is_named(self.failed):
                    log.exception("message_failed", topic=topic[:120], bytes=len(payload), failed=self.failed)

    def _handle(self, topic: str, payload: bytes) -> None:
        if (handler := self._handlers.get(topic)) is not None:
            handler(payload)
        elif self._take_any is not None:
            self._take_any(topic, payload)


def _boot_s() -> float:
    """Seconds that go on while the machine is suspended, too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
