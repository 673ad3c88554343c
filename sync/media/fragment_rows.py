"""What a fragment says of its samples, one by one: for whoever joins fragments or takes them apart."""

from __future__ import annotations

from sync.errors import MediaError
from sync.media.access_unit import DELTA_FLAGS, KEY_FLAGS, SampleRow
from sync.media.fmp4 import Fragment, Init
from sync.media.sample_tables import children, parse_fragment_samples


def sample_rows(fragment: Fragment, init: Init) -> list[SampleRow]:
    """A row for each sample, in order; the samples lie in `sample_bytes` one after the other."""
    if len(fragment.sizes) == 1:
        flags = KEY_FLAGS if fragment.key_frame else DELTA_FLAGS
        return [SampleRow(fragment.duration, fragment.sizes[0], flags, fragment.offset)]
    for name, start, end in children(fragment.data, 0, len(fragment.data)):
        if name == b"moof":
            rows: list[SampleRow] = []
            parse_fragment_samples(fragment.data, start, end, init.table, rows)
            return rows
    raise MediaError("a fragment lacks its moof box")


def sample_bytes(fragment: Fragment) -> bytes:
    """All its samples, one after the other."""
    return fragment.data[fragment.first_sample : fragment.first_sample + sum(fragment.sizes)]
