"""The WS-Discovery half of a camera: it answers a question for cameras by datagram, or says what it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_MATCH = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:RelatesTo>{message}</a:RelatesTo></s:Header>'
    "<s:Body><d:ProbeMatches><d:ProbeMatch><d:Types>{types}</d:Types><d:Scopes>{scopes}</d:Scopes>"
    "<d:XAddrs>{addresses}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
)
TYPES = "dn:NetworkVideoTransmitter tds:Device"
SCOPES = (
    "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Court%20cam onvif://www.onvif.org/hardware/X1"
)


def probe_match(
    message: str,
    addresses: str = "http://127.0.0.1:8899/onvif/device_service",
    scopes: str = SCOPES,
    types: str = TYPES,
) -> bytes:
    return _MATCH.format(message=message, types=types, scopes=scopes, addresses=addresses).encode()


@dataclass
class DiscoveryPeer(asyncio.DatagramProtocol):
    """Made, then `running`; `answers` are sent for each question, `{message}` in them is its id."""

    addresses: str = "http://127.0.0.1:8899/onvif/device_service"
    answers: list[bytes] | None = None
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[DiscoveryPeer]:
        loop = asyncio.get_running_loop()
        self._line, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = int(self._line.get_extra_info("sockname")[1])
        try:
            yield self
        finally:
            self._line.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = re.search(r"<a:MessageID>(.*?)</a:MessageID>", data.decode())
        assert message is not None
        self.asked.append(message[1])
        answers = [probe_match(message[1], self.addresses)] if self.answers is None else self.answers
        for answer in answers:
            self._line.sendto(answer.replace(b"{message}", message[1].encode()), addr)
