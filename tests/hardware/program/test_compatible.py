"""The H.264 track that is made of a camera's: a key frame each second, however many pictures there are."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from hardware.profile import load_profile
from hardware.program import compatible
from hardware.program.camera import Picture
from hardware.program.compatible import CompatibleEncoder
from hardware.program.tile import TILE_FORM
from hardware.sources import sources
from recorder.capture import supervisor
from sync.media.fmp4 import BoxReader, Fragment, Init, parse_init
from sync.runtime.units import NS_PER_S
from tests.support.words.doctor_profile import PROFILE

WIDE, HIGH = 320, 180


def picture(at_ns: int, number: int, times: int = 1) -> Picture:
    wide, high = WIDE * times, HIGH * times
    luma = np.roll(np.tile(np.arange(wide).astype(np.uint8), (high, 1)), 3 * number, 1)
    chroma = np.full((high // 2, wide // 2), 128, np.uint8)
    return Picture(at_ns, (np.ascontiguousarray(luma), chroma, chroma))


@pytest.mark.parametrize("fps", [2, 5, 8, 25])
def test_key_frames_are_a_second_apart_at_any_rate(tmp_path: Path, fps: int) -> None:
    path = tmp_path / "made.mp4"
    media = os.open(path, os.O_WRONLY | os.O_CREAT)
    encoder = CompatibleEncoder(picture(NS_PER_S, 0), 25, media, NS_PER_S)
    for number in range(4 * fps):
        early_ns = number % 3 * 1_000_000  # no camera's pictures come to the microsecond
        encoder.write(picture(NS_PER_S + number * NS_PER_S // fps - (early_ns if number else 0), number), 0)
    with av.open(os.fspath(path)) as container:
        keys = [float((p.pts or 0) * (p.time_base or 0)) for p in container.demux(video=0) if p.size and p.is_keyframe]
    assert len(keys) == 4
    assert all(b - a == pytest.approx(1, abs=0.05) for a, b in pairwise(keys))


def test_pictures_of_another_size_go_on_behind_an_init_of_their_own_at_their_times(tmp_path: Path) -> None:
    path = tmp_path / "made.mp4"
    media = os.open(path, os.O_WRONLY | os.O_CREAT)
    encoder = CompatibleEncoder(picture(NS_PER_S, 0), 25, media, NS_PER_S)
    for number in range(20):
        one = picture(NS_PER_S + number * NS_PER_S // 25, number, 1 if number < 10 else 2)
        if not encoder.fits(one):
            encoder = CompatibleEncoder(one, 25, media, NS_PER_S)
        encoder.write(one, 0)
    items = list(BoxReader().feed(path.read_bytes()))
    inits = [(at, item.table.width) for at, item in enumerate(items) if isinstance(item, Init)]
    assert inits == [(0, WIDE), (11, 2 * WIDE)]
    units = [item for item in items if isinstance(item, Fragment)]
    assert [unit.decode_time for unit in units] == [number * 3600 for number in range(20)]
    assert [number for number, unit in enumerate(units) if unit.key_frame] == [0, 10]


@pytest.mark.parametrize(
    ("size", "small", "compatible_size"),
    [
        ((1920, 1080), (640, 360), (1280, 720)),
        ((1280, 720), (640, 360), (1280, 720)),
        ((2560, 1920), (480, 360), (1280, 960)),
        ((720, 1280), (202, 360), (720, 1280)),
        ((321, 241), (320, 240), (320, 240)),
    ],
)
def test_what_is_made_is_no_larger_than_its_form_and_never_larger_than_what_it_is_made_of(
    tmp_path: Path, size: tuple[int, int], small: tuple[int, int], compatible_size: tuple[int, int]
) -> None:
    wide, high = size
    planes = [np.zeros((h, w), np.uint8) for w, h in (size, *[((wide + 1) // 2, (high + 1) // 2)] * 2)]
    for form, wanted in ((TILE_FORM, small), (compatible.COMPATIBLE, compatible_size)):
        path = tmp_path / f"{form.widest}.mp4"
        media = os.open(path, os.O_WRONLY | os.O_CREAT)
        CompatibleEncoder(Picture(0, (planes[0], planes[1], planes[2])), 25, media, 0, form)
        table = parse_init(path.read_bytes()).table
        assert (table.width, table.height) == wanted


def test_a_camera_that_is_away_is_said_before_the_recorder_calls_the_track_stalled(tmp_path: Path) -> None:
    """Else the machine is said to be too weak, and the track stays off."""
    assert compatible.NONE_NS < supervisor.STALL_NS - supervisor.ADVANCE_NS
    path = tmp_path / "room.toml"
    camera = 'driver = "rtsp"\nurl = "rtsp://10.0.0.5/x"\ncompatible = true\n'
    path.write_text(PROFILE.format(mics="pyaudio", camera=camera, reserve=0), encoding="utf-8")
    first_s = {source.id: source.first_s for source in sources(load_profile(path), tmp_path)}
    assert first_s["bench-h264"] > compatible.FIRST_NS / NS_PER_S
    assert first_s["bench"] > 60 > first_s["mics"]
