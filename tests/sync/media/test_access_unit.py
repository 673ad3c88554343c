"""Fragments that we write ourselves are read by everybody, and say what was given."""

from __future__ import annotations

import io

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import MediaError
from sync.media.access_unit import DELTA_FLAGS, KEY_FLAGS, SampleRow, StageStamps, WorkerStamps, pack_fragment
from sync.media.fmp4 import BoxReader, Fragment, Init, parse_fragment
from sync.media.fragment_rows import sample_bytes, sample_rows
from sync.media.nal_units import annex_b_units, length_prefixed, prefixed_units
from sync.media.prft import ReferenceTime
from tests.fuzz.seed_media import segments
from wutong.bench.sync.simulated_world import init

rows = st.lists(
    st.builds(
        SampleRow,
        st.integers(0, 2**32 - 1),
        st.integers(1, 300),
        st.sampled_from([KEY_FLAGS, DELTA_FLAGS]),
        st.integers(-(2**31), 2**31 - 1),
    ),
    min_size=1,
    max_size=8,
)


@given(rows, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_what_is_written_is_read(said: list[SampleRow], decode_time: int, number: int) -> None:
    data = bytes(range(256)) * 10
    data = data[: sum(row.size for row in said)]
    read = BoxReader()
    begins, *found = read.feed(init("video", 90_000) + pack_fragment(1, number, decode_time, said, data))
    assert isinstance(begins, Init)
    (fragment,) = found
    assert isinstance(fragment, Fragment)
    assert sample_rows(fragment, begins) == said
    assert sample_bytes(fragment) == data
    assert (fragment.decode_time, fragment.sequence, fragment.offset) == (decode_time, number, said[0].offset)
    assert fragment.key_frame == (said[0].flags == KEY_FLAGS)


def test_a_fragment_of_others_is_written_anew_with_the_same_samples() -> None:
    for segment in segments():
        begins, *found = BoxReader().feed(segment)
        assert isinstance(begins, Init)
        for one in found:
            assert isinstance(one, Fragment)
            again = pack_fragment(1, one.sequence, one.decode_time, sample_rows(one, begins), sample_bytes(one))
            read = parse_fragment(again, begins)
            assert list(read.samples()) == list(one.samples())
            assert (read.duration, read.key_frame, read.offset) == (one.duration, one.key_frame, one.offset)


def test_another_program_decodes_what_was_written() -> None:
    begins, *found = BoxReader().feed(segments()[0])
    assert isinstance(begins, Init)
    data = begins.data
    for one in found:
        assert isinstance(one, Fragment)
        data += StageStamps(1000, 2000).pack() + ReferenceTime(1, 10**18, one.decode_time).pack()
        data += pack_fragment(1, one.sequence, one.decode_time, sample_rows(one, begins), sample_bytes(one))
    with av.open(io.BytesIO(data), "r") as container:
        assert len(list(container.decode(video=0))) == sum(len(one.sizes) for one in found if isinstance(one, Fragment))


def test_samples_that_are_not_what_is_said_of_them_are_refused() -> None:
    with pytest.raises(MediaError):
        pack_fragment(1, 1, 0, [SampleRow(1, 5, KEY_FLAGS, 0)], b"four")
    with pytest.raises(MediaError):
        pack_fragment(1, 1, 1 << 64, [SampleRow(1, 1, KEY_FLAGS, 0)], b"x")


def test_a_worker_says_when_a_picture_was_taken_and_what_was_lost_before_it() -> None:
    said = WorkerStamps(12, 34, 56)
    unit = pack_fragment(1, 1, 0, [SampleRow(1, 1, KEY_FLAGS, 0)], b"x")
    other = b"\0\0\0\x30uuid" + bytes(40)
    _, first, second = BoxReader().feed(init("video", 90_000) + said.pack() + other + unit + unit)
    assert isinstance(first, Fragment)
    assert isinstance(second, Fragment)
    assert first.stamps == said
    assert second.stamps is None


@pytest.mark.parametrize("place", range(3))
def test_moments_that_no_clock_has_are_refused(place: int) -> None:
    moments = [7, 7, 7]
    moments[place] = (1 << 64) - 1
    with pytest.raises(MediaError, match="moment"):
        WorkerStamps.parse(WorkerStamps(*moments).pack())


def test_the_stages_of_a_live_unit_stand_at_its_beginning() -> None:
    assert StageStamps.of(StageStamps(7, 9).pack() + b"more") == StageStamps(7, 9)
    assert StageStamps.of(StageStamps(-5, 1 << 40).pack()) == StageStamps(0, 0xFFFFFFFF)
    assert StageStamps.of(WorkerStamps(1, 2).pack()) is None
    assert StageStamps.of(b"") is None


@given(st.lists(st.binary(min_size=1, max_size=20).filter(lambda unit: b"\0\0" not in unit and unit[-1] and unit[0])))
def test_units_are_the_same_with_start_codes_and_with_lengths(units: list[bytes]) -> None:
    coded = b"".join(b"\0" * (n % 2) + b"\0\0\1" + unit for n, unit in enumerate(units))
    assert annex_b_units(coded) == units
    if units:
        assert list(prefixed_units(length_prefixed(coded), 4)) == units
    else:
        with pytest.raises(MediaError):
            length_prefixed(coded)
