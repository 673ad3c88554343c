"""Somebody at a broker that asks for certificates: says what it is told to, and notes what it hears."""

from __future__ import annotations

import socket
import ssl
from queue import Empty, Queue

from paho.mqtt.enums import CallbackAPIVersion

from wutong.bench.threaded_client import ThreadedClient

HELLO = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01r"


class MqttPeer:
    """A client that says what it was told."""

    def __init__(
        self,
        port: int,
        context: ssl.SSLContext,
        topics: list[str],
        client_id: str = "",
        *,
        will: str = "",
        keeps_will: bool = True,
        username: str = "",
    ) -> None:
        """`will`: the topic of its last will, which is to be kept; `username`: whom it says to be."""
        self.connected: Queue[bool] = Queue()
        self.subscribed: Queue[bool] = Queue()
        self.messages: Queue[str] = Queue()
        self.client = ThreadedClient(CallbackAPIVersion.VERSION2, client_id=client_id)
        self.lost: Queue[str] = Queue()
        self.client.on_disconnect = lambda c, u, f, reason, p: self.lost.put(str(reason))
        self.client.tls_set_context(context)
        if username:
            self.client.username_pw_set(username, "")
        if will:
            self.client.will_set(will, b"kept", qos=1, retain=keeps_will)
        self.client.on_connect = lambda c, u, f, reason, p: self.connected.put(not reason.is_failure)
        self.client.on_subscribe = lambda c, u, m, reasons, p: self.subscribed.put(True)
        self.client.on_message = lambda c, u, message: self.messages.put(message.topic)
        self.client.reconnect_delay_set(60, 60)
        try:
            self.client.connect("127.0.0.1", port)
            self.client.loop_start()
            self.accepted = self.connected.get(timeout=5)
        except (OSError, Empty):  # the broker ends the line in, or right after, the handshake
            self.accepted = False
        if self.accepted and topics:
            self.client.subscribe([(topic, 1) for topic in topics])
            self.subscribed.get(timeout=10)

    def say(self, topic: str, payload: bytes = b"x") -> None:
        self.client.publish(topic, payload, qos=1).wait_for_publish(10)

    def vanish(self) -> None:
        """As a machine whose cable is pulled: the broker says its last will."""
        sock = self.client.socket()
        assert isinstance(sock, socket.socket)
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
        self.client.loop_stop()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def is_refused(port: int, context: ssl.SSLContext) -> bool:
    """Whether the broker answers nothing to who shows this."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        try:
            with context.wrap_socket(line, server_hostname="127.0.0.1") as tls:
                tls.sendall(HELLO)
                return tls.recv(4)[3:] != b"\x00"
        except OSError:
            return True
