"""`wutong bench record`: its cameras are real RTSP cameras, and what it measures is what the recorder did."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from pathlib import Path

import av
import pytest
from rich.console import Console

from wutong.bench.record import measure
from wutong.bench.record.cameras import Film


def small_film(path: Path) -> None:
    command = "ffmpeg -v error -y -f lavfi -i testsrc2=s=640x360:r=25 -t 4 -c:v libx264 -preset ultrafast -g 25 -bf 0"
    subprocess.run([*command.split(), "-f", "h264", str(path)], check=True)


def shown(url: str) -> tuple[list[int], list[float]]:
    """(pictures' times in ms, their mean brightness) of two seconds of a camera."""
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=20) as container:
        stream = container.streams.video[0]
        times, means = [], []
        for frame in container.decode(stream):
            times.append(round(float((frame.pts or 0) * (stream.time_base or 0)) * 1000))
            means.append(float(frame.to_ndarray(format="gray").mean()))
            if len(times) == 50:
                return times, means
    return times, means


def test_a_bench_camera_sends_its_film_at_its_pace_to_several_at_once(tmp_path: Path) -> None:
    small_film(tmp_path / "film.h264")
    film = Film((tmp_path / "film.h264").read_bytes(), 25)
    assert len(film.pictures) == 100
    assert film.keys == [0, 25, 50, 75]
    server = subprocess.Popen(
        [sys.executable, "-m", "wutong.bench.record.cameras", str(tmp_path / "film.h264"), "25"], stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())

        async def both() -> list[tuple[list[int], list[float]]]:
            urls = [f"rtsp://127.0.0.1:{port}/{n}" for n in (0, 1)]
            return await asyncio.gather(*(asyncio.to_thread(shown, url) for url in urls))

        for times, means in asyncio.run(both()):
            assert len(means) == 50
            steps = [b - a for a, b in itertools.pairwise(times)]
            assert all(step == 40 for step in steps[5:])
    finally:
        server.kill()
        server.communicate()


async def test_the_figures_are_of_a_run_without_gaps_and_add_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "make_film", small_film)  # what is tested is the counting, not 1080p
    monkeypatch.setattr(measure, "SETTLE_S", 1.0)
    figures = await measure.measure(tmp_path, 6, Console(quiet=True))
    cost = figures["cpu_cores_by_process"]
    assert {"recorder", "microphones", "cameras", "sound_ffmpeg"} <= set(cost)
    assert figures["cpu_cores_mean"] == pytest.approx(sum(cost.values()), abs=0.002)
    assert all(value >= 0 for value in cost.values())
    assert (figures["gaps"], figures["restarts"]) == (0, 0)
    assert figures["segments"] >= 6
    assert figures["bytes_per_hour"] > 10_000_000
    assert figures["longest_disk_wait_ms"] > 0
    assert figures["rss_mib"] >= figures["pss_mib"] > 50
    media = sum(p.stat().st_size for p in (tmp_path / "data/hearings").rglob("*.mp4"))
    assert figures["bytes_per_hour"] / 3600 * figures["seconds"] <= media
