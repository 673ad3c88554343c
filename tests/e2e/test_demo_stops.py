"""Ctrl-C ends everything a demo started, within seconds and without a trace; so does its own death."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support.command_lines import command_line
from tests.support.ports import free_ports


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_behind(tmp_path: Path, how: signal.Signals) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "wutong", "demo", "--headless", "--manual", "--data", str(data)]
    demo = subprocess.Popen([*command, "--port-base", str(free_ports())], stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 90
        while not (data / "demo.json").exists():
            assert demo.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)  # another process's file: there is no event to wait for
        summary = json.loads((data / "demo.json").read_text(encoding="utf-8"))
        family = psutil.Process(demo.pid).children(recursive=True)
        assert {process.pid for process in family} >= set(summary["pids"].values())
        assert any("ffmpeg" in process.name() for process in family)
        secrets = [path.read_text().strip() for path in (data / "keys").iterdir()] + [
            str(code) for path in data.glob("*/codes.json") for code in json.loads(path.read_text()).values()
        ]
        assert len(secrets) >= 4
        commands = " ".join(map(command_line, family))
        assert not [secret for secret in secrets if secret in commands], "every account may read these"
        assert (data / "room-01" / "signer" / "device.key").stat().st_mode & 0o777 == 0o600
        assert not (data / "room-01" / "keys" / "device.key").exists()

        demo.send_signal(how)
        demo.communicate(timeout=10)
        _, alive = psutil.wait_procs(family, timeout=5)
        assert alive == []
        if how is signal.SIGINT:
            assert demo.returncode == 0
            assert not (data / "demo.json").exists()
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()
