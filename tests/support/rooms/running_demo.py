"""The real `wutong demo` as a child process on ports of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.ports import free_ports


@dataclass(frozen=True)
class Demo:
    """A running demo: its `demo.json` and the process."""

    summary: dict[str, Any]
    process: subprocess.Popen[str]
    data: Path

    @property
    def room(self) -> dict[str, Any]:
        """Addresses and codes of the first room."""
        first = self.summary["rooms"][0]
        assert isinstance(first, dict)
        return first


def run_demo(data: Path, *options: str) -> Iterator[Demo]:
    """Start `wutong demo`, wait until it serves, and stop it by Ctrl-C."""
    base = free_ports()
    command = [
        sys.executable,
        "-m",
        "wutong",
        "demo",
        "--headless",
        "--data",
        str(data),
        "--port-base",
        str(base),
        *options,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 90
        while not (data / "demo.json").exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "the demo does not serve"
            time.sleep(0.1)  # another process's file: there is no event to wait for
        yield Demo(json.loads((data / "demo.json").read_text(encoding="utf-8")), process, data)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
