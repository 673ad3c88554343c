"""Copies for players are in sync in players that follow time stamps and in those that count samples."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sync.media.fmp4 import index_file
from tests.support.files.clapper_files import BEGIN_S, EVERY_S, clap, stamp
from wutong.bench.sync.score import beeps, flashes, offsets_ms, pictures, sound
from wutong.export.player.remux import OFF_SAMPLES, parts_of, remux

BOUND_MS = OFF_SAMPLES / 48 + 8
"""What the copy allows itself, and what the scorer cannot tell."""


def copy(picture: Sequence[Path], tone: Sequence[Path], out: Path) -> Path:
    end_ns = max(index_file(file).fragments[-1].to_ns for file in [*picture, *tone])
    remux(picture, tone, BEGIN_S * 10**9, end_ns, out)
    return out


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


def test_what_begins_later_or_is_missing_stays_in_its_place(tmp_path: Path) -> None:
    picture, tone = clap(tmp_path, mix=True)
    views = [stamp(picture, tmp_path / "v1.mp4", to_s=6), stamp(picture, tmp_path / "v2.mp4", from_s=6)]
    parts = [(0.8, 3.0), (5.0, 8.0), (8.0, 99.0)]  # begins late, and two seconds are missing
    heard = [stamp(tone, tmp_path / f"a{n}.mp4", from_s=a, to_s=b) for n, (a, b) in enumerate(parts)]
    assert offsets(copy(views, heard, tmp_path / "out.mp4")).max() < BOUND_MS
    # and the other way round: the picture begins late and has a gap
    seen = [stamp(picture, tmp_path / f"w{n}.mp4", from_s=a, to_s=b) for n, (a, b) in enumerate([(2, 5), (7, 99)])]
    assert offsets(copy(seen, [tone], tmp_path / "other.mp4")).max() < BOUND_MS


def test_a_sound_card_that_runs_off_does_not_take_the_copy_with_it(tmp_path: Path) -> None:
    picture, tone = clap(tmp_path, mix=True)
    slow = [stamp(picture, tmp_path / "v.mp4", ppm=-5000), stamp(tone, tmp_path / "a.mp4", ppm=-5000)]
    # Both devices are as slow as each other, 60 ms over the file: more than any bound if nobody looked after it.
    assert offsets(copy([slow[0]], [slow[1]], tmp_path / "out.mp4")).max() < BOUND_MS


def test_the_picture_is_copied_byte_for_byte(tmp_path: Path) -> None:
    picture, tone = clap(tmp_path, mix=True)
    out = copy([picture], [tone], tmp_path / "out.mp4")

    def frames(file: Path) -> str:
        show = ["-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", "-"]
        done = subprocess.run(["ffmpeg", "-v", "error", "-i", str(file), *show], capture_output=True, check=True)
        return hashlib.sha256(done.stdout).hexdigest()

    assert frames(out) == frames(picture)


def test_pictures_of_another_form_are_another_part(tmp_path: Path) -> None:
    picture, _ = clap(tmp_path)
    other = tmp_path / "other.mp4"
    command = "ffmpeg -v error -f lavfi -i testsrc2=s=320x180:r=25 -t 1 -c:v libx264 -bf 0 -pix_fmt yuv420p"
    subprocess.run(
        [*command.split(), "-movflags", "empty_moov+default_base_moof+frag_keyframe", str(other)], check=True
    )
    stamp(other, other)
    stamp(picture, picture, from_s=2)
    parts = parts_of([(other, 0, 1), (picture, 2, 3), (picture, 3, 4)])
    assert [part.files for part in parts] == [(other,), (picture, picture)]
