"""The center at its MQTT broker: what all rooms say comes in by room and topic, demand, receipts and dockets go out.

A clean session: what the rooms say while the center is away waits in their outboxes, not in the broker. What comes
faster than it is handled is dropped (`sync.mqtt`): pictures wait for their next key frame, and a room sends again what
was not receipted. Nothing is published while the broker is away; whoever publishes says it again when `link` says True.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sync import topics
from sync.broker_address import BrokerAddress
from sync.mqtt import MqttConnection
from sync.runtime.listeners import Listeners

MAX_QUEUED_MESSAGES = 4096
_QOS = dict(topics.FROM_ROOMS)


class CenterBroker:
    """All methods belong to one event loop."""

    def __init__(self, address: BrokerAddress, *, hears_all: bool = True, most_qos: int = 1) -> None:
        """`hears_all`: what every room says; without it nothing but what is asked for by `hear`. `most_qos`: the best
        quality at which that is asked for."""
        self._most_qos = most_qos
        self.message = Listeners[[str, str, bytes]]()
        """Told of each message: `court/room`, the rest of the topic, payload."""
        self.link = Listeners[[bool]]()
        """Told whether the broker is there, when it comes or goes."""
        self._connection = MqttConnection(address, max_queued_messages=MAX_QUEUED_MESSAGES)
        self._connection.subscribe_any(
            [(topics.of_room(f"+/+/{topic}"), qos) for topic, qos in topics.FROM_ROOMS] if hears_all else [],
            self._take,
            sender_of=lambda topic: (topics.split(topic) or ("", ""))[0],
        )
        self._connection.on_link(self.link.notify)

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._connection.connected

    @property
    def dropped(self) -> int:
        """Messages that came faster than they were handled."""
        return self._connection.dropped

    @property
    def waiting(self) -> int:
        """Messages that came and are not handled yet."""
        return self._connection.waiting

    @property
    def backlog_bytes(self) -> int:
        """What waits to be written to the broker or to be acknowledged by it."""
        return self._connection.backlog_bytes

    def dropped_since(self) -> dict[str, int]:
        """The same for each room, since this was last asked."""
        return self._connection.dropped_since()

    def start(self) -> None:
        """Connect in the background, for ever."""
        self._connection.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._connection.stop()

    def hear(self, wanted: Mapping[str, Collection[str]]) -> None:
        """Hear these topics of these rooms, too."""
        self._connection.follow(
            {
                f"{topics.of_room(room)}/{topic}": min(_QOS.get(topic, 1), self._most_qos)
                for room, names in wanted.items()
                for topic in names
            }
        )

    def leave(self, unwanted: Mapping[str, Collection[str]]) -> None:
        """Hear these topics of these rooms no more."""
        self._connection.unfollow(
            [f"{topics.of_room(room)}/{topic}" for room, names in unwanted.items() for topic in names]
        )

    def publish(self, room: str, topic: str, payload: bytes, *, qos: int = 0) -> bool:
        """Publish to a room; False (and nothing is queued) while the broker is away."""
        return self._connection.publish(f"{topics.of_room(room)}/{topic}", payload, qos=qos)

    def _take(self, topic: str, payload: bytes) -> None:
        found = topics.split(topic)
        if found is not None:
            self.message.notify(*found, payload)
