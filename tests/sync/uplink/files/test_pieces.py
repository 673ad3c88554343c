"""A body of pieces is read the same in any cut, and holds no more than it may, whatever it says of itself."""

from __future__ import annotations

import itertools
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.uplink.files.pieces import (
    MAGIC,
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    MAX_PIECES,
    PieceHeader,
    PieceReader,
    PiecesError,
    pack_piece,
    pack_pieces,
)


def header(**more: Any) -> PieceHeader:
    said = {"hearing": "h1", "kind": "segment", "track": "bench", "index": 0, "name": "bench/00000.mp4"}
    return PieceHeader.model_validate({**said, "offset": 0, "bytes": 0, **more})


def framed(value: Any, data: bytes = b"") -> bytes:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack(">H", len(text)) + text + data


def said(**more: Any) -> dict[str, Any]:
    return {**header().model_dump(exclude_none=True), **more}


def read(*parts: bytes, takes: bool = True) -> PieceReader:
    reader = PieceReader(lambda _: takes)
    for part in parts:
        reader.feed(part)
    return reader


def content(reader: PieceReader) -> list[tuple[int, int, bytes]]:
    return [(one.number, one.offset, b"".join(one.data)) for one in reader.take()]


BODY = pack_pieces(
    [
        (header(bytes=5), b"first"),
        (header(index=1, offset=2**40, length=2**40), b""),
        (header(kind="page", track="", name="页图/1@1.jpg", bytes=300), bytes(range(100)) * 3),
    ]
)
CONTENT = [(0, 0, b"first"), (1, 2**40, b""), (2, 0, bytes(range(100)) * 3)]


@given(st.lists(st.integers(0, len(BODY)), max_size=20))
def test_in_any_cut_it_is_the_same(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(BODY)]
    reader = read(*(BODY[a:b] for a, b in itertools.pairwise(ends)))
    assert content(reader) == CONTENT
    assert (reader.count, reader.unfinished, reader.held_bytes) == (3, None, 0)


@given(st.integers(0, len(BODY)))
def test_what_is_taken_in_the_middle_goes_on_behind_it(cut: int) -> None:
    reader = read(BODY[:cut])
    parts = content(reader)
    reader.feed(BODY[cut:])
    parts += content(reader)
    whole: dict[int, bytes] = {}
    for number, offset, data in parts:
        assert offset == CONTENT[number][1] + len(whole.get(number, b""))
        whole[number] = whole.get(number, b"") + data
    assert whole == {number: data for number, _, data in CONTENT}


def test_what_broke_off_is_known_as_unfinished_and_counts_as_far_as_it_came() -> None:
    reader = read(MAGIC, pack_piece(header(bytes=1000)), b"x" * 999)
    assert reader.unfinished == 0
    assert content(reader) == [(0, 0, b"x" * 999)]
    assert content(reader) == []


def test_what_is_not_taken_is_not_kept() -> None:
    reader = PieceReader(lambda one: one.kind != "selftest")
    reader.feed(pack_pieces([(header(kind="selftest", bytes=4), b"none"), (header(bytes=4), b"good")]))
    assert reader.refused == {0}
    assert reader.held_bytes == 4
    assert content(reader) == [(1, 0, b"good")]


def test_of_a_piece_that_found_no_place_nothing_more_is_kept() -> None:
    reader = read(MAGIC, pack_piece(header(bytes=8)), b"half")
    assert content(reader) == [(0, 0, b"half")]
    reader.refuse([0])
    reader.feed(b"rest" + pack_piece(header(index=1, bytes=4)) + b"next")
    assert content(reader) == [(1, 0, b"next")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"hearing": "../h1"},
        {"hearing": ""},
        {"kind": "../../x"},
        {"track": "a/b"},
        {"index": -1},
        {"index": "1"},
        {"index": 10**12},
        {"offset": -1},
        {"offset": "0"},
        {"offset": 2**63 - 1},
        {"length": -1},
        {"name": "n" * 301},
        {"kind": None},
    ],
    ids=str,
)
def test_a_header_that_names_no_file_spoils_its_own_piece_alone(wrong: dict[str, Any]) -> None:
    reader = read(MAGIC, framed(said(bytes=3, **wrong), b"bad"), framed(said(bytes=4), b"good"))
    assert reader.refused == {0}
    assert content(reader) == [(1, 0, b"good")]


@pytest.mark.parametrize(
    "body",
    [
        b"GET / HTTP/1.1",
        MAGIC + struct.pack(">H", 0),
        MAGIC + struct.pack(">H", MAX_HEADER_BYTES + 1),
        MAGIC + framed(b"{" * 40),
        MAGIC + framed(b"[]"),
        MAGIC + framed(b'"bytes"'),
        MAGIC + framed(said(bytes=-1)),
        MAGIC + framed(said(bytes=True)),
        MAGIC + framed(said(bytes="5")),
        MAGIC + framed(said(bytes=MAX_BODY_BYTES + 1)),
        MAGIC + framed(b'{"bytes": 1, "bytes": 2}'),
        MAGIC + framed(said(bytes=1), b"xyz" * 1000),
    ],
)
def test_what_is_no_body_of_pieces_is_refused(body: bytes) -> None:
    with pytest.raises(PiecesError):
        read(body)


def test_a_hundred_thousand_tiny_pieces_are_refused_before_most_are_looked_at() -> None:
    one = pack_piece(header(bytes=1)) + b"x"
    reader = read(MAGIC, one * MAX_PIECES)
    assert reader.count == MAX_PIECES
    with pytest.raises(PiecesError):
        reader.feed(one * 1000)
    assert reader.count == MAX_PIECES


def test_a_name_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(PiecesError):
        pack_piece(header(name="\u0001" * 300, hearing="h" * 96, track="t" * 64, kind="k" * 16, offset=2**62))
