"""A light room says again what is not receipted as soon as another process of the center asks, as a room does."""

from __future__ import annotations

import random
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import topics
from sync.ledger.keys import CENTER
from sync.ledger.messages.receipts import Receipts
from sync.ledger.messages.signed_message import pack_message
from wutong.bench.archive.made_words import MadeWords
from wutong.bench.center.samples import Samples
from wutong.bench.province.light_room import LightRoom
from wutong.bench.province.province_orders import LightPace, LightRoomOrders

ADDRESS = "bench/r001"


class Heard:
    """A line that keeps what it is given."""

    def __init__(self) -> None:
        self.said: list[bytes] = []

    def publish(self, topic: str, payload: bytes) -> bool:
        self.said.append(payload)
        return True


def test_what_is_not_receipted_is_said_again_when_the_next_owner_asks_and_to_nobody_else() -> None:
    center, device = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    orders = LightRoomOrders(ADDRESS, "", device.private_bytes_raw().hex(), 0)
    words = MadeWords(random.Random(0))
    room = LightRoom(orders, 0, LightPace(), center.public_key().public_bytes_raw(), words, Samples())
    line: Any = Heard()
    room._line = line
    room._under_way.append(room._batch())
    room._say_again()
    room._say_again()
    assert len(line.said) == 1, "it was said a moment ago"
    text, topic = Receipts(again=True).model_dump_json(), f"{topics.of_room(ADDRESS)}/{topics.RECEIPTS}"
    room._hear(topic, pack_message("receipts", ADDRESS, [time.time_ns()], text, CENTER, device))
    assert (len(line.said), room.refused) == (1, 1)
    room._hear(topic, pack_message("receipts", ADDRESS, [time.time_ns()], text, CENTER, center))
    assert line.said == [line.said[0]] * 2
