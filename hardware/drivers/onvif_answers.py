"""What a camera answers by ONVIF, read strictly: it is XML from a stranger.

Refused, with `ValueError`: what is no UTF-8, what declares document types or entities, more than `MOST_BYTES` or
`MOST_ELEMENTS`. Of an address only the path is taken, never the host: no camera sends anybody elsewhere. Elements are
known by their own names alone, since makers write other versions of the namespaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

MOST_BYTES = 256 * 1024
MOST_ELEMENTS = 20_000
MOST_TEXT = 1_000
MOST_PROFILES = 16
MOST_TOKEN = 64
"""Characters of a token (ONVIF core, ReferenceToken)."""
_DECLARED = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_PATH = re.compile(r"/[!-~]*")


class OnvifAnswer:
    """One answer."""

    def __init__(self, data: bytes) -> None:
        """`ValueError` where it is no answer."""
        if len(data) > MOST_BYTES:
            raise ValueError("the answer has no end")
        text = data.decode("utf-8")
        if _DECLARED.search(text):
            raise ValueError("the answer declares a document type")
        try:
            root = ElementTree.fromstring(text)  # noqa: S314 (no types, no entities, bounded)
        except ElementTree.ParseError as error:
            raise ValueError("the answer is no XML") from error
        self._elements = list(root.iter())
        if len(self._elements) > MOST_ELEMENTS:
            raise ValueError("the answer has too many parts")

    def has(self, name: str) -> bool:
        """Whether there is an element of this name."""
        return next(self._named(name), None) is not None

    @property
    def is_refused_sign_in(self) -> bool:
        """A fault that says that user or password are not right."""
        values = "".join(_text(one) for one in self._elements if _name(one) == "Value")
        return self.has("Fault") and "NotAuthorized" in values

    @property
    def utc(self) -> datetime | None:
        """The camera's clock (GetSystemDateAndTime); None where it says none that there is."""
        for whole in self._named("UTCDateTime"):
            said = {_name(one): _text(one) for one in whole.iter()}
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
                if _name(address) == "XAddr":
                    path = urlsplit(_text(address)).path
                    if _PATH.fullmatch(path):
                        return path
        raise ValueError("the camera has no Media service")

    @property
    def profile_tokens(self) -> list[str]:
        """Its profiles (GetProfiles), in its order."""
        said = [one.get("token", "") for one in self._named("Profiles")]
        return [token for token in said if 0 < len(token) <= MOST_TOKEN and token.isprintable()][:MOST_PROFILES]

    @property
    def stream_address(self) -> str:
        """Where a profile's stream is (GetStreamUri); "" where it says none."""
        return next((_text(uri).strip() for uri in self._named("Uri")), "")

    def _named(self, name: str) -> Iterator[ElementTree.Element]:
        return (one for one in self._elements if _name(one) == name)


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


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: ElementTree.Element) -> str:
    return (element.text or "")[:MOST_TEXT]
