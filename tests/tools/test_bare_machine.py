"""On a Debian with nothing but make, git and certificates `make demo` holds a hearing, and says what it does.

The system is made by mmdebstrap, once a week; `make test-bare` runs the rest of the tests in it, too.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_MB = 800
"""Of `.venv`, in millions of bytes, after a hearing: what Python writes when it runs counts, too."""


def _in_bare_debian(command: str) -> tuple[int, str]:
    """The exit code and all output of a command of the project there."""
    with subprocess.Popen(
        ["tools/bare.sh", "bookworm", command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=480)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    return process.returncode, said


@pytest.mark.alone
@pytest.mark.timeout(500)
@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TRIED ON A BARE MACHINE: making one takes root (sudo make test)")
@pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="NOT TRIED ON A BARE MACHINE: mmdebstrap is missing")
def test_the_demo_starts_on_a_bare_debian_and_a_second_time_without_installing() -> None:
    demo = "make demo ARGS='--headless --seconds 12 --port-base 9400'"
    look = "du -s --block-size=1000000 .venv; ! command -v g++ c++ node npm pip uv; ls data/room-01"
    code, said = _in_bare_debian(f"{demo} && echo == once more && {demo} && {look} && wc -c .setup/setup.log")
    assert code == 0, said
    first, second = said.split("== once more\n")
    for run in (first, second):
        assert "五同 Wutong is serving" in run
        assert re.search("设备自检 — passed.*开庭 — ", run, re.DOTALL), run
        assert "stopped; the record stays in data" in run
    assert re.search("✓ Debian: 12 packages", first)
    assert "✓" not in second, "nothing is done twice"
    [venv_mb] = re.findall(r"(\d+)\s+\.venv\n", second)
    assert int(venv_mb) <= MOST_MB
    assert re.search("\\broom.db$", second, re.MULTILINE), second
    assert re.search(r" 0 \.setup/setup\.log", second), "the second log is empty"
