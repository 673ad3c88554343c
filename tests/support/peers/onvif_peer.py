"""The ONVIF half of a camera: a small HTTP server that answers as one does, signs its clients in, and counts."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:trt="http://www.onvif.org/ver10/media/wsdl"><s:Body>{}</s:Body></s:Envelope>'
)
FAULT = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:{}</s:Value></s:Subcode></s:Code></s:Fault>"
)
_OLD = timedelta(seconds=5)
"""What was signed longer ago, by the camera's clock, is refused."""


def enveloped(body: str) -> bytes:
    return _ENVELOPE.format(body).encode()


@dataclass
class OnvifPeer:
    """Made, then `running`. Change what it does while it runs."""

    streams: dict[str, str]
    """Of each profile's token: the address of its stream."""
    on_key_frame: Callable[[str], None] = lambda token: None
    """Told of each profile that a key frame is asked for of."""
    user: str = ""
    password: str = ""
    way: Literal["token", "digest", "basic"] = "token"
    """How it wants to be signed in to, where it has a user."""
    clock_off: timedelta = timedelta()
    answer: bytes | None = None
    """What it answers to everything, instead."""
    asked: list[str] = field(default_factory=list)
    """The questions that it has taken, by their names."""
    refused: int = 0
    port: int = 0
    heard: bytes = b""
    """All that ever came."""
    pictures: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """Codec, width and height of those of which it says them."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[OnvifPeer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                self.heard += head + body
                status, more, content = self._answer(head.decode(), body.decode())
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: application/soap+xml\r\n{more}"
                    f"Content-Length: {len(content)}\r\n\r\n".encode()
                    + content
                )
                await writer.drain()
        writer.close()

    def _answer(self, head: str, body: str) -> tuple[str, str, bytes]:
        name = re.search(r"<s:Body><(\w+)", body)
        assert name is not None
        path = head.split()[1]
        if self.answer is not None:
            return "200 OK", "", self.answer
        if name[1] != "GetSystemDateAndTime" and not self._signed(head, body):
            self.refused += 1
            if self.way == "token":
                return "400 Bad Request", "", enveloped(FAULT.format("NotAuthorized"))
            challenge = (
                'Digest realm="onvif", nonce="n1", qop="auth"' if self.way == "digest" else 'Basic realm="onvif"'
            )
            return "401 Unauthorized", f"WWW-Authenticate: {challenge}\r\n", b""
        self.asked.append(name[1])
        assert path == ("/onvif/device_service" if name[1] in ("GetSystemDateAndTime", "GetCapabilities") else "/media")
        token = re.search(r"<ProfileToken>(.*?)</ProfileToken>", body)
        return "200 OK", "", enveloped(self._said(name[1], token[1] if token else ""))

    def _said(self, name: str, token: str) -> str:
        now = datetime.now(UTC) + self.clock_off
        if name == "GetSystemDateAndTime":
            time = (
                f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>"
            )
            day = f"<tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
            return f"<tds:X><tt:UTCDateTime><tt:Time>{time}</tt:Time><tt:Date>{day}</tt:Date></tt:UTCDateTime></tds:X>"
        if name == "GetCapabilities":  # cameras behind a router say an address that nobody reaches
            return "<tds:X><tt:Media><tt:XAddr>http://192.0.2.1:8899/media</tt:XAddr></tt:Media></tds:X>"
        if name == "GetProfiles":
            return "<trt:X>" + "".join(map(self._profile, self.streams)) + "</trt:X>"
        if name == "GetStreamUri":
            address = self.streams[token].replace("&", "&amp;")
            return f"<trt:X><trt:MediaUri><tt:Uri>{address}</tt:Uri></trt:MediaUri></trt:X>"
        assert name == "SetSynchronizationPoint"
        self.on_key_frame(token)
        return "<trt:SetSynchronizationPointResponse/>"

    def _profile(self, token: str) -> str:
        if token not in self.pictures:
            return f'<trt:Profiles token="{token}"/>'
        codec, width, height = self.pictures[token]
        size = f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
        encoder = f"<tt:Encoding>{codec}</tt:Encoding>{size}"
        return (
            f'<trt:Profiles token="{token}"><tt:VideoEncoderConfiguration>{encoder}</tt:VideoEncoderConfiguration>'
            "</trt:Profiles>"
        )

    def _signed(self, head: str, body: str) -> bool:
        if not self.user:
            return True
        if self.way == "token":
            said: dict[str, str] = dict(re.findall(r"<[wu]:(\w+)[^>]*>([^<]*)<", body))
            if said.get("Username") != self.user:
                return False
            created = datetime.strptime(said["Created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            hashed = base64.b64decode(said["Nonce"]) + (said["Created"] + self.password).encode()
            right = base64.b64encode(hashlib.sha1(hashed).digest()).decode()
            return said["Password"] == right and abs(datetime.now(UTC) + self.clock_off - created) < _OLD
        parts = dict(re.findall(r'(\w+)="([^"]*)"', head.partition("Authorization: ")[2]))
        own = hashlib.md5(f"{self.user}:onvif:{self.password}".encode()).hexdigest()
        asked = hashlib.md5(f"POST:{head.split()[1]}".encode()).hexdigest()
        right = hashlib.md5(f"{own}:n1:00000001:{parts.get('cnonce')}:auth:{asked}".encode()).hexdigest()
        return self.way == "digest" and parts.get("response") == right
