"""Events as rooms write them, to begin from."""

from __future__ import annotations

from collections.abc import Iterator

from sync.record.event import Event
from tests.support.peers.center_peers import event, opening, said

_MORE = (
    event(3, "segment", {"track": "bench", "index": 0, "file": "bench/00000.mp4", "bytes": 9, "sha256": "0" * 64,
                         "from_ns": 0, "to_ns": 10**9, "fragments": 5, "mime": "video/mp4"}),
    event(4, "gap", {"track": "bench", "from_ns": 1, "to_ns": 2, "reason": "device-lost"}),
    event(5, "alarm", {"code": "camera-lost", "text": "camera", "cleared": False}),
    event(6, "pause", {"reason": "休庭"}),
    event(7, "mark", {"id": "m1", "text": "质证", "at_ns": 10**12}),
    event(8, "revision", {"of": "u2", "text": "现在开庭。", "by": "clerk", "at_ns": 10**12}),
    event(9, "exhibit", {"id": "e1", "name": "借条", "filename": "a.pdf", "media_type": "application/pdf",
                         "sha256": "1" * 64, "bytes": 10, "pages": 1}),
    event(10, "present", {"exhibit": "e1", "page": 1}),
    event(11, "clock", {"offset_ns": -5, "error_ns": 10, "source": "chrony"}),
    event(12, "close", {}),
)  # fmt: skip


def messages() -> Iterator[dict[str, object]]:
    """As they are sent."""
    yield opening(1)
    yield said(2, "现在开庭")
    yield from _MORE


def events() -> Iterator[Event]:
    """As they are folded."""
    for message in messages():
        yield Event.from_json(message)
