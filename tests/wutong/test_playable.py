"""Segments joined into one MP4 play in sync in players that follow time stamps and in those that count samples."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pytest
from clapper_files import BEGIN_S, EPOCH_UTC_NS, EVERY_S, clap, stamp

from hardware.playable import groups, make
from sync.errors import MediaError
from wutong.bench.sync_score import beeps, flashes, offsets_ms, pictures, sound


def offsets(file: Path) -> np.ndarray:
    """Of each flash with its tone, as a player that only counts the samples of the sound hears it."""
    blocks = sound([file])
    counted, at = [], 0
    for time_s, rate, samples in blocks:
        assert at / rate == pytest.approx(time_s - blocks[0][0], abs=0.003)
        counted.append((blocks[0][0] + at / rate, rate, samples))
        at += len(samples)
    got = offsets_ms(flashes(*pictures([file])), beeps(counted), EVERY_S)
    assert len(got) >= 4
    return np.abs(got)


def test_what_begins_later_is_missing_or_drifts_stays_in_its_place(tmp_path: Path) -> None:
    picture, tone = clap(tmp_path)
    views = [stamp(picture, tmp_path / "v1.mp4", to_s=6), stamp(picture, tmp_path / "v2.mp4", from_s=6)]
    parts = [(0.8, 3.0), (5.0, 8.0), (8.0, 99.0)]  # begins late, and two seconds are missing
    heard = [stamp(tone, tmp_path / f"a{n}.mp4", from_s=a, to_s=b) for n, (a, b) in enumerate(parts)]
    made = make(views, heard, tmp_path / "out.mp4")
    assert made.from_ns == BEGIN_S * 10**9
    assert made.utc_ns == EPOCH_UTC_NS + made.from_ns
    assert offsets(made.path).max() < 8
    # and the other way round: the picture begins late and has a gap
    seen = [stamp(picture, tmp_path / f"w{n}.mp4", from_s=a, to_s=b) for n, (a, b) in enumerate([(2, 5), (7, 99)])]
    assert offsets(make(seen, [tone], tmp_path / "other.mp4").path).max() < 8


def test_the_drift_of_a_sound_card_is_taken_out_of_the_copy(tmp_path: Path) -> None:
    picture, tone = clap(tmp_path)
    slow = [stamp(picture, tmp_path / "v.mp4", ppm=-5000), stamp(tone, tmp_path / "a.mp4", ppm=-5000)]
    # Both devices are as slow as each other, 60 ms over the file: it fits only if the sound is stretched.
    assert offsets(make([slow[0]], [slow[1]], tmp_path / "out.mp4").path).max() < 15


def test_the_picture_is_copied_byte_for_byte(tmp_path: Path) -> None:
    picture, tone = clap(tmp_path)
    out = make([picture], [tone], tmp_path / "out.mp4").path

    def frames(file: Path) -> str:
        show = ["-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", "-"]
        done = subprocess.run(["ffmpeg", "-v", "error", "-i", str(file), *show], capture_output=True, check=True)
        return hashlib.sha256(done.stdout).hexdigest()

    assert frames(out) == frames(picture)


def test_a_track_alone_is_joined_too_and_nothing_is_refused(tmp_path: Path) -> None:
    picture, tone = clap(tmp_path)
    assert len(flashes(*pictures([make([picture], [], tmp_path / "v.mp4").path]))) >= 10
    assert len(beeps(sound([make([], [tone], tmp_path / "a.mp4").path]))) == 11
    with pytest.raises(MediaError, match="no recorded"):
        make([], [], tmp_path / "none.mp4")


def test_pictures_of_another_form_are_another_file(tmp_path: Path) -> None:
    picture, _ = clap(tmp_path)
    other = tmp_path / "other.mp4"
    command = "ffmpeg -v error -f lavfi -i testsrc2=s=320x180:r=25 -t 1 -c:v libx264 -bf 0 -pix_fmt yuv420p"
    subprocess.run(
        [*command.split(), "-movflags", "empty_moov+default_base_moof+frag_keyframe", str(other)], check=True
    )
    stamp(other, other)
    stamp(picture, picture, from_s=2)
    assert groups([picture, other]) == [[other], [picture]]
    with pytest.raises(MediaError, match="form"):
        make([picture, other], [], tmp_path / "out.mp4")
