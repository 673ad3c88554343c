"""A plain subscriber in the place of the center: `python -m wutong.bench.center.floor_listener_process ORDERS`.

It listens to all that a center listens to, does nothing with it but note how old it is, and so tells what the machine,
the broker and MQTT in Python take at the least. Orders: `settled`, `begin`, `report`.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from sync import topics
from sync.tls.contexts import client_context, load_own, trust
from wutong.bench.center.orders import ListenerOrders
from wutong.bench.center.orders_line import obey, serve
from wutong.bench.center.samples import Samples
from wutong.bench.threaded_client import ThreadedClient

KINDS = {
    topics.FRAGMENT: "fragment_ms",
    topics.THUMBNAIL: "thumbnail_ms",
    topics.CAPTION: "caption_ms",
    topics.EVENTS: "event_ms",
}
"""The last part of a topic -> as what its messages are counted; all others are only heard."""


class PlainListener:
    """Paho calls its methods in a thread of its own."""

    def __init__(self, orders: ListenerOrders, samples: Samples) -> None:
        self._samples = samples
        self.subscribed = False
        client = ThreadedClient(CallbackAPIVersion.VERSION2, client_id="bench-listener", protocol=mqtt.MQTTv311)
        if orders.wires.tls:
            context = client_context()
            load_own(context, Path(orders.certificate), Path(orders.key))
            trust(context, Path(orders.authority))
            client.tls_set_context(context)
        else:
            client.username_pw_set(orders.username, orders.password)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._heard
        client.reconnect_delay_set(1, 1)
        self._client = client
        client.connect_async("127.0.0.1", orders.wires.mqtt_ports[0])
        client.loop_start()

    def stop(self) -> None:
        """End the connection and its thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(f"{topics.PREFIX}/+/+/{topic}", qos) for topic, qos in topics.FROM_ROOMS])

    def _subscribed(self, *_: Any) -> None:
        self.subscribed = True

    def _heard(self, _client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        kind = KINDS.get(message.topic.rpartition("/")[2])
        self._samples.count("messages")
        self._samples.count("bytes", len(message.payload))
        if kind is not None and len(message.payload) >= 8:
            self._samples.since(kind, struct.unpack_from(">Q", message.payload)[0])


async def main(path: Path) -> None:
    """Listen until told to stop."""
    samples = Samples()
    listener = PlainListener(ListenerOrders.read(path), samples)

    async def settled() -> Mapping[str, Any]:
        return {"settled": int(listener.subscribed)}

    try:
        await obey({"settled": settled}, samples)
    finally:
        await asyncio.to_thread(listener.stop)


if __name__ == "__main__":
    serve(main)
