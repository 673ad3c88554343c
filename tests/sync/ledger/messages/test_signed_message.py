"""Signed messages and batches: whatever comes is refused in words, and nothing passes as what it is not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.messages.event_batch import (
    MAX_BATCH_BYTES,
    MAX_EVENT_BYTES,
    MAX_EVENTS,
    batch_text,
    check_batch,
    event_text,
    fitting,
    pack_batch,
    read_batch,
)
from sync.ledger.messages.object_claim import check_claim, check_stored, sign_claim, sign_stored
from sync.ledger.messages.signed_message import check_text, pack_message, read_envelope, sign_text
from sync.ledger.note import Verifier, sign
from sync.record.event import Event, event_digest

ROOM = "court1/c03"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DEVICE = Verifier(ROOM, KEY.public_key())
CENTER = Verifier("wutong-center", KEY.public_key())

NUMBER = st.integers() | st.integers(-(10**400), 10**400)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
NOTE = st.text(max_size=200) | st.text(alphabet="—\n wutong/evs0+=A ", max_size=200)


def event(number: int, **body: Any) -> Event:
    return Event(number, "h", "mark", number, number, {"id": "m", **body})


T = TypeVar("T")


def refusal(act: Callable[[], T]) -> tuple[T | None, str]:
    """(what was answered, the code of the refusal)."""
    try:
        return act(), ""
    except LedgerError as error:
        return None, error.code


@given(st.binary(max_size=300) | JSON.map(lambda v: json.dumps(v).encode()))
def test_what_is_no_envelope_is_refused_or_unsigned(payload: bytes) -> None:
    signed, why = refusal(lambda: read_batch(payload))
    assert why in ("", "form")
    assert signed is None or b"note" in payload


@given(NOTE, JSON.map(json.dumps) | st.text(max_size=50))
def test_a_note_that_is_none_is_no_signature(note: str, text: str) -> None:
    with pytest.raises(LedgerError) as refused:
        check_batch(ROOM, note, text, [DEVICE])
    assert refused.value.code == "signature"


@given(JSON.map(json.dumps) | st.just("[" * 3000) | st.just('[{"number":' + "9" * 500 + "}]"))
def test_what_the_device_signed_and_is_no_batch_is_refused_in_words(text: str) -> None:
    note = sign_text("events", ROOM, [1, 1, 1], text, ROOM, KEY)
    events, why = refusal(lambda: check_batch(ROOM, note, text, [DEVICE]))
    assert why == "form" or [one["number"] for one in events or []] == [1]


@given(st.lists(st.integers(1, 2**63 - 1), min_size=1, max_size=MAX_EVENTS, unique=True), st.text(max_size=20))
def test_what_is_packed_is_read_and_has_the_digest_that_both_ends_compute(numbers: list[int], text: str) -> None:
    try:
        events = [event(number, text=text.encode().decode()) for number in sorted(numbers)]
    except UnicodeEncodeError:
        return
    written = batch_text([event_text(one) for one in events])
    signed = read_batch(pack_batch(ROOM, sorted(numbers), written, KEY))
    assert signed is not None
    got = [Event.from_json(value) for value in check_batch(ROOM, *signed, [DEVICE])]
    assert got == events
    if "\x00" not in text:
        assert [event_digest(one) for one in got] == [event_digest(one) for one in events]


@given(st.integers(0, 400), st.integers(0, 7))
def test_a_bit_that_is_turned_is_noticed(at: int, bit: int) -> None:
    payload = bytearray(pack_batch(ROOM, [1], batch_text([event_text(event(1))]), KEY))
    at %= len(payload)
    payload[at] ^= 1 << bit
    try:
        signed = read_batch(bytes(payload))
    except LedgerError:
        return
    if signed is not None:
        with pytest.raises(LedgerError):
            check_batch(ROOM, *signed, [DEVICE])


def test_a_note_of_one_kind_never_passes_as_another() -> None:
    text = batch_text([event_text(event(1))])
    claim = {"bytes": 1, "hearing": "h", "index": 0, "kind": "page", "room": ROOM, "sha256": "0" * 64, "track": ""}
    notes = {
        "checkpoint": sign(Checkpoint(ROOM, "h", 1, bytes(32), 1, 1).to_text(), ROOM, KEY).to_text(),
        # Rooms may be called anything that is a slug: one named as a purpose must be no way in.
        "room": sign(Checkpoint("events/court1", "c03", 1, bytes(32), 1, 1).to_text(), ROOM, KEY).to_text(),
        "demand": sign_text("demand", ROOM, [1], text, ROOM, KEY),
        "other room": sign_text("events", "court1/c04", [1, 1, 1], text, ROOM, KEY),
        "other text": sign_text("events", ROOM, [1, 1, 1], text + " ", ROOM, KEY),
        "claim": sign_claim(claim, KEY),
    }
    for name, note in notes.items():
        with pytest.raises(LedgerError) as refused:
            check_text("events", ROOM, note, text, [DEVICE])
        assert refused.value.code == "signature", name
    stored = sign_stored(claim, 7, KEY)
    assert check_stored(claim, stored, [CENTER]) == 7
    check_claim(claim, notes["claim"], [DEVICE])
    for changed in ({"kind": "segment"}, {"hearing": "g"}, {"sha256": "1" * 64}, {"bytes": 2}, {"index": 1}):
        with pytest.raises(LedgerError):
            check_claim({**claim, **changed}, notes["claim"], [DEVICE])
        with pytest.raises(LedgerError):
            check_stored({**claim, **changed}, stored, [CENTER])
    with pytest.raises(LedgerError):
        check_stored(claim, notes["claim"], [CENTER, DEVICE])
    with pytest.raises(LedgerError):
        check_text("events", ROOM, sign_text("events", ROOM, [1, 1, 1], text, ROOM, KEY), text, [])


def test_a_key_of_small_order_signs_no_batch() -> None:
    nobody = Ed25519PublicKey.from_public_bytes(bytes([1, *bytes(31)]))
    text = batch_text([event_text(event(1))])
    bound = sign_text("events", ROOM, [1, 1, 1], text, ROOM, KEY).partition("\n\n")[0] + "\n"
    forged = Verifier(ROOM, nobody)
    line = f"— {ROOM} {base64.b64encode(forged.key_id + bytes([1, *bytes(63)])).decode()}\n"
    with pytest.raises(LedgerError, match="anybody"):
        check_text("events", ROOM, f"{bound}\n{line}", text, [forged])


def test_sizes_are_bounded_before_anything_is_read() -> None:
    whole = event(1, text="x" * (MAX_EVENT_BYTES - 200))
    text = batch_text([event_text(whole)])
    signed = read_batch(pack_batch(ROOM, [1], text, KEY))
    assert signed is not None
    assert len(check_batch(ROOM, *signed, [DEVICE])) == 1
    with pytest.raises(LedgerError, match="larger than any honest one"):
        read_batch(b" " * (2 * MAX_EVENT_BYTES + 20_000))
    with pytest.raises(LedgerError, match="more than any honest one"):
        read_envelope(pack_message("demand", ROOM, [1], "x" * 101, ROOM, KEY), "demand", limit=100)
    two = batch_text([event_text(event(n, text="x" * (MAX_BATCH_BYTES // 2))) for n in (1, 2)])
    with pytest.raises(LedgerError, match="several events"):
        check_batch(ROOM, sign_text("events", ROOM, [1, 2, 2], two, ROOM, KEY), two, [DEVICE])


@given(st.lists(st.integers(1, MAX_EVENT_BYTES), min_size=1, max_size=200))
def test_batches_are_as_large_as_they_may_be_and_take_every_event(sizes: list[int]) -> None:
    left = list(sizes)
    while left:
        count = fitting(left)
        assert 1 <= count <= MAX_EVENTS
        assert count == 1 or 2 + sum(size + 1 for size in left[:count]) <= MAX_BATCH_BYTES
        left = left[count:]
