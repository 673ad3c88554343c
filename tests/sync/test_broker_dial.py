"""A connection being made: nobody waits for a broker that does not answer, and nothing is left open."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from pathlib import Path

import pytest

from sync import broker_dial
from sync.broker_address import BrokerAddress
from sync.broker_dial import dial
from sync.mqtt import MqttConnection
from sync.tls.authority import open_authority
from sync.tls.contexts import client_context, server_context, trust
from sync.tls.followed_context import FollowedContext
from sync.tls.read_ahead import PlainReadAheadSocket, ReadAheadSocket
from tests.support.peers.tls_court import served_by, utc_now


@pytest.fixture
def listening() -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock


def dials() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "dial-127.0.0.1"]


async def test_a_broker_that_never_shakes_hands_holds_up_neither_the_loop_nor_who_ends(
    listening: socket.socket,
) -> None:
    loop = asyncio.get_running_loop()
    line = MqttConnection(BrokerAddress("127.0.0.1", listening.getsockname()[1], "x", tls=client_context()))
    line.start()
    async with asyncio.timeout(30):
        end, _ = await loop.sock_accept(listening)
        assert await loop.sock_recv(end, 1) == b"\x16", "the handshake has begun, and this goes on meanwhile"
        (attempt,) = dials()
        await line.stop()
        assert attempt.is_alive(), "nobody waited for it"
    assert not line.connected
    end.close()
    listening.close()
    await asyncio.to_thread(attempt.join, 30)
    assert not attempt.is_alive()


async def test_a_connection_that_comes_when_nobody_wants_it_any_more_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, there = socket.socketpair()
    may, asked = threading.Event(), threading.Event()

    def slow(*place: object) -> socket.socket:
        asked.set()
        may.wait(30)
        return here

    monkeypatch.setattr(broker_dial, "_connect", slow)
    attempt = asyncio.create_task(dial("127.0.0.1", 1, None))
    await asyncio.to_thread(asked.wait, 30)
    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    assert attempt.cancelled()
    may.set()
    there.setblocking(False)
    async with asyncio.timeout(30):
        assert await asyncio.get_running_loop().sock_recv(there, 1) == b""
    there.close()


async def test_a_connection_that_comes_at_the_moment_of_giving_up_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair()
    monkeypatch.setattr(broker_dial, "_connect", lambda *place: here)
    hand_over = broker_dial._hand_over
    attempt: list[asyncio.Task[socket.socket]] = []

    def and_give_up(made: asyncio.Future[socket.socket], *what: object) -> None:
        hand_over(made, *what)  # type: ignore[arg-type]
        attempt[0].cancel()

    monkeypatch.setattr(broker_dial, "_hand_over", and_give_up)
    attempt.append(asyncio.create_task(dial("127.0.0.1", 1, None)))
    await asyncio.gather(*attempt, return_exceptions=True)
    assert attempt[0].cancelled()
    there.setblocking(False)
    async with asyncio.timeout(30):
        assert await asyncio.get_running_loop().sock_recv(there, 1) == b""
    there.close()


async def test_whatever_fails_is_told(listening: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    port = listening.getsockname()[1]
    listening.close()
    with pytest.raises(OSError, match="refused"):
        await dial("127.0.0.1", port, None)
    with pytest.raises(ValueError, match="label"):
        await dial("a" * 70 + ".invalid", port, None)
    monkeypatch.setattr(broker_dial, "_connect", lambda *place: dict[str, socket.socket]()["a defect"])
    with pytest.raises(KeyError):
        await dial("127.0.0.1", port, None)


async def test_what_is_made_reads_ahead_with_and_without_tls_and_whoever_is_believed_now(tmp_path: Path) -> None:
    authority = open_authority(tmp_path / "court", "Court", utc_now())
    server = server_context(*served_by(authority, tmp_path, "127.0.0.1"))
    believing = client_context()
    trust(believing, tmp_path / "court" / "authority.pem")
    followed = FollowedContext()

    def shake_hands(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            server.wrap_socket(listening.accept()[0], server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        shaking = asyncio.create_task(asyncio.to_thread(shake_hands, listening))
        with pytest.raises(ssl.SSLError):
            await dial("127.0.0.1", port, followed)  # trusts nobody yet
        await shaking
        followed.take(believing)
        shaking = asyncio.create_task(asyncio.to_thread(shake_hands, listening))
        with await dial("127.0.0.1", port, followed) as sock:
            assert type(sock) is ReadAheadSocket
        await shaking
        with await dial("127.0.0.1", port, None) as sock:
            assert type(sock) is PlainReadAheadSocket
