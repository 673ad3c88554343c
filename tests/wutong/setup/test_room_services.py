"""What systemd is asked by who sets a room up; under a real one: tools/setup_checks.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync.errors import WutongError
from wutong.setup import services
from wutong.setup.services import BEFORE_PANEL, BEHIND_PANEL, TARGET, SystemdServices


async def test_the_target_is_started_with_the_last_of_its_services_so_that_it_stops_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def note(*words: str) -> None:
        asked.append(" ".join(words))

    monkeypatch.setattr(services, "_systemctl", note)
    systemd = SystemdServices(tmp_path / "room.toml")
    await systemd.start(BEFORE_PANEL)
    assert asked == [
        f"enable {TARGET}",  # and not started: the page has the panel's port
        "restart --no-block wutong-recorder.service wutong-signer.service wutong-uplink.service",
    ]
    asked.clear()
    await systemd.start(BEHIND_PANEL)
    assert asked == [
        f"enable {TARGET}",
        "restart --no-block wutong-edge.service wutong-transcriber.service",
        f"start --no-block {TARGET}",
    ]
    assert systemd.command == "", "nobody has to type anything"


@pytest.mark.process
async def test_what_systemd_says_against_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "systemctl"
    program.write_text("#!/bin/sh\necho 'Unit wutong-room.target not found.' >&2\nexit 5\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(WutongError, match=r"服务未能启动：Unit wutong-room\.target not found") as caught:
        await SystemdServices(tmp_path / "room.toml").start(BEFORE_PANEL)
    assert caught.value.code == "services"
