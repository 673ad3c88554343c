"""Small runs of `wutong bench sync`, and a scorer that sees what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from hardware.simulation.cue import Clapper, Stage, announce
from sync.errors import WutongError
from tests.support.files.clapper_files import EVERY_S, clap
from wutong.bench.sync import arrival, live
from wutong.bench.sync.measure import simulate
from wutong.bench.sync.score import beeps, flashes, offsets_ms, pictures, sound


@pytest.mark.parametrize(("ppm", "seed"), [(200, 1), (-200, 2)])
def test_a_quarter_of_an_hour_of_drift_jitter_and_a_clock_step_stays_within_the_bounds(ppm: float, seed: int) -> None:
    got = simulate(0.25, ppm, seed)
    assert abs(got["av_offset_ms_median"]) <= 10
    assert got["av_offset_ms_p99"] <= 20
    assert got["utc_error_ms_p99"] <= 20
    assert got["fragments_lost_or_altered"] == 0
    assert got["uncorrected_ms_max"] > 300  # there was something to correct
    assert 0 < got["clock_step_noticed_ms"] <= 1000


@pytest.mark.process
async def test_flash_and_tone_through_real_workers_are_one_moment_in_the_files(tmp_path: Path) -> None:
    got = await live.measure(tmp_path, 8, Console(quiet=True))
    assert abs(got["av_offset_ms_median"]) <= 20
    assert got["av_offset_ms_p99"] <= 40
    assert got["utc_error_ms_p99"] <= 40
    assert got["flashes"] >= 4


@pytest.mark.process
async def test_pictures_of_slow_network_cameras_are_compared_with_when_they_were_sent(tmp_path: Path) -> None:
    got = await arrival.measure(tmp_path, 5, Console(quiet=True))
    names = [f"fps{fps}" for fps in arrival.RATES]
    assert {name: count > 5 for name, count in got["fragments"].items()} == dict.fromkeys(names, True)
    assert all(f"late_ms_{what}_{name}" in got for name in names for what in ("median", "p99"))


@pytest.mark.parametrize("late_ms", [0.0, 65.0, -33.0])
def test_the_scorer_sees_an_offset_that_a_file_has(tmp_path: Path, late_ms: float) -> None:
    picture, tone = clap(tmp_path, late_ms)
    seen, heard = flashes(*pictures([picture])), beeps(sound([tone]))
    assert len(heard) == 11
    assert heard[0] == pytest.approx(5000.5, abs=0.002)  # the files' own time line
    got = offsets_ms(seen, heard, EVERY_S)
    assert len(got) >= 10
    assert np.abs(got - late_ms).max() < 6


@pytest.mark.process
def test_files_without_flash_or_sound_are_an_error_and_not_a_figure(tmp_path: Path) -> None:
    with pytest.raises(WutongError, match="no flash"):
        flashes(np.arange(100) / 25, np.full(100, 60.0))
    nothing = tmp_path / "nothing.mp4"
    nothing.write_bytes(b"nothing")
    with pytest.raises(WutongError, match="nothing"):
        pictures([nothing])


def test_a_clapperboard_is_seen_by_all_devices_alike(tmp_path: Path) -> None:
    path = tmp_path / "stage.json"
    announce(path, Clapper(1_000, 500, 100))
    stage = Stage(path)
    assert stage.poll()
    assert stage.play is None
    assert stage.clapper == Clapper(1_000, 500, 100)
    assert [stage.clapper.lit(at, at + 40) for at in (900, 980, 1_040, 1_080, 1_480)] == [0, 0.5, 1, 0.5, 0.5]
