"""Asks the room's own networks which cameras they have (WS-Discovery 1.0, as ONVIF cameras answer it).

Promises: the question goes out by private interfaces alone (RFC 1918, link-local), and to addresses that somebody
typed; it takes `LISTEN_S`, whoever answers; of one machine one answer counts, of all `MOST_CAMERAS`. Whoever answers
from no private address is not listened to.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from hardware.discovery.probe_match import MOST_BYTES, ProbeMatch, read_probe_match
from sync.tls.local_addresses import local_addresses

log = structlog.get_logger(__name__)

GROUP = ("239.255.255.250", 3702)
LISTEN_S = 3.0
AGAIN_S = 0.5
"""After so long the question is said once more: datagrams get lost."""
MOST_CAMERAS = 64
MOST_ANSWERS = 512
"""Datagrams that are read at all in one search."""
_QUESTION = (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:n="http://www.onvif.org/ver10/network/wsdl"><s:Header>'
    "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action><a:MessageID>{message}</a:MessageID>"
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>"
    "<s:Body><d:Probe><d:Types>n:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
)


@dataclass(frozen=True)
class NetworkCamera:
    """A machine that calls itself a camera."""

    host: str
    match: ProbeMatch


def private_addresses(addresses: Iterable[str] | None = None) -> list[str]:
    """Of this machine's IPv4 addresses those in networks that nobody else routes to."""
    found = []
    for text in local_addresses() if addresses is None else addresses:
        address = ipaddress.ip_address(text)
        if address.version == 4 and is_private(text) and not address.is_loopback and text not in found:
            found.append(text)
    return found


def is_private(host: str) -> bool:
    """Whether an address is of a private network, link-local, or of this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private and not address.is_unspecified


class _AnswerLine(asyncio.DatagramProtocol):
    """Takes answers; a search has one for each interface, and they share what was found."""

    def __init__(self, message: str, found: dict[str, ProbeMatch], count: list[int]) -> None:
        self._message = message
        self._found = found
        self._count = count

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        host = addr[0]
        self._count[0] += 1
        if self._count[0] > MOST_ANSWERS or host in self._found or len(self._found) >= MOST_CAMERAS:
            return
        if not is_private(host) or len(data) > MOST_BYTES:
            return
        try:
            self._found[host] = read_probe_match(data, self._message, host)
        except ValueError as error:
            log.info("probe_answer_refused", host=host, why=str(error)[:200])


async def search(
    own: Sequence[str] | None = None, also: Sequence[tuple[str, int]] = (), listen_s: float = LISTEN_S
) -> list[NetworkCamera]:
    """The cameras that answer within `listen_s`, by address.

    `own`: of this machine, from which the group is asked; None: its private ones. `also`: machines that are asked by
    themselves, where no multicast gets.
    """
    message = f"uuid:{uuid.uuid4()}"
    question = _QUESTION.format(message=message).encode()
    found: dict[str, ProbeMatch] = {}
    count = [0]
    lines: list[tuple[asyncio.DatagramTransport, list[tuple[str, int]]]] = []
    loop = asyncio.get_running_loop()
    try:
        for address in private_addresses() if own is None else own:
            with contextlib.suppress(OSError):  # an interface that has just gone, or that has no multicast
                line = await _opened(loop, _AnswerLine(message, found, count), address)
                lines.append((line, [GROUP]))
        if also:
            lines.append((await _opened(loop, _AnswerLine(message, found, count), ""), list(also)))
        if not lines:
            return []
        first_s = min(AGAIN_S, listen_s / 2)
        for wait_s in (first_s, listen_s - first_s):
            for line, places in lines:
                for place in places:
                    line.sendto(question, place)
            await asyncio.sleep(wait_s)
    finally:
        for line, _ in lines:
            line.close()
    return [NetworkCamera(host, match) for host, match in sorted(found.items(), key=lambda one: _order(one[0]))]


async def _opened(loop: asyncio.AbstractEventLoop, listener: _AnswerLine, address: str) -> asyncio.DatagramTransport:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        if address:
            line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        line.bind((address, 0))
        transport, _ = await loop.create_datagram_endpoint(lambda: listener, sock=line)
    except OSError:
        line.close()
        raise
    return transport


def _order(host: str) -> tuple[int, int]:
    address = ipaddress.ip_address(host)
    return address.version, int(address)
