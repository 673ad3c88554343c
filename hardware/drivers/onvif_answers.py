"""What a camera answers by ONVIF, read strictly: it is XML from a stranger (`hardware.drivers.strict_xml`).

Refused, with `ValueError`: what that refuses, and more than `MOST_BYTES`. Of an address only the path is taken, never
the host: no camera sends anybody elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

from hardware.drivers.strict_xml import MOST_TEXT, name_of, read_xml, text_of

MOST_BYTES = 256 * 1024
MOST_PROFILES = 16
MOST_TOKEN = 64
"""Characters of a token (ONVIF core, ReferenceToken)."""
MOST_SIDE = 16_384
_PATH = re.compile(r"/[!-~]*")


@dataclass(frozen=True)
class OnvifProfile:
    """A stream that a camera offers; what it does not say of it is empty or 0."""

    token: str
    codec: str
    """As ONVIF writes it: `H264`, `H265`, `JPEG`."""
    width: int
    height: int


class OnvifAnswer:
    """One answer."""

    def __init__(self, data: bytes) -> None:
        """`ValueError` where it is no answer."""
        self._elements = read_xml(data, MOST_BYTES)

    def has(self, name: str) -> bool:
        """Whether there is an element of this name."""
        return next(self._named(name), None) is not None

    @property
    def is_refused_sign_in(self) -> bool:
        """A fault that says that user or password are not right."""
        values = "".join(text_of(one) for one in self._elements if name_of(one) == "Value")
        return self.has("Fault") and "NotAuthorized" in values

    @property
    def utc(self) -> datetime | None:
        """The camera's clock (GetSystemDateAndTime); None where it says none that there is."""
        for whole in self._named("UTCDateTime"):
            said = {name_of(one): text_of(one) for one in whole.iter()}
            names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
            try:
                year, month, day, hour, minute, second = (int(said[name][:6]) for name in names)
                return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
            except (KeyError, ValueError, OverflowError):
                return None
        return None

    @property
    def media_path(self) -> str:
        """Where its Media service is (GetCapabilities); `ValueError` where it says none."""
        for media in self._named("Media"):
            for address in media.iter():
                if name_of(address) == "XAddr":
                    path = urlsplit(text_of(address)).path
                    if _PATH.fullmatch(path):
                        return path
        raise ValueError("the camera has no Media service")

    @property
    def profile_tokens(self) -> list[str]:
        """Its profiles (GetProfiles), in its order."""
        said = [one.get("token", "") for one in self._named("Profiles")]
        return [token for token in said if 0 < len(token) <= MOST_TOKEN and token.isprintable()][:MOST_PROFILES]

    @property
    def profiles(self) -> list[OnvifProfile]:
        """The same with what it says of their pictures."""
        tokens = self.profile_tokens
        found: dict[str, OnvifProfile] = {}
        for one in self._named("Profiles"):
            said: dict[str, str] = {}
            for encoder in one.iter():
                if name_of(encoder) == "VideoEncoderConfiguration":
                    for part in encoder.iter():
                        said.setdefault(name_of(part), text_of(part).strip())
            token = one.get("token", "")
            if token in tokens:
                codec = said.get("Encoding", "")[:16]
                sides = (_side(said.get("Width", "")), _side(said.get("Height", "")))
                found.setdefault(token, OnvifProfile(token, codec if codec.isalnum() else "", *sides))
        return list(found.values())

    @property
    def stream_address(self) -> str:
        """Where a profile's stream is (GetStreamUri); "" where it says none."""
        return next((text_of(uri).strip() for uri in self._named("Uri")), "")

    def _named(self, name: str) -> Iterator[ElementTree.Element]:
        return (one for one in self._elements if name_of(one) == name)


def is_same_stream(said: str, path: str) -> bool:
    """Whether an address that a camera says is that of the stream with this `path` (and query); it may say more."""
    try:
        theirs = urlsplit(said)
    except ValueError:
        return False
    ours = urlsplit(path)
    asked = (
        set(parse_qsl(ours.query, keep_blank_values=True, max_num_fields=100)) if len(ours.query) < MOST_TEXT else set()
    )
    try:
        has = set(parse_qsl(theirs.query, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return False
    return theirs.path.rstrip("/") == ours.path.rstrip("/") and asked <= has


def _side(said: str) -> int:
    """Pixels; 0 for what is no number of them."""
    if not (said.isascii() and said.isdigit()) or len(said) > 5:
        return 0
    return int(said) if int(said) <= MOST_SIDE else 0
