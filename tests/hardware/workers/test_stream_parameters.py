"""A key frame that says another size than those before has an init segment made of it, in either codec."""

from __future__ import annotations

import subprocess
from typing import Literal

import pytest

from hardware.workers.stream_parameters import StreamParameters
from sync.errors import DeviceError
from sync.media.fmp4 import parse_init
from tests.support.files.durations import no_duration

Decoder = Literal["h264", "hevc"]
ENCODERS = {"h264": ["libx264"], "hevc": ["libx265", "-x265-params", "log-level=none"]}


def key_frame(size: str, decoder: Decoder) -> bytes:
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=s={size}",
        "-frames:v",
        "1",
        "-pix_fmt",
        "yuv420p",
    ]
    coded = [*command, "-c:v", *ENCODERS[decoder], "-preset", "ultrafast", "-f", decoder, "pipe:1"]
    return subprocess.run(coded, check=True, capture_output=True, timeout=60).stdout


@pytest.mark.parametrize("decoder", ["h264", "hevc"])
def test_only_another_size_needs_another_init(decoder: Decoder) -> None:
    small, large = key_frame("320x180", decoder), key_frame("640x360", decoder)
    parameters = StreamParameters(decoder)
    assert parameters.changed(small) is None, "the stream's own init says this"
    assert parameters.changed(small) is None
    init = parameters.changed(large)
    assert init is not None
    no_duration(init)
    table = parse_init(init).table
    assert (table.width, table.height, table.timescale) == (640, 360, 90_000)
    assert parse_init(init).decoder == decoder
    assert parameters.changed(large) is None
    back = parameters.changed(small)
    assert back is not None
    assert parse_init(back).table.width == 320


def test_a_key_frame_without_parameters_says_nothing_new() -> None:
    picture = key_frame("320x180", "h264")
    parameters = StreamParameters("h264")
    assert parameters.changed(picture) is None
    slices = picture[picture.rindex(b"\0\0\1") :]
    assert parameters.changed(slices) is None


def test_parameters_of_which_no_init_can_be_made_end_the_run() -> None:
    parameters = StreamParameters("h264")
    parameters.changed(key_frame("320x180", "h264"))
    with pytest.raises(DeviceError) as failed:
        parameters.changed(b"\0\0\1\x67\x42\0\0\1\x65\xff")
    assert failed.value.code == "stream"
