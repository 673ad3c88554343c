"""What a file of tests leaves open is told, even where something held it until another file's test let it go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

HOLDS = """
import builtins

class Holder:
    def __init__(self):
        self.file = open(__file__)
        self.itself = self

def test_holds():
    builtins.held_by_two_files = Holder()
"""
LETS_GO = """
import builtins

def test_lets_go():
    del builtins.held_by_two_files
"""


def test_what_one_file_opened_and_another_let_go_is_told_at_the_end(tmp_path: Path) -> None:
    for name, text in (("test_a.py", HOLDS), ("test_b.py", LETS_GO)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-c", "pyproject.toml", "--rootdir", "."]
    done = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "2 passed" in done.stdout
    assert "test_a.py" in done.stderr
