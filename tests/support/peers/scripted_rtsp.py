"""A camera whose every time stamp a test decides: RTSP and RTP over TCP by hand, pictures by x264.

GStreamer's server (rtsp_peer.py) is the honest camera; this one lies as cheap cameras do. Each client is sent the
pictures from a key frame on, at 25 a second, for as long as it stays.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal

FPS = 25
TICKS = 90_000 // FPS
_PACKET = 1_200

Pictures = list[list[bytes]]
"""Of each picture its NAL units; the first picture is a key frame."""


def encode(size: str, gop: int, pictures: int, source: str = "testsrc2") -> Pictures:
    """Moving pictures with a key frame every `gop`."""
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"{source}=s={size}:r={FPS}", "-frames:v", str(pictures)]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-x264-params"]
    command += [f"keyint={gop}:min-keyint={gop}:scenecut=0:slices=1:threads=1:repeat-headers=1", "-pix_fmt", "yuv420p"]
    data = subprocess.run([*command, "-f", "h264", "pipe:1"], check=True, capture_output=True).stdout
    found: Pictures = []
    waiting: list[bytes] = []
    for nal in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]:
        waiting.append(nal)
        if nal[0] & 31 in (1, 5):
            found.append(waiting)
            waiting = []
    return found


@dataclass
class ScriptedCamera:
    """Change what it does while it runs."""

    pictures: Pictures
    stamp: Callable[[int], int] = lambda number: number * TICKS
    """Time stamp of a picture by its number since the client came."""
    report: Callable[[int], float | None] = lambda number: None
    """Seconds of UTC that a sender report says before a picture; None: no report."""
    with_stills: bool = False
    """Still pictures (JPEG) come first in its description; none are sent."""
    with_sound: bool = False
    """A second stream in its description, as most cameras have; reports then move the streams against each other."""
    silent: bool = False
    """Sends nothing, but stays connected."""
    fps: int = FPS
    """How many pictures it really sends a second."""
    sign_in: Callable[[str], str] | None = None
    """Judges the `Authorization` of a request ("" without one): "" lets it in, else it is the challenge."""
    answer: str = ""
    """Not empty: what it answers to DESCRIBE instead of a description, e.g. `404 Not Found`."""
    codec: str = "H264"
    """What it says that its pictures are."""
    sets: Literal["both", "first", "none"] = "both"
    """Which parameter sets its description has; the pictures have both."""
    newcomer_at: int = 0
    """The picture that a new client begins with: encoders that serve several clients make no key frame for one."""
    timeout_s: int = 60
    """So long after a client's last request it would end the session."""
    keep_alive: str = "200 OK"
    """What it answers to requests while it plays; "": nothing."""
    asked: int = 0
    """Requests that came while it played."""
    date: str = ""
    """Its clock, as it tells it with each answer."""
    port: int = 0
    clients: int = 0
    sent_ns: dict[int, int] = field(default_factory=dict)
    """When (monotonic) each picture of the newest client was sent."""
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/main"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[ScriptedCamera]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        playing: asyncio.Task[None] | None = None
        try:
            while True:
                head = await reader.readuntil(b"\r\n")
                if head[:1] == b"$":  # receiver reports of the client
                    continue
                lines = [head.decode("latin-1")]
                while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
                    lines.append(line.decode("latin-1"))
                method = lines[0].split()[0]
                number = next((x.split(":")[1].strip() for x in lines if x.lower().startswith("cseq")), "0")
                extra, body, status = f"Session: 1;timeout={self.timeout_s}\r\n", "", "200 OK"
                said = next((x.partition(":")[2].strip() for x in lines if x.lower().startswith("authorization:")), "")
                if playing is not None and method != "TEARDOWN":
                    self.asked += 1
                    if self.keep_alive:
                        writer.write(f"RTSP/1.0 {self.keep_alive}\r\nCSeq: {number}\r\n\r\n".encode())
                    continue
                if self.date:
                    extra += f"Date: {self.date}\r\n"
                if method != "OPTIONS" and self.sign_in is not None and (challenge := self.sign_in(said)):
                    status, extra = "401 Unauthorized", f"{challenge}\r\n"
                elif method == "DESCRIBE" and self.answer:
                    status, extra = self.answer, ""
                elif method == "OPTIONS":
                    extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                elif method == "DESCRIBE":
                    body = self._description()
                    extra += f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
                elif method == "SETUP":
                    what = lines[0].split()[1].rpartition("/")[2]
                    channels = {"sound": "2-3", "stills": "4-5"}.get(what, "0-1")
                    extra += f"Transport: RTP/AVP/TCP;unicast;interleaved={channels}\r\n"
                writer.write(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{extra}\r\n{body}".encode())
                if method == "PLAY" and status.startswith("200"):
                    self.clients += 1
                    playing = asyncio.create_task(self._play(writer))
                elif method == "TEARDOWN":
                    return
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, IndexError):
            pass
        finally:
            if playing is not None:
                playing.cancel()
            self._writers.discard(writer)
            writer.transport.abort()

    def _description(self) -> str:
        sets = [nal for nal in self.pictures[0] if nal[0] & 31 in (7, 8)]
        known = ",".join(base64.b64encode(nal).decode() for nal in (sets if self.sets == "both" else sets[:1]))
        known = "" if self.sets == "none" else f";sprop-parameter-sets={known}" + ("," if self.sets == "first" else "")
        text = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
        if self.with_stills:
            text += "m=video 0 RTP/AVP 26\r\nc=IN IP4 0.0.0.0\r\na=control:stills\r\n"
        text += "m=video 0 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\n"
        text += f"a=rtpmap:96 {self.codec}/90000\r\na=fmtp:96 packetization-mode=1{known}\r\n"
        text += "a=control:picture\r\n"
        if self.with_sound:
            text += "m=audio 0 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:0 PCMU/8000\r\na=control:sound\r\n"
        return text

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        began, number, sequence, sounds = time.monotonic(), 0, 0, 0
        pictures, at = self.pictures, self.newcomer_at
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(max(began + number / self.fps - time.monotonic(), 0))
                if self.pictures is not pictures:
                    pictures, at = self.pictures, 0
                self.sent_ns[number] = time.monotonic_ns()
                stamp = self.stamp(number) & 0xFFFFFFFF
                said = self.report(number)
                if not self.silent:
                    if said is not None:
                        self._report(writer, 1, said, stamp)
                        if self.with_sound:
                            self._report(writer, 3, time.time(), number * 320)
                    if self.with_sound:
                        packet = struct.pack(">BBHII", 0x80, 0, sounds & 0xFFFF, number * 320, 2) + b"\xff" * 320
                        writer.write(struct.pack(">BBH", 0x24, 2, len(packet)) + packet)
                        sounds += 1
                    for last, payload in _payloads(pictures[at % len(pictures)]):
                        marker = 0x80 if last else 0
                        packet = struct.pack(">BBHII", 0x80, marker | 96, sequence & 0xFFFF, stamp, 1) + payload
                        writer.write(struct.pack(">BBH", 0x24, 0, len(packet)) + packet)
                        sequence += 1
                await writer.drain()
                number += 1
                at += 1

    @staticmethod
    def _report(writer: asyncio.StreamWriter, channel: int, utc_s: float, stamp: int) -> None:
        ntp = int((utc_s + 2_208_988_800) * 2**32)
        packet = struct.pack(">BBHIQIII", 0x80, 200, 6, channel // 2 + 1, ntp, stamp, 1, 1)
        writer.write(struct.pack(">BBH", 0x24, channel, len(packet)) + packet)


def _payloads(nals: list[bytes]) -> list[tuple[bool, bytes]]:
    """(is the last of its picture, RTP payload): a NAL unit, or a part of one."""
    found: list[bytes] = []
    for nal in nals:
        if len(nal) <= _PACKET:
            found.append(nal)
            continue
        pieces = [nal[i : i + _PACKET] for i in range(1, len(nal), _PACKET)]
        for index, piece in enumerate(pieces):
            flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
            found.append(bytes([nal[0] & 0xE0 | 28, flags | nal[0] & 31]) + piece)
    return [(index == len(found) - 1, payload) for index, payload in enumerate(found)]
