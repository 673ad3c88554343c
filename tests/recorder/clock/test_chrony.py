"""chrony is asked by a process that nobody is left with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from recorder.clock import chrony
from tests.support.peers.center_peers import until

pytestmark = pytest.mark.process


async def test_a_chronyc_that_does_not_answer_is_ended_with_who_asked_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "chronyc"
    silent.write_text("#!/bin/sh\nexec sleep 1000\n", encoding="ascii")
    silent.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    others = set(psutil.Process().children())
    asking = asyncio.create_task(chrony.query())
    await until(lambda: set(psutil.Process().children()) - others)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert set(psutil.Process().children()) == others
