"""What dpkg or an administrator runs: the shell reads it, and it refuses with words before any harm."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FOLDER = ROOT / "deploy/debian"
SCRIPTS = sorted(
    path
    for path in (*FOLDER.iterdir(), ROOT / "deploy/kiosk/session")
    if path.is_file() and path.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
)


def _release() -> str:
    found = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else ""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of one package that is none."""
    shutil.copy(FOLDER / "install.sh", tmp_path / "install.sh")
    (tmp_path / "RELEASE").write_text(f"{_release()}\n", encoding="ascii")
    (tmp_path / "wutong.deb").write_bytes(b"packed")
    sums = "".join(
        f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}  ./{name}\n"
        for name in ("RELEASE", "wutong.deb")
    )
    (tmp_path / "SHA256SUMS").write_text(sums, encoding="ascii")
    return tmp_path


def _refused(bundle: Path, *words: str) -> str:
    done = subprocess.run(["sh", str(bundle / "install.sh"), *words], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2, done.stdout
    return done.stderr


def test_the_shell_reads_every_script() -> None:
    assert len(SCRIPTS) > 12
    for script in SCRIPTS:
        done = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), script.name


def test_who_does_not_say_what_a_machine_is_to_be_is_told(bundle: Path) -> None:
    assert "./install.sh room kiosk" in _refused(bundle)
    assert "there is no 'court' here; say center, room or kiosk" in _refused(bundle, "court")


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root is refused before")
def test_another_release_and_a_changed_file_are_refused_before_anything_is_installed(bundle: Path) -> None:
    (bundle / "RELEASE").write_text("buzz\n", encoding="ascii")
    assert "is for Debian buzz" in _refused(bundle, "center")
    (bundle / "RELEASE").write_text(f"{_release()}\n", encoding="ascii")
    (bundle / "wutong.deb").write_bytes(b"something else")
    assert "a file is not what was packed; nothing was installed" in _refused(bundle, "center")
