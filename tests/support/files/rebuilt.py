"""The record rebuilt from what was published, and the other way round (docs/protocol.md, "Live units")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.media.access_unit import SampleRow, pack_fragment
from sync.media.fmp4 import BoxReader, Fragment, Init, parse_fragment
from sync.media.fragment_rows import sample_bytes, sample_rows
from sync.media.prft import ReferenceTime

Sample = tuple[int, bytes, int, int]
"""Decode time, bytes, flags and offset of a sample."""


@dataclass(frozen=True)
class Unit:
    """One live message of a track, as its envelope and payload say it."""

    init_id: int
    payload: bytes
    utc_ns: int


def samples(fragments: Sequence[Fragment], init: Init) -> list[Sample]:
    """All samples with the times at which they are decoded."""
    found: list[Sample] = []
    for fragment in fragments:
        at = fragment.decode_time
        for row, data in zip(sample_rows(fragment, init), fragment.samples(), strict=True):
            found.append((at, data, row.flags, row.offset))
            at += row.duration
    return found


def whole_file(data: bytes) -> tuple[Init, list[Fragment]]:
    """A segment's init and fragments."""
    init, *fragments = BoxReader().feed(data)
    assert isinstance(init, Init)
    return init, [one for one in fragments if isinstance(one, Fragment)]


def rebuilt_file(init: Init, kept: Sequence[Fragment], units: Sequence[Unit]) -> bytes:
    """A segment's bytes from its init, how many samples each of its fragments has, and the live units of its run."""
    parsed = [(parse_fragment(unit.payload, init), unit) for unit in units]
    place = next(n for n, (one, _) in enumerate(parsed) if one.decode_time == kept[0].decode_time)
    out = init.data
    for fragment in kept:
        rows: list[SampleRow] = []
        data = b""
        first, at = parsed[place][0].decode_time, parsed[place][0].decode_time
        utc_ns = parsed[place][1].utc_ns
        while len(rows) < len(fragment.sizes):
            one = parsed[place][0]
            assert one.decode_time == at
            rows += sample_rows(one, init)
            data += sample_bytes(one)
            place += 1
            ends = first + fragment.duration
            follows = len(rows) < len(fragment.sizes)
            if init.kind == "video":  # a picture lasts until the next one
                until = parsed[place][0].decode_time if follows else ends
                rows[-1] = rows[-1]._replace(duration=until - one.decode_time)
            at = first + sum(row.duration for row in rows)
        reference = ReferenceTime(init.table.track_id, utc_ns, first).pack()
        out += reference + pack_fragment(init.table.track_id, fragment.sequence, first, rows, data)
    return out


def rebuilt_units(init: Init, kept: Sequence[Fragment], units: Sequence[Unit]) -> list[Sample]:
    """What the units between the first and the last fragment of a segment say, in the order in which they came."""
    end = kept[-1].decode_time + kept[-1].duration
    between = [parse_fragment(unit.payload, init) for unit in units]
    return samples([one for one in between if kept[0].decode_time <= one.decode_time < end], init)
