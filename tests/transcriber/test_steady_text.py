"""Whoever reads a caption does not lose the line: what is shown is put right at its end and hardly anywhere else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transcriber.steady_text import common, steady

texts = st.text(alphabet="原告被称，。1", max_size=24)


def test_what_is_new_is_added() -> None:
    assert steady("请全体", "请全体起立", "请全体起立请审判长", 0) == "请全体起立请审判长"


def test_a_homophone_that_flips_and_flips_back_does_not_flicker() -> None:
    shown, before = "录像是从检查", "录像是从检查开始"
    for heard in ("录像事从检查开始十几", "录像是从检查开始十几分钟", "录像事从检查开始十几分钟以后"):
        after = steady(shown, before, heard, 0)
        assert after.startswith("录像是从检查")
        shown, before = after, heard


def test_what_two_passes_wish_is_put_right_near_the_end() -> None:
    heard = "原告生产的月饼没有标明日期"
    assert steady("原高生产的月饼", "原告生产的月饼没有", heard, 0) == heard


def test_far_behind_the_end_it_waits_for_the_final_pass() -> None:
    shown = "原高认为这个处罚决定认定事实不清"
    before, heard = ("原告认为这个处罚决定认定事实不清" + more for more in ("程序", "程序违法"))
    assert steady(shown, before, heard, 0) == shown + "程序违法"


def test_a_wrong_end_is_put_right_at_once() -> None:
    assert steady("请求法院以法", "请求法院以法于", "请求法院以罚款予以", 0) == "请求法院以罚款予以"


def test_nothing_that_is_new_is_lost_where_the_end_is_heard_otherwise() -> None:
    first, second = "请求法院依法予以", "请求法院依法予以撤销"
    shown = steady("请求法院以法", "请求法院以法于", first, 0)
    assert shown == "请求法院以法予以"
    assert steady(shown, first, second, 0) == second


def test_what_was_promised_stays_even_when_two_passes_wish_otherwise() -> None:
    assert steady("原告诉称", "被告诉称借", "被告诉称借款", 2) == "原告诉称借款"


@given(texts, texts, texts, st.integers(0, 24))
def test_promised_and_far_characters_never_change(shown: str, before: str, heard: str, promised: int) -> None:
    promised = min(promised, len(shown))
    after = steady(shown, before, heard, promised)
    assert common(shown, after) >= min(max(promised, len(shown) - 10), len(after))
    assert len(after) >= promised


@given(texts, texts)
def test_the_same_words_again_change_nothing(shown: str, before: str) -> None:
    assert steady(shown, before, shown, 0) == shown
