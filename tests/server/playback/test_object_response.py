"""What a header `Range` asks for of an object that is fetched."""

from __future__ import annotations

import pytest

from server.playback.object_response import stretch_of


@pytest.mark.parametrize(
    ("asked", "stretch"),
    [
        ("", (0, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=-", (0, 100)),
        ("bytes=1-2,5-6", (0, 100)),
        ("lines=1-2", (0, 100)),
        ("bytes=٣-٤", (0, 100)),
        ("bytes=99999999999999999999-", (0, 100)),
    ],
)
def test_one_range_is_a_stretch_and_anything_else_is_all_of_it(asked: str, stretch: tuple[int, int]) -> None:
    assert stretch_of(asked, 100) == stretch


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=20-10", "bytes=-0"])
def test_what_is_not_there_is_an_empty_stretch(asked: str) -> None:
    start, end = stretch_of(asked, 100)
    assert start >= end
