"""The light MQTT line: packets that are cut anywhere are read whole, and what a broker refuses is ended."""

from __future__ import annotations

import asyncio

import pytest

from wutong.bench.province.light_line import LightLine, _packet, _text, _whole


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 300_000])
def test_a_packet_is_read_when_all_of_it_is_there(size: int) -> None:
    body = bytes(size)
    packet = _packet(0x32, body)
    for cut in {one for one in (0, 1, 2, 3, 4, len(packet) // 2, len(packet) - 1) if one < len(packet)}:
        assert _whole(bytearray(packet[:cut])) is None
    found = _whole(bytearray(packet + b"\x30\x05next"))
    assert found is not None
    kind, start, end = found
    assert (kind, packet[start:end], end) == (0x32, body, len(packet))


def test_what_no_broker_sends_ends_the_line() -> None:
    with pytest.raises(ValueError, match="no MQTT"):
        _whole(bytearray(b"\x30\xff\xff\xff\xff\xff"))


class Wire(asyncio.Transport):
    """What a line has written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_it_says_nothing_before_it_is_subscribed_and_hears_what_comes_byte_by_byte() -> None:
    heard: list[tuple[str, bytes]] = []
    line, wire = LightLine("a/b", "secret", ["court/v1/a/b/receipts"], lambda *said: heard.append(said)), Wire()
    line.connection_made(wire)
    assert not line.publish("x", b"early")
    said = _packet(0x20, b"\0\0") + _packet(0x90, b"\0\1\1")
    said += _packet(0x32, _text("t") + b"\0\7" + b"one") + _packet(0x30, _text("t") + b"two")
    for byte in said:
        line.data_received(bytes((byte,)))
    assert heard == [("t", b"one"), ("t", b"two")]
    assert line.ready.is_set()
    assert wire.written.endswith(_packet(0x40, b"\0\7")), "what came with quality 1 was acknowledged"
    assert line.publish("x", b"now")
    line.connection_lost(None)
    assert not line.publish("x", b"late")
    assert line.lost.is_set()


def test_a_line_that_the_broker_refuses_is_ended() -> None:
    line, wire = LightLine("a/b", "wrong", [], lambda *_: None), Wire()
    line.connection_made(wire)
    line.data_received(_packet(0x20, b"\0\5"))
    assert wire.closed
