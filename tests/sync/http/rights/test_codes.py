"""What is kept of a code costs a thief as much as RFC 9106 asks for where memory is short: 64 MiB, three passes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sync.http.rights import people
from sync.http.rights.people import People
from tests.support import quick_codes


def test_what_is_kept_of_a_code_is_dear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PasswordHasher", quick_codes.DEAR)
    People.open(tmp_path / "access.json", {"clerk": "书记员"})
    kept = json.loads((tmp_path / "access.json").read_text())["codes"]["clerk"]["hash"]
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
