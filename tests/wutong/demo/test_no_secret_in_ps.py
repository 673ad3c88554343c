"""No password, token or code stands on a command line, where every account of the machine reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from wutong.demo.broker import account, write_config


def test_the_brokers_passwords_are_hashed_through_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, seen = subprocess.run, []

    def heard(command: list[str], **more: Any) -> Any:
        seen.append(list(command))
        return true(command, **more)

    monkeypatch.setattr("wutong.demo.broker.subprocess.run", heard)
    center, room = account(tmp_path / "keys", "center"), account(tmp_path / "keys", "jianshan/c03")
    write_config(tmp_path / "broker", 1883, center, {"jianshan/c03": room})
    written = (tmp_path / "broker" / "passwords").read_text()
    assert seen
    for one in (center, room):
        password = one.password_file.read_text()
        assert len(password) > 20
        assert not any(password in word for command in seen for word in command)
        assert password not in written
        assert f"{one.username}:$7$" in written
    assert (tmp_path / "broker" / "passwords").stat().st_mode & 0o077 == 0


_TAKES_A_SECRET = ("-b", "--password", "--pin", "-P")


def test_no_command_of_the_product_hands_a_secret_to_a_program_as_an_argument() -> None:
    """A word of the tree's commands that names a secret by its value, not by a file."""
    root = Path(__file__).resolve().parents[3]
    found = []
    for folder in ("edge", "hardware", "recorder", "server", "sync", "transcriber", "wutong"):
        for path in (root / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if "subprocess" not in text and "ChildProcess" not in text and "create_subprocess_exec" not in text:
                continue
            lines = text.splitlines()
            found += [
                f"{path.name}: {line.strip()}"
                for line in lines
                if any(f'"{option}"' in line for option in _TAKES_A_SECRET) and "typer" not in line
            ]
    assert found == []
