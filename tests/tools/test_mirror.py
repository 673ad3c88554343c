"""uv goes where pip's settings of this machine send pip, unless it was told otherwise."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT


@pytest.mark.parametrize("section", ["global", "install"])
def test_the_mirror_of_the_whole_machine_s_pip_is_uv_s_too(section: str, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        f"[{section}]\nindex-url = http://mirror/simple\nproxy = http://proxy:1\n", "utf-8"
    )
    env = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "HOME": str(tmp_path)}
    script = "set -euo pipefail; . tools/mirror.sh; echo $UV_DEFAULT_INDEX $HTTPS_PROXY"
    for given, wanted in (
        ({}, "http://mirror/simple"),
        ({"UV_DEFAULT_INDEX": "http://own/simple"}, "http://own/simple"),
    ):
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, env=env | given, capture_output=True, text=True, timeout=60
        )
        assert done.stdout.split() == [wanted, "http://proxy:1"], done.stderr
