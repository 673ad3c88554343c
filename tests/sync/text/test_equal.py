"""What search takes for the same, here and in the pages: one list of examples for both."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sync.text.equal import fold

EXAMPLES = Path(__file__).parents[3] / "web" / "src" / "lib" / "fold.examples.json"


def test_the_examples_that_the_pages_are_held_to() -> None:
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    assert len(examples) > 10
    assert {text: fold(text) for text in examples} == examples


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


@given(st.text(), st.text())
def test_a_part_is_found_in_the_whole(before: str, part: str) -> None:
    """As far as no letter joins the one before it, which no search could part."""
    joined = fold(f"{before} {part}")
    assert joined.endswith(fold(part)) or joined == fold(before + part)
