"""A line to a broker on the event loop: it connects, reads, writes and connects anew, without a thread in between.

Promises: what comes is read, and what waits is written, in turns that are bounded in time, packets and bytes, and
between two of them everybody else on the loop has a turn, whatever the other end does. Half a packet waits for its
other half, and nobody waits for it. Who loses the connection, or gets none, tries again for ever, after waits that
double.

A connection by TLS may have to write before it can read, and the other way round; either waits for what it needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sync.broker_client import BrokerClient
from sync.broker_dial import dial

TURN_S = 0.005
TURN_PACKETS = 256
"""Read in one turn, at most."""
TURN_WRITE_BYTES = 512 * 1024
"""Written in one turn, and at most one piece more."""
GOODBYE_S = 1.0
SEND_BUFFER_BYTES = 512 * 1024
"""Of the socket: what the kernel holds is lag too."""


class LineDriver:
    """All methods belong to one event loop, and so do the client's callbacks, which must not end the connection."""

    def __init__(
        self,
        client: BrokerClient,
        tls: ssl.SSLContext | None,
        *,
        waits_s: tuple[float, float],
        turn_ended: Callable[[], None],
        unreached: Callable[[str], None],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`turn_ended()` is called after each turn of reading, `unreached(why)` when no connection could be made."""
        self.waits_s = waits_s
        """The first wait before it connects anew, and the longest: each doubles the one before."""
        self._wait_s: float | None = None
        self._client = client
        self._tls = tls
        self._turn_ended = turn_ended
        self._unreached = unreached
        self._sleep = sleep
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()
        self._next_read: asyncio.Handle | None = None
        self._next_write: asyncio.Handle | None = None
        client.on_socket_open = self._opened
        client.on_socket_close = self._closing
        client.on_socket_register_write = self._something_to_write
        client.on_socket_unregister_write = self._nothing_to_write

    def start(self) -> None:
        """Connect in the background, for ever."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._stay_connected())

    async def stop(self) -> None:
        """Say goodbye, for which the broker has `GOODBYE_S`, and connect no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self._client.disconnect()
        if self._client.socket() is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._closed.wait()
            self._client.close()

    def accepted(self) -> None:
        """The broker has taken the connection: when it is lost, the waits begin anew."""
        self._wait_s = None

    def keep_alive(self) -> None:
        """Call each second or so: greets a broker that is silent, and ends the connection when it does not answer."""
        self._client.loop_misc()

    async def _stay_connected(self) -> None:
        while True:
            try:
                sock = await dial(*self._client.next_place(), self._tls)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is said, and tried again
                self._unreached(str(error) or repr(error))
            else:
                self._closed.clear()
                self._client.begin(sock)
                await self._closed.wait()
            first_s, longest_s = self.waits_s
            self._wait_s = first_s if self._wait_s is None else min(self._wait_s * 2, longest_s)
            await self._sleep(self._wait_s)

    # Called by the client:

    def _opened(self, _client: Any, _userdata: Any, sock: Any) -> None:
        assert self._loop is not None
        with contextlib.suppress(OSError):
            # Nagle would hold a fragment back until the one before is acknowledged.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._loop.add_reader(sock, self._readable)

    def _closing(self, _client: Any, _userdata: Any, sock: Any) -> None:
        assert self._loop is not None
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)
        for handle in (self._next_read, self._next_write):
            if handle is not None:
                handle.cancel()
        self._next_read = self._next_write = None
        self._closed.set()

    def _something_to_write(self, _client: Any, _userdata: Any, _sock: Any) -> None:
        # What is said until the loop comes round leaves together, and mostly the socket takes all of it.
        self._write_soon()

    def _nothing_to_write(self, _client: Any, _userdata: Any, sock: Any) -> None:
        assert self._loop is not None
        if not self._client.read_waits_to_write:
            self._loop.remove_writer(sock)

    # Called by the loop:

    def _readable(self) -> None:
        if self._next_read is None:  # else that comes, and what stands before it on the loop has its turn
            self._read()

    def _read_on(self) -> None:
        self._next_read = None
        self._read()

    def _read(self) -> None:
        assert self._loop is not None
        client, ends_s = self._client, time.monotonic() + TURN_S
        for _ in range(TURN_PACKETS):
            if not client.read_packet():
                break
            if time.monotonic() >= ends_s:
                self._next_read = self._loop.call_soon(self._read_on)
                break
        else:  # the socket may be silent, and what was read ahead of it not
            self._next_read = self._loop.call_soon(self._read_on)
        if (sock := client.socket()) is not None:
            if client.read_waits_to_write:
                self._loop.remove_reader(sock)
                self._loop.add_writer(sock, self._writable)
            if client.write_waits_to_read:
                self._write_soon()
        self._turn_ended()

    def _writable(self) -> None:
        assert self._loop is not None
        if self._client.read_waits_to_write and (sock := self._client.socket()) is not None:
            self._loop.add_reader(sock, self._readable)
            self._loop.remove_writer(sock)
            self._readable()
        if self._next_write is None:
            self._write()

    def _write_soon(self) -> None:
        assert self._loop is not None
        if self._next_write is None:
            self._next_write = self._loop.call_soon(self._write)

    def _write(self) -> None:
        assert self._loop is not None
        self._next_write = None
        client = self._client
        client.write_turn(TURN_WRITE_BYTES)
        if (sock := client.socket()) is None or not client.want_write():
            return
        if client.write_waits_to_read:
            self._loop.remove_writer(sock)
        elif client.is_full:
            self._loop.add_writer(sock, self._writable)
        else:
            self._write_soon()
