"""What a machine answers to the question for cameras (WS-Discovery)."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.discovery.probe_match import MOST_NAME, read_probe_match
from tests.support.peers.discovery_peer import probe_match

MESSAGE = "uuid:1"


def target(data: bytes) -> None:
    try:
        match = read_probe_match(data, MESSAGE, "192.0.2.7")
    except ValueError:
        return
    assert match.scheme in ("http", "https")
    assert 1 <= match.port <= 65_535
    for words in (match.name, match.model):
        assert len(words) <= MOST_NAME
        assert words.isprintable()


def seeds() -> Iterator[bytes]:
    yield probe_match(MESSAGE)
    yield probe_match(MESSAGE, "https://[fe80::1]/x http://192.0.2.7/onvif/device_service")
    yield probe_match(MESSAGE, scopes="onvif://www.onvif.org/name/%E5%AE%A1%0A%E5%88%A4")
    yield probe_match("uuid:2")
