"""One number says how large a message may be; all that the product makes is smaller, and the broker takes it."""

from __future__ import annotations

import re

from server.live.hub import MAX_TEXT_BYTES as MAX_LIVE_TEXT_BYTES
from server.status.said_status import MAX_STATUS_BYTES
from sync.ledger.messages.event_batch import MAX_BATCH_BYTES, MAX_TEXT_BYTES, event_text, pack_batch
from sync.ledger.messages.receipts import MAX_RECEIPTS_BYTES
from sync.ledger.messages.signed_message import MAX_NOTE_CHARACTERS, NOTE_OVERHEAD_BYTES
from sync.media.budgets import MAX_HEADER_BYTES
from sync.record.docket import MAX_DOCKET_BYTES
from sync.record.event import Event
from sync.record.notice import MAX_NOTICE_BYTES
from sync.runtime.bounds.message_size import MAX_MESSAGE_BYTES, MAX_PACKET_BYTES
from sync.topics import live, of_room
from sync.uplink.live.live_publisher import MAX_DEMAND_BYTES
from sync.uplink.proof.witness import MAX_ANSWER_BYTES
from sync.uplink.service import MAX_HEAD_BYTES
from tests.support.peers.device_signatures import device_key
from wutong.broker_policy import settings_text, tls_settings_text


def test_the_broker_takes_each_message_with_its_topic() -> None:
    longest = f"{of_room('c' * 40 + '/' + 'r' * 40)}/{live('t' * 255, 'thumb')}"
    assert MAX_MESSAGE_BYTES + len(longest) + 16 <= MAX_PACKET_BYTES
    for text in (tls_settings_text("8883", "f", "r"), settings_text("1883", "p", "r")):
        assert re.findall(r"^max_packet_size (\d+)$", text, re.M) == [str(MAX_PACKET_BYTES)]


def test_whatever_room_and_center_tell_each_other_fits() -> None:
    """A signed text is escaped once more, at most to twice its size; beside it stands what rooms of before read."""
    texts = {
        "events": MAX_TEXT_BYTES,
        "batches": MAX_BATCH_BYTES,
        "receipts": MAX_RECEIPTS_BYTES,
        "docket": MAX_DOCKET_BYTES,
        "notices": MAX_NOTICE_BYTES,
        "demand": MAX_DEMAND_BYTES,
        "witness": MAX_ANSWER_BYTES,
        "audit-head": MAX_HEAD_BYTES,
    }
    beside = {"receipts": MAX_RECEIPTS_BYTES, "docket": round(1.25 * MAX_DOCKET_BYTES), "demand": MAX_DEMAND_BYTES}
    for purpose, size in texts.items():
        assert 2 * size + NOTE_OVERHEAD_BYTES + beside.get(purpose, 0) <= MAX_MESSAGE_BYTES, purpose
    for alone in (MAX_STATUS_BYTES, MAX_LIVE_TEXT_BYTES, 2 * MAX_HEADER_BYTES, MAX_NOTE_CHARACTERS):
        assert alone <= MAX_MESSAGE_BYTES


def test_an_event_of_the_largest_size_that_is_all_quotes_fits() -> None:
    event = Event(1, "h", "mark", 1, 1, {"id": '"' * ((MAX_TEXT_BYTES - 200) // 2)})
    payload = pack_batch("jianshan/c03", [1], f"[{event_text(event)}]", device_key("jianshan/c03"))
    assert 2 * MAX_BATCH_BYTES < len(payload) <= MAX_MESSAGE_BYTES
