"""A stream that does not say that its pictures keep their order: the live copy says it, the record never does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recorder.capture.live_copy import LiveCopy
from sync.media.access_unit import DELTA_FLAGS, KEY_FLAGS, SampleRow, pack_fragment
from sync.media.envelope import unpack_init
from sync.media.fmp4 import Fragment, Init, parse_fragment, parse_init
from sync.media.h264_config import H264Config, is_parameter_set, with_config
from sync.media.h264_sps import parse_sps, without_reordering
from sync.media.nal_units import prefixed_units
from tests.support.files.parameter_sets import BASELINE, MAIN, SetWriter, without_vui
from tests.support.files.rebuilt import whole_file
from tests.support.peers.scripted_rtsp import ScriptedCamera, encode
from tests.support.rooms.recorder_room import SIMULATED_MICS, RecorderRoom, profile_text
from wutong.bench.sync.simulated_world import init

SLICE = b"\x65\x88\x80\x10"


def described(sps: bytes) -> Init:
    config = H264Config(b"\1\x42\xc0\x1e\xff", (sps,), b"\1\0\4\x68\xce\x3c\x80").pack()
    return parse_init(with_config(parse_init(init("video", 90_000)), config))


def sample(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def picture(of: Init, decode_time: int, offset: int = 0) -> Fragment:
    data = sample(SLICE)
    row = SampleRow(3600, len(data), DELTA_FLAGS if decode_time else KEY_FLAGS, offset)
    return parse_fragment(pack_fragment(1, 1, decode_time, [row], data), of)


def test_init_and_parameters_before_a_key_frame_say_that_nothing_is_reordered() -> None:
    of = described(BASELINE)
    live = LiveCopy(of)
    (said,) = H264Config.parse(parse_init(live.init).table.config).sps
    assert said == without_reordering(BASELINE)
    assert live.picture(sample(BASELINE, SLICE), key_frame=True) == sample(said, SLICE)
    assert parse_init(live.init).mime == of.mime
    other = live.picture(sample(SLICE), key_frame=True)
    assert other == sample(SLICE)


@pytest.mark.parametrize("sps", [SetWriter(profile=77, vui=True, reordered=0).unit(), b"\x67nonsense"])
def test_what_says_it_already_and_what_is_not_understood_is_left_as_it_is(sps: bytes) -> None:
    of = described(sps)
    live = LiveCopy(of)
    assert live.init == of.data
    assert live.picture(sample(sps, SLICE), key_frame=True) == sample(sps, SLICE)


def test_a_stream_whose_lengths_are_short_is_left_as_it_is() -> None:
    """What is rewritten is longer than what was there, and one byte may not hold its length."""
    config = H264Config(b"\1\x42\xc0\x1e\xfc", (BASELINE,), b"\1\0\4\x68\xce\x3c\x80").pack()
    of = parse_init(with_config(parse_init(init("video", 90_000)), config))
    live = LiveCopy(of)
    assert live.init == of.data
    unit = bytes((len(BASELINE),)) + BASELINE
    assert live.picture(unit, key_frame=True) == unit


def test_a_stream_in_which_a_picture_was_reordered_is_left_as_it_is_from_then_on() -> None:
    of = described(MAIN)
    live = LiveCopy(of)
    assert live.init != of.data
    assert not live.see(picture(of, 0, 3600))
    assert not live.see(picture(of, 3600, 3 * 3600))
    assert live.see(picture(of, 7200, 0)), "shown before what came before it"
    assert live.init == of.data
    assert live.picture(sample(MAIN, SLICE), key_frame=True) == sample(MAIN, SLICE)
    assert not live.see(picture(of, 10_800, 0))


@pytest.mark.process
async def test_the_record_has_what_the_camera_sent(room_of: Callable[..., RecorderRoom]) -> None:
    pictures = [
        [without_vui(unit) if is_parameter_set(unit) else unit for unit in one] for one in encode("320x180", 25, 50)
    ]
    async with ScriptedCamera(pictures).running() as camera:
        bench = f'[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "rtsp"\nurl = "{camera.url}"\n'
        room = room_of(profile_text(SIMULATED_MICS, bench))
        await room.until(room.running, "it runs")
        room.say("open", case={}, seats=[], tracks=[])
        await room.pass_media("bench", 3)
        room.say("close")
        await room.closed("bench")
    live = parse_init(unpack_init(room.inits["bench"][-1].payload)[1])
    file, kept = whole_file(room.files("bench")[0].read_bytes())
    assert [parse_sps(one).reordered_frames for one in H264Config.parse(live.table.config).sps] == [0]
    assert [parse_sps(one).reordered_frames for one in H264Config.parse(file.table.config).sps] == [None]
    keys = [one for one in kept if one.key_frame]
    assert sets_of(keys, file) == {None}
    published = [parse_fragment(one.payload, live) for one in room.fragments["bench"] if one.key_frame]
    assert sets_of(published, live) == {0}
    for one in keys:
        again = next(unit for unit in published if unit.decode_time == one.decode_time)
        assert [unit for unit in units_of(one) if not is_parameter_set(unit)] == [
            unit for unit in units_of(again) if not is_parameter_set(unit)
        ]


def units_of(fragment: Fragment) -> list[bytes]:
    """Of its first picture."""
    return list(prefixed_units(next(fragment.samples()), 4))


def sets_of(fragments: list[Fragment], of: Init) -> set[int | None]:
    """What the parameter sets in these pictures say of the order."""
    assert of.kind == "video"
    return {parse_sps(unit).reordered_frames for one in fragments for unit in units_of(one) if is_parameter_set(unit)}
