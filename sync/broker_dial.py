"""A connection to a broker being made: resolved, connected and shaken hands, in a thread for each attempt.

A broker may be slow, or take the connection and say nothing: nobody waits for that but the thread, which ends by itself
after `CONNECT_S` and is in nobody's way, neither of the loop nor of who needs one of the loop's own threads. Whoever
gives up before is rid of it at once: what it still brings is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading

from sync.tls.read_ahead import PlainReadAheadSocket, ReadAheadSocket

CONNECT_S = 5.0
"""For an address to answer, and again for the handshake of TLS."""


async def dial(host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
    """A connection that stands and reads ahead; `OSError` when there is none, `ValueError` when the name is none."""
    loop = asyncio.get_running_loop()
    made: asyncio.Future[socket.socket] = loop.create_future()

    def attempt() -> None:
        sock: socket.socket | None = None
        failure: Exception | None = None
        try:
            sock = _connect(host, port, tls)
        except Exception as error:  # noqa: BLE001  # whatever it is, who waits is told
            failure = error
        try:
            loop.call_soon_threadsafe(_hand_over, made, sock, failure)
        except RuntimeError:  # the loop is closed: the process ends
            if sock is not None:
                sock.close()

    threading.Thread(target=attempt, name=f"dial-{host}", daemon=True).start()
    try:
        return await made
    except asyncio.CancelledError:
        if made.done() and not made.cancelled() and made.exception() is None:
            made.result().close()
        raise


def _hand_over(made: asyncio.Future[socket.socket], sock: socket.socket | None, failure: Exception | None) -> None:
    if made.done():  # given up
        if sock is not None:
            sock.close()
    elif sock is not None:
        made.set_result(sock)
    elif failure is not None:
        made.set_exception(failure)


def _connect(host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
    sock = socket.create_connection((host, port), timeout=CONNECT_S)
    with contextlib.ExitStack() as undone:
        undone.callback(sock.close)
        if tls is None:
            made: socket.socket = PlainReadAheadSocket(fileno=sock.detach())
        else:
            tls.sslsocket_class = ReadAheadSocket
            made = tls.wrap_socket(sock, server_hostname=host)  # closes what it took when the handshake fails
        undone.pop_all()
        return made
