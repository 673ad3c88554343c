"""What is carried to a room's machine: a code that says where the center is, and its picture for a camera.

The code works once and for 15 minutes. It carries the center's fingerprint, so that who types it compares nothing, and
the address at which rooms reach the center by their certificates, so that nothing is written into a file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import segno
from typing_extensions import TypedDict

from server.config import Config
from server.integrity.enrollment import VALID_S, BrokersTold, Enrollment
from sync.tls.fingerprint import joined_code
from sync.tls.hosts import is_loopback
from sync.tls.names import local_hosts
from sync.tls.places import ListenPlace


class IssuedCode(TypedDict):
    """A code that was made just now, said this once. `carried`: with the center's address, which the picture shows."""

    code: str
    carried: str
    until_utc_ms: float
    qr_svg: str


@dataclass(frozen=True, slots=True)
class CenterPlaces:
    """Where rooms reach the center and its broker."""

    scheme: str
    host: str
    port: int
    brokers: BrokersTold

    @classmethod
    def of(cls, config: Config) -> CenterPlaces:
        """As the configuration says it: the first of `tls.names` or, where there is none, the machine's own address.
        What listens on this machine alone is reached from nowhere else, and is named as it is."""
        web, mqtt = config.web.host, config.mqtt
        own = next((host for host in local_hosts() if not is_loopback(host) and "." in host), "localhost")
        named = config.tls.names[0] if config.tls.names else own
        host = web if is_loopback(web) else named
        brokers = [f":{place.port}" if place.is_local else str(place) for place in mqtt.places]
        scheme = "https" if config.serves_tls else "http"
        return cls(scheme, host, config.web.port, BrokersTold(brokers, mqtt.by_certificate))

    def url(self, port: int = 0) -> str:
        """The center's own address; `port`: what it listens on where the configuration takes a free one."""
        return f"{self.scheme}://{ListenPlace(self.host, self.port or port or 443)}"


class RoomCodes:
    """Makes codes for rooms; whether one may be made is for who asks to judge."""

    def __init__(self, enrollment: Enrollment, places: CenterPlaces, fingerprint: str) -> None:
        self._enrollment = enrollment
        self._places = places
        self._fingerprint = fingerprint

    async def make(self, room: str, now_utc_ms: float, port: int) -> IssuedCode:
        """A code for `court/room`; `port`: at which the center was asked."""
        code = joined_code(await self._enrollment.new_code(room), self._fingerprint)
        carried = f"{self._places.url(port)}/#{code}"
        until = now_utc_ms + VALID_S * 1000
        return {"code": code, "carried": carried, "until_utc_ms": until, "qr_svg": drawn(carried)}


def drawn(text: str) -> str:
    """A QR code as SVG, which a page can take into its text."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", xmldecl=False, scale=4, border=4, nl=False)
    return out.getvalue().decode()
