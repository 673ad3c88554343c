"""What a browser's tab says on its WebSocket."""

from __future__ import annotations

from collections.abc import Iterator

from sync.http.live.gateway import MAX_WATCHED, Gateway, read_said
from sync.http.live.tab import LiveTab


def target(data: bytes) -> None:
    """A tab is closed with a `ValueError`; anything else would end what serves it without a word."""
    gateway = Gateway()
    tab = LiveTab()
    try:
        said = read_said(data.decode("utf-8", "replace"))
        watch = said.pop("watch", None)
        gateway._want(tab, said)
        if watch is not None:
            gateway._watch(tab, watch)
    except ValueError:
        return
    assert len(tab.watched) <= MAX_WATCHED
    assert sum(len(names) for names in tab.wanted.values()) <= 4 * MAX_WATCHED


def seeds() -> Iterator[bytes]:
    yield b'{"watch": ["court1/c03/bench", "court1/c03/mix"], "rooms": ["court1/c03"]}'
    yield b'{"watch": [], "rooms": [], "levels": true}'
    yield b'{"watch": {"a": 1}}'
