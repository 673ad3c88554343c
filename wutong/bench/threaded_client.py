"""paho's own client, with a thread: for who speaks to a broker beside the product, as a load or a stranger does."""

from __future__ import annotations

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode


class ThreadedClient(mqtt.Client):
    """Used as paho's own."""

    def loop_stop(self) -> MQTTErrorCode:
        """End its thread, and let go of the connection and of what the thread was woken by.

        The library keeps those until the client is thrown away, which of one that its own callbacks hold is at nobody
        knows what time.
        """
        ended = super().loop_stop()
        self._reset_sockets()
        return ended
