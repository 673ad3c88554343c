"""Captions never take back what they committed, and hardly what they show."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transcriber.local_agreement import LocalAgreement

passes = st.lists(st.text(alphabet="原告被称，。 a1", max_size=24), max_size=8)


def test_two_passes_that_agree_commit_what_has_enough_behind_it() -> None:
    agreement = LocalAgreement()
    agreement.take("请全体起立请审判长")
    assert agreement.stable == 0
    agreement.take("请全体起立请审判长人民陪审员入庭报告审判长双")
    assert agreement.committed == "请全体起立请"


def test_the_last_characters_of_a_pass_wait_for_more_sound() -> None:
    agreement = LocalAgreement()
    assert agreement.take("青春") == "青"  # something is shown at once
    assert agreement.take("请全体起立，请") == "请全"
    assert agreement.latest == "请全体起立，请"


def test_punctuation_at_the_end_is_not_committed() -> None:
    agreement = LocalAgreement()
    agreement.take("现在开庭。今天依法公开审理原告诉被告借贷纠纷")
    agreement.take("现在开庭。本院依法公开审理原告诉被告借贷纠纷")
    assert agreement.committed == "现在开庭"


def test_a_pass_that_hears_the_beginning_otherwise_keeps_what_was_committed() -> None:
    agreement = LocalAgreement()
    said = "请求判令被告立即偿还全部借款本金"
    for heard in (f"原告{said}", f"原告{said}三十", f"被告{said}三十万元整"):
        shown = agreement.take(heard)
    assert agreement.committed.startswith("原告请求")
    assert "原告请求判令被告立即偿还全部借款本金三十万元整".startswith(shown)


@given(passes)
def test_committed_text_only_grows(heard: list[str]) -> None:
    agreement = LocalAgreement()
    committed, promised = "", ""
    for text in heard:
        shown = agreement.take(text)
        assert agreement.committed.startswith(committed)
        assert shown.startswith(promised)
        assert len(promised) <= agreement.stable <= len(shown)
        assert agreement.committed.startswith(shown[: agreement.stable])
        committed, promised = agreement.committed, shown[: agreement.stable]


@given(st.text(alphabet="原告被称，。", min_size=1, max_size=20))
def test_the_same_pass_again_changes_nothing(text: str) -> None:
    agreement = LocalAgreement()
    assert agreement.take(text) == agreement.take(text)
    assert text.startswith(agreement.text)
