"""`wutong bench soak` finds what grows: lines through samples that are made here, and folders that fill."""

from __future__ import annotations

from pathlib import Path

import pytest

from wutong.bench.soak.disk import AHEAD_BYTES, LEFT_OVER, SMALL_BYTES, DiskWatch
from wutong.bench.soak.growth import Held, SoakSamples

MIB = 2**20


def samples(*held: Held, every_s: float = 60) -> SoakSamples:
    return SoakSamples([n * every_s for n in range(len(held))], list(held))


def test_a_process_that_breathes_leaks_nothing() -> None:
    breathing = samples(*(Held((100 + n % 3) * MIB, 20 + n % 2, 8, 1) for n in range(60)))
    assert not breathing.growth(600).leaks


@pytest.mark.parametrize("step", [Held(MIB, 0, 0, 0), Held(0, 1, 0, 0), Held(0, 0, 1, 0), Held(0, 0, 0, 1)])
def test_each_thing_that_grows_is_found(step: Held) -> None:
    growing = samples(*(Held(*(100 + n * one for one in step)) for n in range(30)))
    assert growing.growth(600).leaks


def test_what_the_warm_up_takes_is_not_counted() -> None:
    held = [Held((50 + min(n, 10) * 20) * MIB, min(n, 10) * 5, min(n, 10) * 3, 0) for n in range(60)]
    assert samples(*held).growth(0).leaks
    assert not samples(*held).growth(660).leaks


def test_a_record_and_a_database_that_grow_by_the_hearing_are_no_leak(tmp_path: Path) -> None:
    watch = DiskWatch(tmp_path)
    for name in ("hearings/h", "objects/a", "uploads", "keys"):
        (tmp_path / name).mkdir(parents=True)
    for hearing in range(30):
        (tmp_path / "hearings/h" / f"{hearing}.mp4").write_bytes(bytes(1000))
        (tmp_path / "objects/a" / f"{hearing}").write_bytes(bytes(1000))
        (tmp_path / "room.db").write_bytes(bytes(100_000 * hearing))
        watch.poll(hearing)
    assert watch.leaking() == []
    assert watch.figures()["other_files_growth"] == 0


def test_files_and_uploads_that_are_left_and_a_database_that_grows_by_its_square_are_found(tmp_path: Path) -> None:
    watch = DiskWatch(tmp_path)
    (tmp_path / "uploads").mkdir()
    for hearing in range(60):
        (tmp_path / f"left-{hearing}.tmp").touch()
        (tmp_path / "uploads" / f"{hearing:032}").touch()
        with (tmp_path / "center.db").open("wb") as database:
            database.truncate(SMALL_BYTES * hearing**3)
        with (tmp_path / "center.db-wal").open("wb") as ahead:
            ahead.truncate(AHEAD_BYTES // 50 * hearing)
        watch.poll(hearing)
    assert LEFT_OVER < 60 * 2 / 3
    assert watch.leaking() == ["center.db", "center.db (written ahead)", "files", "uploads"]
