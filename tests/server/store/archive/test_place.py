"""A place in the archive is a text that browsers keep: what is none is refused in words, whatever it is."""

from __future__ import annotations

import base64
import json

import pytest

from server.store.archive.place import ArchivePlace
from sync.errors import WutongError

LARGEST = 2**63 - 1


def text_of(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "place",
    [
        ArchivePlace(5, 4, "h1"),
        ArchivePlace(LARGEST, -LARGEST, "庭审-" + "h" * 90),
        ArchivePlace(5, 4, "h1", -3, "u1"),
        ArchivePlace(5, 4, "h1").behind_timely(),
        ArchivePlace(5, 4, "h1").behind_line(3, "h2", 0, ""),
    ],
)
def test_what_was_said_is_read(place: ArchivePlace) -> None:
    assert ArchivePlace.read(place.said()) == place
    assert len(place.said()) <= 1200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%",
        "庭审",
        "WzE",
        "a" * 1200,
        text_of("text"),
        text_of({}),
        text_of([]),
        text_of([1, 2]),
        text_of([1, 2, "h", 3]),
        text_of([1, 2, "h", 3, "u", 6]),
        text_of([1, None, "h"]),
        text_of([1.5, 2, "h"]),
        text_of([True, 2, "h"]),
        text_of([2**63, 2, "h"]),
        text_of([1, -(2**64), "h"]),
        text_of([1, 2, 3]),
        text_of([1, 2, "h", None, "u"]),
        text_of([1, 2, "h", 3, 4]),
        text_of([1, 2, "h" * 400]),
        text_of([1, 2, "\ud800"]),
        text_of([1, 2, "h\0"]),
        text_of([1, 2, "h", 3, "u\n"]),
        text_of([[[[]]], 2, "h"]),
        base64.urlsafe_b64encode(b"[" * 900).decode(),
        base64.urlsafe_b64encode(b'[1e400,2,"h"]').decode(),
    ],
    ids=lambda text: text[:24] or "empty",
)
def test_what_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(WutongError) as refused:
        ArchivePlace.read(text)
    assert refused.value.code == "invalid"
