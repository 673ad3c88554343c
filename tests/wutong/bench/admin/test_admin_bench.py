"""The benchmark of the pages of administration asks what those pages ask, of a center that has something to say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from wutong.bench.admin.measure import AdminPlan, measure, questions

pytestmark = pytest.mark.service


async def test_each_page_is_asked_and_what_was_missed_is_named(tmp_path: Path) -> None:
    figures = await measure(tmp_path, AdminPlan(people=100, rooms=10, lines=1_000, asks=4), Console(quiet=True))
    assert list(figures["kinds"]) == list(questions(datetime.now(UTC)))
    for one in figures["kinds"].values():
        assert 0 < one["p50_ms"] <= one["p95_ms"] <= one["max_ms"]
    slow = [kind for kind, one in figures["kinds"].items() if one["p95_ms"] > figures["wanted"]["p95_ms"]]
    assert figures["missed"] == slow
