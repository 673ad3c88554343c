"""Other work is as heavy as it says, and gone when it is over."""

from __future__ import annotations

import os

import psutil
import pytest

from wutong.bench.captions.other_work import burst


@pytest.mark.process
async def test_as_many_programs_as_processors_each_weighed_apart_and_none_is_left() -> None:
    before = {child.pid for child in psutil.Process().children()}
    async with burst():
        busy = {child.pid for child in psutil.Process().children()} - before
        assert len(busy) == os.cpu_count()
        assert {os.getsid(pid) for pid in busy} == busy
    assert not {child.pid for child in psutil.Process().children()} - before
