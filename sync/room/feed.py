"""Live messages between the services of one room, over a Unix socket each: many may listen, nobody can be slowed.

A service that produces (recorder, transcriber, edge, uplink) owns one `FeedServer`; whoever is interested runs a
`FeedClient`. A listener that does not keep up loses its oldest messages, never the producer's time: what must not be
lost is in the room's log or on disk, never only here. Messages published with `retain=True` (an init segment, a
status) are given to every newcomer first, one per topic.

On the wire: the listener sends its topic prefixes as one JSON line; the server answers with frames of
`uint32 length of the rest, uint8 length of topic, topic, payload`, big-endian.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
from collections import deque
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import structlog

from sync.errors import EnvelopeError
from sync.runtime.process.sole_place import take_place
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

MAX_FRAME_BYTES = 16 * 1024 * 1024
MAX_PREFIXES_BYTES = 64 * 1024
QUEUE_BYTES = 8 * 1024 * 1024
"""Per listener: seconds of two cameras."""
FRESH_S = 4.0
"""A service that says its status every second and has said nothing for so long is taken for dead, on every screen."""


def _frame(topic: str, payload: bytes) -> bytes:
    name = topic.encode("utf-8")
    return struct.pack(">IB", 1 + len(name) + len(payload), len(name)) + name + payload


class _Listener:
    def __init__(self, prefixes: Sequence[str], queue_bytes: int) -> None:
        self._prefixes = tuple(prefixes)
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._limit = queue_bytes
        self._ready = asyncio.Event()
        self.dropped = 0

    def wants(self, topic: str) -> bool:
        return topic.startswith(self._prefixes)

    def offer(self, frame: bytes) -> None:
        self._queue.append(frame)
        self._bytes += len(frame)
        while self._bytes > self._limit and len(self._queue) > 1:
            self._bytes -= len(self._queue.popleft())
            self.dropped += 1
        self._ready.set()

    async def take(self) -> bytes:
        while not self._queue:
            self._ready.clear()
            await self._ready.wait()
        frame = self._queue.popleft()
        self._bytes -= len(frame)
        return frame


class FeedServer:
    """The producing end. All methods belong to one event loop."""

    def __init__(self, path: Path, *, queue_bytes: int = QUEUE_BYTES) -> None:
        self._path = path
        self._queue_bytes = queue_bytes
        self._listeners: set[_Listener] = set()
        self._retained: dict[str, bytes] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._place: int | None = None

    async def start(self) -> None:
        """Bind the socket; a stale one of a killed predecessor is replaced.

        `ConfigError` when the predecessor lives: two of one service on one room's data would undo each other's work.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._take_place()
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, path=str(self._path))
        self._path.chmod(0o660)

    async def stop(self) -> None:
        """Close the socket and all listeners."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._place is None:
            return  # it never began: the socket is another's
        self._path.unlink(missing_ok=True)
        os.close(self._place)
        self._place = None

    def _take_place(self) -> None:
        taken = f"another {self._path.stem} already works in {self._path.parent.parent}; stop it first"
        self._place = take_place(self._path, mode=0o640, taken=taken)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand `payload` to every listener of `topic`; never waits."""
        frame = _frame(topic, payload)
        if retain:
            self._retained[topic] = frame
        for listener in self._listeners:
            if listener.wants(topic):
                listener.offer(frame)

    def publish_json(self, topic: str, value: object, *, retain: bool = False) -> None:
        """`publish` of a JSON value."""
        self.publish(topic, json.dumps(value, ensure_ascii=False).encode(), retain=retain)

    def forget(self, topic: str) -> None:
        """Drop the retained message of a topic."""
        self._retained.pop(topic, None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        listener: _Listener | None = None
        try:
            # The socket is the group's, and a program of it may be out of order; a line is no longer than the reader's.
            prefixes = read_strict(await reader.readline(), limit=MAX_PREFIXES_BYTES)
            if not isinstance(prefixes, list):
                raise ValueError("a listener must say a list of topics first")
            listener = _Listener([str(p) for p in prefixes], self._queue_bytes)
            for topic, frame in self._retained.items():
                if listener.wants(topic):
                    listener.offer(frame)
            self._listeners.add(listener)
            while True:
                writer.write(await listener.take())
                await writer.drain()
        except (ConnectionError, ValueError, RuntimeError, asyncio.CancelledError):
            pass  # RuntimeError is uvloop's word for a listener that has just gone
        finally:
            if listener is not None:
                self._listeners.discard(listener)
            if task is not None:
                self._tasks.discard(task)
            with contextlib.suppress(Exception):
                writer.close()


class FeedClient:
    """The listening end: an endless iterator that survives the producer's death and finds its successor."""

    def __init__(self, path: Path, prefixes: Sequence[str], *, retry_s: float = 0.2) -> None:
        self._path = path
        self._prefixes = list(prefixes)
        self._retry_s = retry_s
        self.connected = False

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield (topic, payload) for ever; reconnects by itself. Cancel the task that iterates to stop."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path), limit=MAX_FRAME_BYTES)
            except (ConnectionError, FileNotFoundError):
                await asyncio.sleep(self._retry_s)
                continue
            self.connected = True
            try:
                writer.write(json.dumps(self._prefixes).encode() + b"\n")
                await writer.drain()
                while True:
                    yield await self._read(reader)
            except (ConnectionError, asyncio.IncompleteReadError, EnvelopeError) as error:
                log.info("feed_lost", feed=self._path.name, why=type(error).__name__)
            finally:
                self.connected = False
                writer.close()
            await asyncio.sleep(self._retry_s)

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        if not 1 <= length <= MAX_FRAME_BYTES:
            raise EnvelopeError(f"a feed frame of {length} bytes is not possible")
        body = await reader.readexactly(length)
        split = 1 + body[0]
        try:
            return body[1:split].decode("utf-8"), body[split:]
        except UnicodeDecodeError as error:
            raise EnvelopeError("a feed frame has a topic that is no text") from error
