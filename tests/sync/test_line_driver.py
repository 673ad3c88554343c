"""The line to a broker, driven by the loop: whatever the other end does, everybody else on the loop has a turn."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar

import pytest

from sync import line_driver
from sync.broker_address import BrokerAddress
from sync.broker_client import MOST_READ_BYTES, SEND_BYTES
from sync.line_driver import TURN_PACKETS, TURN_WRITE_BYTES
from sync.mqtt import MqttConnection
from sync.runtime.bounds.message_size import MAX_MESSAGE_BYTES
from sync.tls.read_ahead import PlainReadAheadSocket
from tests.support.peers.uplink_peers import until

TOPIC = "t"
CONNECT, CONNACK, PUBLISH, PUBACK = 0x10, b"\x20\x02\x00\x00", 0x30, 0x40


def packet(kind: int, rest: bytes) -> bytes:
    length, size = b"", len(rest)
    while True:
        size, byte = divmod(size, 128)
        length += bytes([byte | (128 if size else 0)])
        if not size:
            return bytes([kind]) + length + rest


def said(payload: bytes) -> bytes:
    """A message of the topic, of quality 0."""
    return packet(PUBLISH, len(TOPIC).to_bytes(2) + TOPIC.encode() + payload)


class HandBroker:
    """The other ends of the connections that are made, in their order; what is said there is written by hand."""

    def __init__(self, kind: type[socket.socket]) -> None:
        self._kind = kind
        self._made: asyncio.Queue[socket.socket] = asyncio.Queue()
        self._ends: list[socket.socket] = []
        self.dials = 0

    async def dial(self, host: str, port: int, tls: object) -> socket.socket:
        self.dials += 1
        here, there = socket.socketpair()
        there.setblocking(False)
        self._ends.append(there)
        self._made.put_nowait(there)
        return self._kind(fileno=here.detach())

    async def greeted(self, *more: bytes) -> socket.socket:
        """Take the next connection; `more` is said together with the greeting."""
        end = await self._made.get()
        assert (await self.heard(end))[0] == CONNECT
        await asyncio.get_running_loop().sock_sendall(end, b"".join([CONNACK, *more]))
        return end

    async def heard(self, end: socket.socket) -> tuple[int, bytes]:
        """The next packet: its first byte, and what follows its length."""
        loop = asyncio.get_running_loop()

        async def take(count: int) -> bytes:
            taken = bytearray()
            while len(taken) < count:
                piece = await loop.sock_recv(end, min(count - len(taken), 1 << 16))
                if not piece:
                    raise EOFError
                taken += piece
            return bytes(taken)

        kind, size, shift = (await take(1))[0], 0, 0
        while True:
            byte = (await take(1))[0]
            size += (byte & 127) << shift
            shift += 7
            if byte < 128:
                return kind, await take(size)

    def close(self) -> None:
        for end in self._ends:
            end.close()


Lines = Callable[..., tuple[MqttConnection, HandBroker]]


@pytest.fixture
async def lines(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lines]:
    """Makes a line and the broker at its other end."""
    made: list[tuple[MqttConnection, HandBroker]] = []

    def line(kind: type[socket.socket] = PlainReadAheadSocket) -> tuple[MqttConnection, HandBroker]:
        broker = HandBroker(kind)
        monkeypatch.setattr(line_driver, "dial", broker.dial)
        connection = MqttConnection(BrokerAddress("127.0.0.1", 1, "x"))
        connection.reconnect_after(0, 0)
        made.append((connection, broker))
        return connection, broker

    yield line
    for connection, broker in made:
        broker.close()
        await connection.stop()


async def within(seconds: float, awaited: Awaitable[Any]) -> Any:
    async with asyncio.timeout(seconds):
        return await awaited


async def test_a_flood_leaves_everybody_else_a_turn_after_each_of_its_own(lines: Lines) -> None:
    connection, broker = lines()
    read = 0
    last = asyncio.Event()
    connection.subscribe_any([], lambda topic, payload: last.set() if payload == b"last" else None)
    take = connection._paho_message

    def counted(*arguments: Any) -> None:
        nonlocal read
        read += 1
        take(*arguments)

    connection._client.on_message = counted
    connection.start()
    end = await within(10, broker.greeted())
    seen: list[int] = []

    async def flood() -> None:
        await asyncio.get_running_loop().sock_sendall(end, said(b"") * 5_000 + said(b"last"))

    flooding = asyncio.create_task(flood())
    async with asyncio.timeout(60):
        while not last.is_set():
            seen.append(read)
            await asyncio.sleep(0)
        await flooding
    assert read == 5_001
    assert max(b - a for a, b in itertools.pairwise(seen)) <= TURN_PACKETS


async def test_a_large_message_is_written_in_turns_too(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, broker = lines()
    connection.start()
    end = await within(10, broker.greeted())
    await until(lambda: connection.connected)
    written, seen = 0, []
    send = connection._client._sock_send

    def counted(piece: bytes | bytearray) -> int:
        nonlocal written
        sent = send(piece)
        written += sent
        return sent

    monkeypatch.setattr(connection._client, "_sock_send", counted)
    assert connection.publish(TOPIC, bytes(MAX_MESSAGE_BYTES))
    hearing = asyncio.create_task(broker.heard(end))
    async with asyncio.timeout(60):
        while not hearing.done():
            seen.append(written)
            await asyncio.sleep(0)
    assert (await hearing)[1].endswith(bytes(MAX_MESSAGE_BYTES))
    assert max(b - a for a, b in itertools.pairwise(seen)) <= TURN_WRITE_BYTES + SEND_BYTES
    await until(lambda: connection.backlog_bytes == 0)


async def test_half_a_packet_waits_for_its_other_half_and_nobody_for_it(lines: Lines) -> None:
    connection, broker = lines()
    got: list[bytes] = []
    connection.subscribe_any([], lambda topic, payload: got.append(payload))
    connection.start()
    whole = said(b"first") + said(b"second" * 100)
    end = await within(10, broker.greeted(whole[:20]))
    await until(lambda: got == [b"first"])
    assert connection.publish(TOPIC, b"meanwhile")
    assert (await within(10, broker.heard(end)))[1].endswith(b"meanwhile")
    for at in range(20, len(whole)):  # a byte at a time, each of which is looked at
        await asyncio.get_running_loop().sock_sendall(end, whole[at : at + 1])
        await asyncio.sleep(0)
    await until(lambda: len(got) == 2)
    assert got == [b"first", b"second" * 100]


async def test_what_waits_when_the_connection_ends_is_not_said_in_the_next_one(lines: Lines) -> None:
    connection, broker = lines()
    links: list[bool] = []
    connection.on_link(links.append)
    connection.start()
    end = await within(10, broker.greeted())
    await until(lambda: connection.connected)
    while connection.publish(TOPIC, bytes(1 << 20), qos=1):
        pass  # more than the sockets take: it waits in this process
    assert connection.backlog_bytes
    end.close()
    end = await within(10, broker.greeted())
    await until(lambda: links == [True, False, True])
    assert connection.backlog_bytes == 0
    assert connection.publish(TOPIC, b"new", qos=1)
    kind, rest = await within(10, broker.heard(end))
    assert (kind & 0xF0, rest[-3:]) == (PUBLISH, b"new")
    mid = rest[3:5]
    assert connection.backlog_bytes == 3
    await asyncio.get_running_loop().sock_sendall(end, packet(PUBACK, mid))
    await until(lambda: connection.backlog_bytes == 0)


async def test_a_packet_larger_than_any_broker_takes_ends_the_connection_unread(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, broker = lines()
    connection.start()
    sizes: list[int] = []
    receive = connection._client._sock_recv

    def noted(size: int) -> bytes:
        sizes.append(size)
        return receive(size)

    monkeypatch.setattr(connection._client, "_sock_recv", noted)
    await within(10, broker.greeted(packet(PUBLISH, bytes(MOST_READ_BYTES + 1))[:1000]))
    await within(10, broker.greeted())
    await until(lambda: connection.connected)
    assert MOST_READ_BYTES + 1 in sizes, "it was about to be read"
    assert len(connection._client._in_packet["packet"]) == 0


async def test_what_the_library_stumbles_over_ends_the_connection_and_a_new_one_is_made(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, broker = lines()
    handle, stumbled = connection._client._handle_publish, False

    def stumbling() -> Any:
        nonlocal stumbled
        if not stumbled:
            stumbled = True
            raise KeyError("a defect of the library")
        return handle()

    monkeypatch.setattr(connection._client, "_handle_publish", stumbling)
    got: list[bytes] = []
    connection.subscribe_any([], lambda topic, payload: got.append(payload))
    connection.start()
    await within(10, broker.greeted(said(b"1")))
    await within(10, broker.greeted(said(b"2")))
    await until(lambda: got == [b"2"])


async def test_an_answer_that_would_have_the_library_connect_by_itself_is_a_refusal(lines: Lines) -> None:
    """paho would try an older version of the protocol, and connect on the loop."""
    connection, broker = lines()
    connection.start()
    for _ in range(2):
        end = await within(10, broker._made.get())
        connect = await within(10, broker.heard(end))
        assert connect[1][:7] == b"\x00\x04MQTT\x04"
        await asyncio.get_running_loop().sock_sendall(end, b"\x20\x02\x00\x01")
    await until(lambda: broker.dials > 2)
    assert not connection.connected
    assert connection.why


async def test_tls_that_must_write_before_it_reads_and_read_before_it_writes_gets_what_it_waits_for(
    lines: Lines,
) -> None:
    """As when the other end changes its key: neither is busy meanwhile, and nothing is lost."""

    class Turning(PlainReadAheadSocket):
        recvs_fail = sends_fail = 0
        asked: ClassVar[list[str]] = []

        def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
            if type(self).recvs_fail:
                type(self).recvs_fail -= 1
                self.asked.append("recv")
                raise ssl.SSLWantWriteError
            return super().recv(buflen, flags)

        def send(self, data: Any, flags: int = 0) -> int:
            if type(self).sends_fail:
                type(self).sends_fail -= 1
                self.asked.append("send")
                raise ssl.SSLWantReadError
            return super().send(data, flags)

    connection, broker = lines(Turning)
    got: list[bytes] = []
    connection.subscribe_any([], lambda topic, payload: got.append(payload))
    connection.start()
    end = await within(10, broker.greeted())
    await until(lambda: connection.connected)
    Turning.recvs_fail = 1
    await asyncio.get_running_loop().sock_sendall(end, said(b"read"))
    await until(lambda: got == [b"read"])
    Turning.sends_fail = 1
    assert connection.publish(TOPIC, b"written")
    for _ in range(20):
        await asyncio.sleep(0)
    assert Turning.asked == ["recv", "send"], "it is not asked again and again"
    await asyncio.get_running_loop().sock_sendall(end, said(b"more"))
    assert (await within(10, broker.heard(end)))[1].endswith(b"written")
    await until(lambda: got == [b"read", b"more"])


async def test_who_ends_while_it_connects_waits_for_nobody(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, _ = lines()
    dialling = asyncio.Event()

    async def never(*place: object) -> socket.socket:
        dialling.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(line_driver, "dial", never)
    connection.start()
    await within(10, dialling.wait())
    await within(10, connection.stop())
    assert not connection.connected


async def test_who_ends_before_it_began_and_twice_ends(lines: Lines) -> None:
    connection, broker = lines()
    await within(10, connection.stop())
    connection.start()
    await within(10, broker.greeted())
    await within(10, connection.stop())
    await within(10, connection.stop())
    assert broker.dials == 1


async def test_who_reaches_nobody_says_why_and_tries_again_after_waits_that_double(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, broker = lines()
    connection.reconnect_after(1, 5)
    waits: list[float] = []
    failures = 5

    async def at_once(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    async def failing(host: str, port: int, tls: object) -> socket.socket:
        nonlocal failures
        if failures:
            failures -= 1
            raise KeyError("a defect") if failures == 2 else ConnectionRefusedError("nobody is there")
        return await broker.dial(host, port, tls)

    monkeypatch.setattr(line_driver, "dial", failing)
    monkeypatch.setattr(connection._line, "_sleep", at_once)
    connection.start()
    end = await within(10, broker.greeted())
    assert connection.why == "nobody is there"
    await until(lambda: connection.connected)
    assert waits == [1, 2, 4, 5, 5]
    end.close()
    await within(10, broker.greeted())
    assert waits[5:] == [1], "after a connection the waits begin anew"
