"""Other programs are as heavy as they say, and gone with their files when it is over."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from tests.support.peers.uplink_peers import until
from wutong.bench.load.programs import Load, other_programs

pytestmark = pytest.mark.process


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


async def test_as_many_programs_as_processors_each_weighed_apart_and_none_is_left() -> None:
    before = children()
    async with other_programs([Load.CPU]):
        busy = children() - before
        assert len(busy) == os.cpu_count()
        assert {os.getsid(pid) for pid in busy} == busy
    assert not children() - before


async def test_the_disk_is_written_in_three_ways_and_no_file_is_left(tmp_path: Path) -> None:
    before = children()
    async with other_programs([Load.DISK], tmp_path):
        (folder,) = tmp_path.iterdir()
        await until(lambda: {p.name for p in folder.iterdir() if p.stat().st_size} == {"random", "sequential", "copy"})
        assert len(children() - before) == 3
    assert not children() - before
    assert not list(tmp_path.iterdir())
