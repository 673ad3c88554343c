"""Sequence parameter sets of H.264: read to their end, and told that no picture is reordered, without losing a bit."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.codec.context import Flags
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import MediaError
from sync.media.fmp4 import Init, parse_init
from sync.media.h264_config import H264Config, with_config
from sync.media.h264_sps import parse_sps, without_reordering
from sync.media.nal_units import annex_b_units
from tests.support.files.parameter_sets import (
    BASELINE,
    HIGH,
    MAIN,
    SetWriter,
    parameter_sets,
    with_emulation,
    without_vui,
)
from wutong.bench.sync.simulated_world import init


def test_a_set_without_vui_gets_one_that_says_nothing_else() -> None:
    said = parse_sps(BASELINE)
    assert (said.profile, said.reference_frames, said.restriction_at, said.reordered_frames) == (66, 1, None, None)
    rewritten = without_reordering(BASELINE)
    assert rewritten is not None
    after = parse_sps(rewritten)
    assert (after.profile, after.reference_frames, after.reordered_frames) == (66, 1, 0)
    assert without_reordering(rewritten) is None


@pytest.mark.parametrize(("unit", "may"), [(BASELINE, False), (MAIN, True), (HIGH, True)])
def test_what_may_reorder_is_known(unit: bytes, may: bool) -> None:
    assert parse_sps(unit).may_reorder is may


def test_a_stream_that_says_how_far_it_reorders_is_left_alone() -> None:
    said = SetWriter(profile=77, frames=4, vui=True, reordered=2).unit()
    assert parse_sps(said).reordered_frames == 2
    assert without_reordering(said) is None


@given(parameter_sets())
def test_every_set_is_read_and_rewritten_in_that_one_place(made: SetWriter) -> None:
    unit = made.unit()
    said = parse_sps(unit)
    assert (said.profile, said.reference_frames, said.pic_order_type) == (made.profile, made.frames, made.order)
    assert said.reordered_frames == (made.reordered if made.vui else None)
    rewritten = without_reordering(unit)
    if said.reordered_frames is not None:
        assert rewritten is None
        return
    assert rewritten is not None
    expected = SetWriter(**{**vars(made), "vui": True, "reordered": 0, "held": max(made.frames, 1)})
    if not made.vui:
        expected.vui_bits = "0" * 8
    assert rewritten == expected.unit()
    assert b"\0\0\0" not in rewritten


@given(st.binary(max_size=80))
def test_whatever_else_comes_is_refused_or_read(data: bytes) -> None:
    for unit in (data, b"\x67" + data):
        try:
            parse_sps(unit)
            without_reordering(unit)
        except MediaError:
            continue


@given(parameter_sets(), st.integers(0, 7))
def test_a_set_that_is_cut_short_is_refused(made: SetWriter, cut: int) -> None:
    unit = made.unit()
    with pytest.raises(MediaError):
        parse_sps(unit[: max(len(unit) - 1 - cut, 0)])


def pictures() -> tuple[bytes, list[bytes]]:
    """The sets and the pictures of a stream of the main profile without B frames, as an encoder that says no VUI."""
    made = av.CodecContext.create("libx264", "w")
    assert isinstance(made, av.VideoCodecContext)
    made.width, made.height, made.pix_fmt, made.framerate = 64, 64, "yuv420p", Fraction(25)
    made.time_base = Fraction(1, 25)
    made.options = {"profile": "main", "bf": "0", "refs": "3", "tune": "zerolatency"}
    made.flags |= Flags.global_header
    frames = [np.full((96, 64), 10 * n, np.uint8) for n in range(8)]
    coded = [bytes(p) for f in frames for p in made.encode(av.VideoFrame.from_ndarray(f, format="yuv420p"))]
    sps, pps = annex_b_units(made.extradata or b"")
    bare = without_vui(sps)
    assert parse_sps(bare).reordered_frames is None
    return bare, [pps, *coded]


def held(sps: bytes, rest: list[bytes]) -> int:
    """How many pictures a decoder that goes by the standard takes before it lets the first one go."""
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.options = {"strict": "1"}
    decoder.thread_count = 1
    decoder.extradata = b"".join(b"\0\0\0\1" + unit for unit in (sps, rest[0]))
    for number, picture in enumerate(rest[1:]):
        if decoder.decode(av.Packet(picture)):
            return number
    return len(rest) - 1


def test_a_decoder_holds_pictures_of_the_stream_as_it_came_and_none_of_the_rewritten() -> None:
    sps, rest = pictures()
    rewritten = without_reordering(sps)
    assert rewritten is not None
    assert held(sps, rest) >= 3
    assert held(rewritten, rest) == 0


def test_an_init_keeps_all_but_its_sets() -> None:
    plain = parse_init(init("video", 90_000))
    config = H264Config(b"\1\x42\xc0\x1e\xff", (BASELINE,), b"\1\0\4\x68\xce\x3c\x80").pack()
    made = parse_init(with_config(plain, config))
    assert made.table.config == config
    assert H264Config.parse(config).pack() == config
    again = parse_init(with_config(made, plain.table.config))
    assert again.data == plain.data
    assert isinstance(made, Init)


@pytest.mark.parametrize("config", [b"", b"\1" * 6, b"\1\x42\xc0\x1e\xff\xe1\0\x09\x67", b"\2\x42\xc0\x1e\xff\xe0\0"])
def test_a_description_that_is_cut_short_is_refused(config: bytes) -> None:
    with pytest.raises(MediaError):
        H264Config.parse(config)


def test_emulation_prevention_is_taken_out_and_put_in_again() -> None:
    unit = SetWriter(profile=100, frames=3, vui=True, reordered=None, vui_bits="1" + "0" * 66).unit()
    assert with_emulation(unit.replace(b"\0\0\3", b"\0\0")) == unit
