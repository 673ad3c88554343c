"""Live messages survive the way, and nonsense is refused with one kind of error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import EnvelopeError
from sync.media.envelope import HEADER_BYTES, Envelope, Kind, address, pack_init, unpack_init
from sync.runtime.bounds.message_size import MAX_MESSAGE_BYTES

U32 = st.integers(0, 2**32 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
ENVELOPES = st.builds(
    Envelope,
    kind=st.sampled_from(Kind),
    init_id=U32,
    sequence=U32,
    room_ns=I64,
    utc_ns=I64,
    duration_us=U32,
    payload=st.binary(max_size=2000),
    key_frame=st.booleans(),
    kept=st.booleans(),
)


@given(ENVELOPES)
def test_what_is_packed_is_unpacked(envelope: Envelope) -> None:
    assert Envelope.unpack(envelope.pack()) == envelope


@given(st.binary(max_size=200))
def test_any_bytes_are_an_envelope_or_an_envelope_error(message: bytes) -> None:
    try:
        envelope = Envelope.unpack(message)
    except EnvelopeError:
        return
    assert envelope.pack()[:4] == message[:4]


@given(ENVELOPES, st.integers(0, HEADER_BYTES - 1))
def test_a_header_cut_short_is_refused(envelope: Envelope, length: int) -> None:
    with pytest.raises(EnvelopeError):
        Envelope.unpack(envelope.pack()[:length])


def test_a_message_over_the_limit_is_refused() -> None:
    message = Envelope(Kind.FRAGMENT, 1, 1, 0, 0, 0, b"").pack()
    with pytest.raises(EnvelopeError, match="size"):
        Envelope.unpack(message + bytes(MAX_MESSAGE_BYTES))


def test_another_version_is_refused() -> None:
    message = bytearray(Envelope(Kind.INIT, 1, 1, 0, 0, 0, b"").pack())
    message[2] = 2
    with pytest.raises(EnvelopeError, match="version"):
        Envelope.unpack(bytes(message))


@given(st.text(st.characters(max_codepoint=127), max_size=200), st.binary(max_size=500))
def test_an_init_names_its_media_type(mime: str, segment: bytes) -> None:
    assert unpack_init(pack_init(mime, segment)) == (mime, segment)


@given(st.binary(max_size=100))
def test_any_bytes_are_an_init_or_an_envelope_error(payload: bytes) -> None:
    try:
        mime, segment = unpack_init(payload)
    except EnvelopeError:
        return
    assert pack_init(mime, segment) == payload


def test_an_address_precedes_the_message() -> None:
    assert address("法庭/c03", b"x") == bytes((10,)) + "法庭/c03".encode() + b"x"
    with pytest.raises(EnvelopeError):
        address("庭" * 100, b"x")
