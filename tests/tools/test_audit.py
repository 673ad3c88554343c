"""Known vulnerabilities of what is pinned: which lines count, what an index says, and where it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tools import audit


def test_every_pin_of_every_lock_is_asked_for_once() -> None:
    locks = sorted((ROOT / "locks").glob("*.lock"))
    wanted = audit.pins(locks)
    assert len(wanted) == len(set(wanted)) > 100
    names = {name for name, _ in wanted}
    assert {"fastapi", "cryptography", "uv", "hatchling", "sherpa-onnx", "atheris", "schemathesis"} <= names
    assert all(version[0].isdigit() for _, version in wanted)


def test_what_was_withdrawn_or_accepted_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {
        "vulnerabilities": [
            {
                "id": "PYSEC-1",
                "aliases": ["CVE-1"],
                "fixed_in": ["2.0", "1.9.1"],
                "summary": "evil\nmore",
                "withdrawn": None,
            },
            {"id": "PYSEC-2", "aliases": [], "fixed_in": [], "details": "odd", "withdrawn": "2026-01-01"},
            {"id": "PYSEC-3", "aliases": ["CVE-3"], "fixed_in": [], "details": "not ours"},
        ]
    }
    assert [a.id for a in audit.advisories("a", "1", answer)] == ["PYSEC-1", "PYSEC-3"]
    monkeypatch.setattr(audit, "ACCEPTED", {"CVE-3": "the function is not called"})
    [found] = audit.advisories("a", "1", answer)
    assert str(found) == "a 1: PYSEC-1 (mended in 2.0, 1.9.1) evil"
    assert [*audit.advisories("a", "1", {})] == [*audit.advisories("a", "1", {"vulnerabilities": None})] == []


@pytest.mark.parametrize(
    "index", ["https://index.example/simple", "https://index.example/simple/", "https://index.example"]
)
def test_the_json_is_asked_of_the_index_that_installs(index: str) -> None:
    assert audit.json_address(index, "a", "1.0") == "https://index.example/pypi/a/1.0/json"


def test_a_pin_is_a_line_with_two_equal_signs(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text("A.b==1.0 ; python_version < '4' \\\n    --hash=sha256:00\n# c==2\nd>=3\na.b==1.0\n")
    assert audit.pins([lock]) == [("a.b", "1.0")]


def test_a_mirror_that_knows_the_newest_alone_says_nothing_of_others() -> None:
    answer = {"info": {"version": "2.0"}, "vulnerabilities": []}
    assert audit.of_newest("2.0", answer) is answer
    with pytest.raises(ValueError, match=r"only 2\.0 is known"):
        audit.of_newest("1.0", answer)
    with pytest.raises(ValueError, match="nothing"):
        audit.of_newest("1.0", {})
