"""Cameras for benchmarks: an RTSP server that sends H.264 which was encoded before, so that they cost next to nothing.

    python -m wutong.bench.record.cameras FILE.h264 FPS

Prints its port; `rtsp://127.0.0.1:PORT/<n>` is the file from a place of its own, over and over, at its own pace, to as
many clients as ask. RTP inside the RTSP connection (as the recorder asks for); nothing else is offered.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sync.runtime.process.processes import die_with_parent

MTU = 1400
CLOCK_HZ = 90_000
_FU_A = 28
_IDR, _SPS, _PPS = 5, 7, 8


class Film:
    """A raw H.264 file as RTP payloads: `pictures[i]` are those of a picture, the last with the marker."""

    def __init__(self, data: bytes, fps: int) -> None:
        self.fps = fps
        self.pictures: list[list[bytes]] = []
        self.keys: list[int] = []
        self.sps = self.pps = b""
        waiting: list[bytes] = []
        for unit in _units(data):
            kind = unit[0] & 0x1F
            if kind == _SPS:
                self.sps = unit
            elif kind == _PPS:
                self.pps = unit
            waiting += _payloads(unit)
            if kind in (1, _IDR):
                if kind == _IDR:
                    self.keys.append(len(self.pictures))
                self.pictures.append(waiting)
                waiting = []

    def sdp(self) -> bytes:
        """How a client is told of it."""
        sets = ",".join(base64.b64encode(unit).decode() for unit in (self.sps, self.pps))
        profile = self.sps[1:4].hex().upper()
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=bench\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
            "c=IN IP4 0.0.0.0\r\na=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}\r\n"
            f"a=framerate:{self.fps}\r\na=control:track\r\n"
        ).encode()


def _units(data: bytes) -> list[bytes]:
    """The NAL units of an Annex B stream."""
    found = []
    for part in data.split(b"\x00\x00\x01"):
        unit = part.rstrip(b"\x00")
        if unit:
            found.append(unit)
    return found


def _payloads(unit: bytes) -> list[bytes]:
    """RTP payloads of one unit (RFC 6184: alone, or in FU-A pieces)."""
    if len(unit) <= MTU:
        return [unit]
    indicator, kind, rest = (unit[0] & 0xE0) | _FU_A, unit[0] & 0x1F, unit[1:]
    pieces = [rest[at : at + MTU] for at in range(0, len(rest), MTU)]
    last = len(pieces) - 1
    return [
        bytes([indicator, kind | (0x80 if n == 0 else 0) | (0x40 if n == last else 0)]) + piece
        for n, piece in enumerate(pieces)
    ]


class Viewer:
    """One RTSP connection."""

    def __init__(
        self,
        film: Film,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        sent: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`sent` is told the moment (monotonic, ns) at which each picture is sent."""
        self._film = film
        self._sent = sent
        self._reader = reader
        self._writer = writer
        self._playing: asyncio.Task[None] | None = None
        self._session = secrets.token_hex(4)

    async def serve(self) -> None:
        """Answer until the client goes."""
        try:
            while (request := await self._request()) is not None:
                method, url, sequence = request
                self._answer(method, url, sequence)
                if method == "PLAY" and self._playing is None:
                    self._playing = asyncio.create_task(self._play(url))
                if method == "TEARDOWN":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the client went, or speaks something else
        finally:
            if self._playing is not None:
                self._playing.cancel()
            self._writer.close()

    async def _request(self) -> tuple[str, str, str] | None:
        while (first := await self._reader.readexactly(1)) == b"$":  # what the client says of its reception
            (size,) = struct.unpack(">xH", await self._reader.readexactly(3))
            await self._reader.readexactly(size)
        head = (first + await self._reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
        lines = head.strip().split("\r\n")
        method, url, _ = lines[0].split(" ", 2)
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        await self._reader.readexactly(int(fields.get("content-length", "0")))
        return method, url, fields.get("cseq", "0")

    def _answer(self, method: str, url: str, sequence: str) -> None:
        head, body = [f"CSeq: {sequence}"], b""
        if method == "OPTIONS":
            head.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif method == "DESCRIBE":
            body = self._film.sdp()
            head += ["Content-Type: application/sdp", f"Content-Base: {url}/", f"Content-Length: {len(body)}"]
        else:
            head.append(f"Session: {self._session};timeout=60")
        if method == "SETUP":
            head.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        self._writer.write(("\r\n".join(["RTSP/1.0 200 OK", *head]) + "\r\n\r\n").encode() + body)

    async def _play(self, url: str) -> None:
        film, loop = self._film, asyncio.get_running_loop()
        number = next((int(part) for part in reversed(url.split("/")) if part.isdecimal()), 0)
        at = film.keys[(number * 3) % len(film.keys)]
        began, sequence, source, count = loop.time(), secrets.randbelow(1 << 15), secrets.randbits(32), 0
        with contextlib.suppress(ConnectionError):
            while True:
                stamp = count * CLOCK_HZ // film.fps & 0xFFFFFFFF
                payloads = film.pictures[at]
                out = bytearray()
                for n, payload in enumerate(payloads):
                    marker = 0x80 if n == len(payloads) - 1 else 0
                    out += struct.pack(
                        ">BBHBBHII", 0x24, 0, 12 + len(payload), 0x80, marker | 96, sequence & 0xFFFF, stamp, source
                    )
                    out += payload
                    sequence += 1
                self._sent(time.monotonic_ns())
                self._writer.write(bytes(out))
                await self._writer.drain()
                at, count = (at + 1) % len(film.pictures), count + 1
                await asyncio.sleep(max(began + count / film.fps - loop.time(), 0))


async def run(film: Film) -> None:
    """Serve until the process is ended."""

    async def viewer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Viewer(film, reader, writer).serve()

    server = await asyncio.start_server(viewer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    die_with_parent()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(Film(Path(sys.argv[1]).read_bytes(), int(sys.argv[2]))))
