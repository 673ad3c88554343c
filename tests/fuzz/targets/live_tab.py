"""What a browser's tab says on its WebSocket."""

from __future__ import annotations

from collections.abc import Iterator

from sync.http.live.gateway import MAX_WATCHED, Gateway, read_said
from sync.http.live.tab import LiveTab


def target(data: bytes) -> None:
    """A tab is closed with a `ValueError`; anything else would end what serves it without a word."""
    gateway = Gateway()
    tab = LiveTab()
    gateway.join(tab, [])
    try:
        gateway.hear(tab, read_said(data.decode("utf-8", "replace")))
    except ValueError:
        return
    assert len(tab.watched) <= MAX_WATCHED
    assert len(gateway.audience.rooms_wanted) <= 2 * MAX_WATCHED
    gateway.audience.leave(tab)
    assert not gateway.audience.rooms_wanted
    assert sum(len(names) for names in tab.wanted.values()) <= 4 * MAX_WATCHED


def seeds() -> Iterator[bytes]:
    yield b'{"watch": ["court1/c03/bench", "court1/c03/mix"], "rooms": ["court1/c03"]}'
    yield b'{"watch": [], "rooms": [], "levels": true}'
    yield b'{"sight": ["court1/c03", "court1/c04"], "whole": true}'
    yield b'{"watch": {"a": 1}}'
