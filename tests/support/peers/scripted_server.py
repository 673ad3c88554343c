"""A transcription server that answers what a test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable


class Scripted:
    """A server that answers when and what a test says: a real HTTP server, so that only the model is missing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: Callable[[str], tuple[int, str]] = lambda kind: (200, '{"text": "没有异议"}')
        self.silence: Callable[[int], tuple[int, str]] = lambda size: (200, '{"text": ""}')
        self.hold: set[str] = set()
        self.released = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self.url = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self.released.set()
        self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next(
                    (
                        int(line.split(":")[1])
                        for line in head.split("\r\n")
                        if line.lower().startswith("content-length")
                    ),
                    0,
                )
                body = await reader.readexactly(length)
                kind = (
                    "probe" if head.startswith("GET") else "final" if b"timestamp_granularities" in body else "caption"
                )
                if kind == "final" and b'name="prompt"' in body:
                    kind = "biased"
                if bytes(16_000) in body:
                    kind = "silence"
                self.asked.append(kind)
                if kind in self.hold:
                    await self.released.wait()
                if kind == "silence":
                    status, text = self.silence(length)
                else:
                    status, text = (200, "{}") if kind == "probe" else self.answers(kind)
                raw = text.encode()
                writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw)
                await writer.drain()
