"""Marks by pauses, questions and what is counted up; no other character changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.correction.vocabulary.punctuation import punctuated
from transcriber.recognition.recognizer import Transcription, Word


def said(text: str, pauses: dict[int, float] | None = None) -> Transcription:
    """Each character a word of 0.2 s; `pauses`: seconds after some of them."""
    words, at = [], 0.0
    for place, character in enumerate(text):
        words.append(Word(character, at, at + 0.2, 0.9))
        at += 0.2 + (pauses or {}).get(place, 0.0)
    return Transcription(text, tuple(words), 0.9)


@pytest.mark.parametrize(
    ("text", "pauses", "marked"),
    [
        ("报告审判长双方已到庭。", {4: 0.3}, "报告审判长，双方已到庭。"),
        ("我叫张伟明住本市。", {4: 0.5}, "我叫张伟明。住本市。"),
        ("诉讼请求如下第二利息。", {5: 0.3}, "诉讼请求如下。第二利息。"),
        ("我没有异议。", {1: 0.1}, "我没有异议。"),
        ("借款三十5万元。", {3: 0.6}, "借款三十5万元。"),
        ("借过钱但是没有还。", {}, "借过钱，但是没有还。"),
        ("原告请陈述。", {}, "原告，请陈述。"),
        ("原告请求判令。", {}, "原告请求判令。"),
    ],
)
def test_pauses_and_joints_are_marked(text: str, pauses: dict[int, float], marked: str) -> None:
    assert punctuated(said(text, pauses)).text == marked


@pytest.mark.parametrize(
    "text",
    [
        "是否申请回避",
        "双方有无异议",
        "你收到起诉状了吗",
        "利息能不能少一点",
        "本金是多少",
        "听清楚了没有",
        "你有没有证据证明",
    ],
)
def test_a_question_ends_with_its_mark(text: str) -> None:
    assert punctuated(said(text + "。")).text == text + "？"


@pytest.mark.parametrize("text", ["没有", "我不知道他有没有还", "没有异议", "关于是否偿还的问题", "请说明是否收到"])
def test_what_only_looks_like_a_question_is_none(text: str) -> None:
    assert punctuated(said(text + "。")).text == text + "。"


def test_what_is_counted_up_is_parted() -> None:
    text = "对证据的真实性合法性关联性发表意见。"
    assert punctuated(said(text)).text == "对证据的真实性、合法性、关联性发表意见。"


def test_without_times_only_questions_are_marked() -> None:
    assert punctuated(Transcription("有无异议。")).text == "有无异议？"
    assert punctuated(Transcription("")) == Transcription("")
    english = Transcription("Is it so?", (Word("Is", 0, 1, 1), Word(" it", 2, 3, 1), Word(" so?", 4, 5, 1)))
    assert punctuated(english) == english


@given(
    st.text("是否有无吗呢没有原告请现在但是真实性合法，。？1a", max_size=30),
    st.dictionaries(st.integers(0, 29), st.floats(0, 1), max_size=8),
)
def test_only_marks_are_added_and_words_stay_the_text(text: str, pauses: dict[int, float]) -> None:
    heard = said(text, pauses)
    marked = punctuated(heard)
    assert "".join(w.text for w in marked.words) == marked.text
    assert [c for c in marked.text if c.isalnum()] == [c for c in text if c.isalnum()]
    assert len(marked.words) == len(heard.words)
