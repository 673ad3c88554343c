"""What the recorder notices by looking and listening: frozen and black pictures, dead and overdriven microphones."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.clock.chrony import parse_tracking
from recorder.monitoring.channels import ChannelWatch, to_db
from recorder.monitoring.picture import PictureWatch
from sync.media.fmp4 import BoxReader, Fragment

S = 1_000_000_000


def key_frames(folder: Path, source: str, seconds: int = 14) -> list[StampedFragment]:
    command = f"-t {seconds} -c:v libx264 -preset ultrafast -tune zerolatency"
    options = "-g 5 -bf 0 -pix_fmt yuv420p -movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer"
    path = folder / "picture.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, *command.split(), *options.split(), str(path)],
        check=True,
    )
    reader = BoxReader()
    fragments = [i for i in reader.feed(path.read_bytes()) if isinstance(i, Fragment)]
    assert reader.init is not None
    run = WorkerRun(1, reader.init)
    return [StampedFragment(run, n, f.data, n * S, (n + 1) * S, n * S, True) for n, f in enumerate(fragments)]


def test_a_moving_picture_is_a_thumbnail_and_nothing_else(tmp_path: Path) -> None:
    watch = PictureWatch()
    looks = [watch.inspect(f) for f in key_frames(tmp_path, "testsrc2=s=640x360:r=5")]
    assert all(not look.troubles for look in looks)
    assert looks[0].jpeg is not None
    picture = cv2.imdecode(np.frombuffer(looks[0].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (180, 320, 3)


def test_a_picture_that_stands_still_for_ten_seconds_is_frozen(tmp_path: Path) -> None:
    watch = PictureWatch()
    looks = [watch.inspect(f) for f in key_frames(tmp_path, "smptebars=s=320x180:r=5", 18)]
    assert not any(look.troubles for look in looks[:10])
    assert looks[-1].troubles == {"frozen"}


def test_a_clock_that_runs_on_does_not_hide_a_frozen_sensor_and_a_person_does(tmp_path: Path) -> None:
    clock = "drawtext=font=DejaVu Sans Mono:text=%{localtime}.%{n}:fontsize=30:fontcolor=white:box=1:x=30:y=30"
    person = "drawtext=font=DejaVu Sans Mono:text=P:fontsize=60:fontcolor=red:x=600+2*n:y=360"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    frozen, lively = PictureWatch(), PictureWatch()
    for watch, extra, where in ((frozen, "", "a"), (lively, f",{person}", "b")):
        source = f"smptebars=s=1280x720:r=5,{clock}{extra}"
        looks = [watch.inspect(f) for f in key_frames(tmp_path / where, source, 18)]
        assert looks[-1].troubles == ({"frozen"} if watch is frozen else set())


def test_a_black_picture_is_black_at_once(tmp_path: Path) -> None:
    assert "black" in PictureWatch().inspect(key_frames(tmp_path, "color=black:s=320x180:r=5", 1)[0]).troubles


def test_a_picture_that_is_none_is_said(tmp_path: Path) -> None:
    good = key_frames(tmp_path, "testsrc2=s=320x180:r=5", 2)[0]
    at = good.data.index(b"mdat") + 4
    broken = StampedFragment(good.run, 0, good.data[:at] + bytes(len(good.data) - at), 0, S, 0, True)
    watch = PictureWatch()
    assert "undecodable" in watch.inspect(broken).troubles
    assert watch.inspect(good).troubles == frozenset()


def test_exact_zeros_for_five_seconds_are_a_dead_channel_and_the_least_noise_is_not() -> None:
    dead, live = ChannelWatch(), ChannelWatch()
    for tenth in range(60):
        dead.update(0, 0.0, tenth * S // 10)
        live.update(1, 0.0, tenth * S // 10)
        assert dead.silent == (tenth > 50)
    assert not live.silent
    dead.update(3, 0.0, 6 * S)
    assert not dead.silent


def test_a_wrong_gain_is_clipping_and_a_single_consonant_is_not() -> None:
    watch = ChannelWatch()
    watch.update(32_767, 0.002, 0)
    watch.update(32_767, 0.05, S)
    assert not watch.clipping
    for tenth in range(10, 14):
        watch.update(32_767, 0.05, tenth * S // 10)
    assert watch.clipping
    for second in range(2, 9):
        watch.update(2_000, 0.0, second * S)
    assert not watch.clipping


@pytest.mark.parametrize(("value", "db"), [(0, -90.0), (1, -90.0), (32_768, 0.0), (3_276.8, -20.0)])
def test_levels_are_in_decibels_below_full_scale(value: float, db: float) -> None:
    assert to_db(value) == db


def test_what_chrony_says_bounds_the_error_of_utc() -> None:
    text = "C0A80001,ntp.court,2,1795336613.4,0.000123,-0.0001,0.00005,-10.1,0.01,0.02,0.004,0.0005,64.2,Normal\n"
    source = parse_tracking(text)
    assert source.source == "chrony"
    assert source.error_ms == pytest.approx(0.123 + 0.5 + 2.0)
    assert parse_tracking(text.replace("Normal", "Not synchronised")).error_ms is None
    assert parse_tracking("506 Cannot talk to daemon").source == "free-running"
