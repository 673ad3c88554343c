"""Each line of the security checklist names tests that are there."""

from __future__ import annotations

import re

from tests.support.paths import ROOT

ROW = re.compile(r"^\| (\d+) \| .* \| .* \| (.*) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)`: ((?:`test_[a-z0-9_]+`(?:, )?)+)")


def test_every_line_has_tests_and_every_test_is_there() -> None:
    rows = dict(ROW.findall((ROOT / "docs/security.md").read_text(encoding="utf-8")))
    assert list(rows) == [str(line) for line in range(1, 27)]
    for line, cell in rows.items():
        named = NAMED.findall(cell)
        assert named, line
        assert "; ".join(f"`{file}`: {tests}" for file, tests in named) == cell, line
        for file, tests in named:
            text = (ROOT / file).read_text(encoding="utf-8")
            for test in re.findall(r"`(test_[a-z0-9_]+)`", tests):
                assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), f"{line}: {file} has no {test}"
