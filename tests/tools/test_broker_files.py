"""The broker's example files are what its policy says."""

from __future__ import annotations

import subprocess
import sys

from tests.support.paths import ROOT


def test_the_files_are_of_the_policy() -> None:
    command = [sys.executable, str(ROOT / "tools/make_broker.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout
