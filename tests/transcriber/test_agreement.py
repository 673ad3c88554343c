"""Captions never take back what they committed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transcriber.agreement import Agreement

passes = st.lists(st.text(alphabet="原告被称，。 a1", max_size=20), max_size=8)


def test_two_passes_that_agree_commit_all_but_the_last_character() -> None:
    agreement = Agreement()
    agreement.take("请全体起")
    assert agreement.stable == 0
    assert agreement.take("请全体起立请") == "请全体起立请"
    assert agreement.stable == 4


def test_punctuation_at_the_end_is_not_committed() -> None:
    agreement = Agreement()
    agreement.take("现在开庭。今")
    agreement.take("现在开庭。本")
    assert agreement.stable == len("现在开庭")


def test_a_pass_that_hears_the_beginning_otherwise_keeps_what_was_committed() -> None:
    agreement = Agreement()
    for heard in ("原告请求偿还", "原告请求偿还借款", "被告请求偿还借款本金"):
        shown = agreement.take(heard)
    assert shown == "原告请求偿还借款本金"


@given(passes)
def test_committed_text_only_grows(heard: list[str]) -> None:
    agreement = Agreement()
    committed = ""
    for text in heard:
        shown = agreement.take(text)
        assert shown.startswith(committed)
        assert len(committed) <= agreement.stable <= max(len(shown), len(committed))
        committed = shown[: agreement.stable]


@given(st.text(alphabet="原告被称，。", min_size=1, max_size=20))
def test_the_same_pass_again_changes_nothing(text: str) -> None:
    agreement = Agreement()
    assert agreement.take(text) == agreement.take(text) == text
