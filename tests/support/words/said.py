"""What a test lets people say, and what the checks find in it."""

from __future__ import annotations

import datetime as dt
import json

from edge.checks.finding import CheckedLine, Facts, Finding, facts_of
from edge.checks.registry import check
from tests.support import paths

CASE = {
    "case_no": "(2026)黑05民初123号",
    "cause": "民间借贷纠纷",
    "parties": {"审判长": "赵敏", "书记员": "孙丽", "原告": "张伟明", "被告": "李建国"},
}
SEATS = [
    {"id": "judge", "roles": ["审判长"]},
    {"id": "plaintiff", "roles": ["原告", "原告代理人"]},
    {"id": "defendant", "roles": ["被告"]},
    {"id": "clerk", "roles": ["书记员"]},
]
FACTS: Facts = facts_of(CASE, SEATS, ["借条"], dt.date(2026, 11, 22))
JUDGE, CLERK, PLAINTIFF, COUNSEL, DEFENDANT = "审判长", "书记员", "原告", "原告代理人", "被告"
HEARING = paths.HEARING / "reference.json"


def lines(*said: tuple[str, str]) -> list[CheckedLine]:
    """One line each, ten seconds apart, each role on a seat of its own."""
    return [
        CheckedLine(f"u{i}", role, text, role, i * 10_000_000_000, i * 10_000_000_000 + 5_000_000_000)
        for i, (role, text) in enumerate(said)
    ]


def found(*said: tuple[str, str], facts: Facts = FACTS) -> list[Finding]:
    """All findings, in the order of the text."""
    return [finding for _, finding in check(lines(*said), facts)]


def words(*said: tuple[str, str], facts: Facts = FACTS) -> list[tuple[str, str, str | None]]:
    """(kind, words, suggestion) of all findings."""
    return [(finding.kind, finding.words, finding.to) for finding in found(*said, facts=facts)]


def hearing() -> list[tuple[str, str]]:
    """The civil hearing of the demo, as it was really said."""
    reference = json.loads(HEARING.read_text(encoding="utf-8"))
    return [(str(one["role"]), str(one["text"])) for one in reference["utterances"]]
