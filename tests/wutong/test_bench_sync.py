"""Small runs of `wutong bench sync`, and a scorer that sees what is wrong with a file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from hardware.stage import Clapper, Stage, announce
from sync.boxes import BoxReader, Init, retime
from sync.errors import WutongError
from wutong.bench import sync_live
from wutong.bench.sync import simulate
from wutong.bench.sync_score import beeps, flashes, offsets_ms, pictures, sound

EVERY_S = 1.013


@pytest.mark.parametrize(("ppm", "seed"), [(200, 1), (-200, 2)])
def test_a_quarter_of_an_hour_of_drift_jitter_and_a_clock_step_stays_within_the_bounds(ppm: float, seed: int) -> None:
    got = simulate(0.25, ppm, seed)
    assert abs(got["av_offset_ms_median"]) <= 10
    assert got["av_offset_ms_p99"] <= 20
    assert got["utc_error_ms_p99"] <= 20
    assert got["fragments_lost_or_altered"] == 0
    assert got["uncorrected_ms_max"] > 300  # there was something to correct
    assert 0 < got["clock_step_noticed_ms"] <= 1000


async def test_flash_and_tone_through_real_workers_are_one_moment_in_the_files(tmp_path: Path) -> None:
    got = await sync_live.measure(tmp_path, 8, Console(quiet=True))
    assert abs(got["av_offset_ms_median"]) <= 20
    assert got["av_offset_ms_p99"] <= 40
    assert got["utc_error_ms_p99"] <= 40
    assert got["flashes"] >= 4


def _clap(folder: Path, late_ms: float) -> tuple[list[Path], list[Path]]:
    """A picture and a sound file; the picture is late. Both begin at 5000 s."""
    seconds, fps, rate = 6, 25, 16_000
    begins = np.arange(0.5, seconds - 1, EVERY_S)
    frames = []
    for number in range(seconds * fps):
        end = number / fps - late_ms / 1000
        lit = np.minimum(end, begins + 0.16) - np.maximum(end - 1 / fps, begins)
        share = float(np.clip(lit.max() * fps, 0, 1))
        frames.append(np.full((36, 64), 60 + (235 - 60) * share, np.uint8))
    at = np.arange(seconds * rate) / rate
    into = (at - begins[0]) % EVERY_S
    pcm = np.where((at >= begins[0]) & (into < 0.16) & (at < begins[-1] + 0.2), 9000 * np.sin(6283.19 * into), 0)
    picture, tone = folder / "v.mp4", folder / "a.mp4"
    head = ["ffmpeg", "-v", "error"]
    tail = ["-movflags", "empty_moov+default_base_moof", "-frag_duration", "200000"]
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "64x36", "-r", str(fps), "-i", "-"]
    subprocess.run(
        [*head, *raw, "-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p", *tail, str(picture)],
        input=np.stack(frames).tobytes(),
        check=True,
    )
    raw = ["-f", "s16le", "-ar", str(rate), "-ac", "1", "-i", "-"]
    flac = ["-c:a", "flac", "-strict", "-2"]
    subprocess.run([*head, *raw, *flac, *tail, str(tone)], input=pcm.astype("<i2").tobytes(), check=True)
    return [_moved(picture)], [_moved(tone)]


def _moved(file: Path) -> Path:
    """The file with media time from 5000 s on, as a room's has."""
    reader = BoxReader()
    data = b""
    for item in reader.feed(file.read_bytes()):
        if isinstance(item, Init):
            data += item.data
        else:
            assert reader.init is not None
            data += retime(item, reader.init, item.decode_time + 5000 * reader.init.timescale, 1).data
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("late_ms", [0.0, 65.0, -33.0])
def test_the_scorer_sees_an_offset_that_a_file_has(tmp_path: Path, late_ms: float) -> None:
    pictured, sounded = _clap(tmp_path, late_ms)
    seen, heard = flashes(*pictures(pictured)), beeps(sound(sounded))
    assert len(heard) == 5
    assert heard[0] == pytest.approx(5000.5, abs=0.002)  # the files' own time line
    got = offsets_ms(seen, heard, EVERY_S)
    assert len(got) >= 4
    assert np.abs(got - late_ms).max() < 6


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
    assert stage.look()
    assert stage.play is None
    assert stage.clapper == Clapper(1_000, 500, 100)
    assert [stage.clapper.lit(at, at + 40) for at in (900, 980, 1_040, 1_080, 1_480)] == [0, 0.5, 1, 0.5, 0.5]
