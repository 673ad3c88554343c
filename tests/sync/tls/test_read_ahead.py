"""Reading ahead changes nothing of what is read: not its bytes, not its end, not that there is nothing yet."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.tls.authority import open_authority
from sync.tls.contexts import client_context, server_context, trust
from sync.tls.read_ahead import READ_BYTES, ReadAheadSocket
from tests.support.peers.tls_court import served_by, utc_now


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server, and of a client that reads ahead and believes it."""
    folder = tmp_path_factory.mktemp("tls")
    authority = open_authority(folder / "court", "Court", utc_now())
    server = server_context(*served_by(authority, folder, "127.0.0.1"))
    client = client_context()
    trust(client, folder / "court" / "authority.pem")
    client.sslsocket_class = ReadAheadSocket
    return server, client


@contextlib.contextmanager
def line(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Both ends of one connection, which say they are on the address 127.0.0.1."""
    there, here = socket.socketpair()
    served: list[ssl.SSLSocket] = []
    handshake = threading.Thread(target=lambda: served.append(contexts[0].wrap_socket(there, server_side=True)))
    handshake.start()
    client = contexts[1].wrap_socket(here, server_hostname="127.0.0.1")
    handshake.join()
    with served[0], client:
        yield served[0], client


@given(said=st.lists(st.binary(min_size=1, max_size=40_000), max_size=6), asked=st.lists(st.integers(1, 20_000)))
def test_all_that_was_said_is_read_in_its_order_whatever_is_asked_for(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], said: list[bytes], asked: list[int]
) -> None:
    with line(contexts) as (server, client):

        def say() -> None:
            for one in said:
                server.sendall(one)
            server.unwrap()

        speaking = threading.Thread(target=say)
        speaking.start()
        heard, sizes = b"", iter([*asked])
        while piece := client.recv(size := next(sizes, 5000)):
            assert len(piece) <= size
            heard += piece
        client.unwrap().close()
        speaking.join()
        assert heard == b"".join(said)


def test_what_was_read_ahead_is_pending_and_what_has_not_come_is_not_waited_for(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    with line(contexts) as (server, client):
        client.setblocking(False)
        with pytest.raises(ssl.SSLWantReadError):
            client.recv(1)
        server.sendall(b"abcdef")
        assert client.recv(1) == b"a"
        assert client.pending() == 5
        assert client.recv(3) == b"bcd"
        assert client.recv(READ_BYTES) == b"ef"
        assert client.pending() == 0
        with pytest.raises(ssl.SSLWantReadError):
            client.recv(1)


def test_a_line_that_is_cut_is_an_end_and_loses_nothing_that_came(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    with line(contexts) as (server, client):
        server.sendall(b"abc")
        server.shutdown(socket.SHUT_RDWR)
        assert (client.recv(1), client.recv(9)) == (b"a", b"bc")
        with contextlib.suppress(ssl.SSLEOFError):
            assert client.recv(1) == b""
