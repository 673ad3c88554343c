"""Counts in boxes that nobody here needs: whatever they claim, they cost their own bytes."""

from __future__ import annotations

import struct

import pytest

from sync.errors import MediaError
from sync.media.fmp4 import BoxReader, Fragment, Init
from tests.fuzz.seed_media import segments

ALL = 0xFFFF_FFFF
TABLE = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def box(kind: bytes, body: bytes) -> bytes:
    """A box."""
    return struct.pack(">I", 8 + len(body)) + kind + body


def claims(kind: bytes, *before: int) -> bytes:
    """A full box that says it has as many entries as a count can say, and has none."""
    return box(kind, struct.pack(f">I{len(before)}II", 0, *before, ALL))


def nested(depth: int) -> bytes:
    """Boxes in boxes."""
    whole = b""
    for _ in range(depth):
        whole = box(b"udta", whole)
    return whole


def with_box(data: bytes, path: tuple[bytes, ...], more: bytes) -> bytes:
    """`data` with a box more at the end of the one at `path`."""
    changed, at, parents = bytearray(data), 0, []
    for name in path:
        while changed[at + 4 : at + 8] != name:
            at += int.from_bytes(changed[at : at + 4])
        parents.append(at)
        at += 8
    end = parents[-1] + int.from_bytes(changed[parents[-1] : parents[-1] + 4])
    changed[end:end] = more
    for place in parents:
        changed[place : place + 4] = struct.pack(">I", int.from_bytes(changed[place : place + 4]) + len(more))
    return bytes(changed)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ((b"moov", b"trak"), box(b"edts", claims(b"elst"))),
        (TABLE, claims(b"stsz", 0)),
        (TABLE, claims(b"stsz", 1)),
        (TABLE, claims(b"ctts")),
        (TABLE, claims(b"stts")),
        (TABLE, claims(b"stsc")),
        (TABLE, claims(b"co64")),
        (TABLE, claims(b"sbgp", 0x726F6C6C)),
        (TABLE, claims(b"sgpd", 0x726F6C6C)),
        ((b"moov",), nested(20_000)),
        ((b"moov",), box(b"udta", b"\0" * 200_000)),
    ],
)
def test_a_table_that_nobody_reads_is_not_believed(path: tuple[bytes, ...], more: bytes) -> None:
    data = segments()[0]
    items = list(BoxReader().feed(with_box(data, path, more)))
    init = next(item for item in items if isinstance(item, Init))
    honest = next(item for item in BoxReader().feed(data) if isinstance(item, Init))
    assert init.table == honest.table
    assert sum(isinstance(item, Fragment) for item in items) > 1


@pytest.mark.parametrize(
    ("path", "more"),
    [
        (TABLE, claims(b"stsd")),
        ((b"moov",), b"".join(box(b"trak", b"") for _ in range(2000))),
        ((b"moov", b"mvex"), b"".join(box(b"trex", bytes(24)) for _ in range(2000))),
        ((b"moov",), struct.pack(">I", 7) + b"free"),
        ((b"moov",), struct.pack(">I", 1) + b"free" + struct.pack(">Q", 2**63)),
    ],
)
def test_what_makes_an_init_segment_say_two_things_is_refused(path: tuple[bytes, ...], more: bytes) -> None:
    with pytest.raises(MediaError):
        list(BoxReader().feed(with_box(segments()[0], path, more)))
