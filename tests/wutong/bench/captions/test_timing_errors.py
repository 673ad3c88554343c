"""Figures of when words came and how they changed, counted by hand."""

from __future__ import annotations

import pytest

from hardware.simulation.hearing_folder import Said
from wutong.bench.captions.character_errors import ShownWords, Spoken
from wutong.bench.captions.timing_errors import (
    committed_changed,
    committed_replaced,
    erasure,
    first_caption_ms,
    missed,
    utterance_ms,
    word_edges_ms,
)


def said(start: float, end: float, text: str, channel: int = 0) -> Said:
    return Said(channel=channel, role="原告", start=start, end=end, text=text)


def caption(arrived_s: float, text: str, stable: int = 0, name: str = "a", end_s: float = 3.0) -> ShownWords:
    return ShownWords(0, 1.0, end_s, arrived_s, text, name, stable)


def test_a_growing_line_is_about_its_second_sentence_when_it_has_a_word_of_it() -> None:
    spoken = [said(1, 3, "没有异议。"), said(3.3, 5, "可以调解。")]
    lines = [
        caption(2.0, "没有"),
        caption(3.8, "没有异议", end_s=3.6),  # its time has reached the second sentence, its words have not
        caption(4.5, "没有异议，可", end_s=4.3),
    ]
    final = [ShownWords(0, 1.0, 5.0, 6.0, "没有异议，可以调解。", "a")]
    assert first_caption_ms(spoken, lines, final) == pytest.approx([1000, 1200])
    assert utterance_ms(spoken, final) == [(3, 3000), (5, 1000)]


def test_what_no_text_came_for_is_missed() -> None:
    spoken = [said(1, 3, "没有异议。"), said(4, 5, "没有。")]
    assert missed(spoken, [ShownWords(0, 1, 3, 4, "没有异议。")]) == 1
    assert missed(spoken, [ShownWords(1, 1, 3, 4, "没有异议。"), ShownWords(0, 4, 5, 6, "没有")]) == 1


def test_an_utterance_that_ends_too_early_counts_when_the_last_one_came() -> None:
    assert utterance_ms([said(1, 5, "没有异议。")], [ShownWords(0, 1, 4, 6.5, "没有")]) == [(5, 1500)]


def test_a_promise_is_kept_until_the_utterance() -> None:
    kept = [caption(1, "我们", 1), caption(2, "我门认", 1), caption(3, "我们认为", 0), caption(4, "我认", 1)]
    assert committed_changed(kept) == 0
    broken = [caption(1, "我们", 2), caption(2, "我门认", 2), caption(3, "我门认为", 3), caption(4, "", 0)]
    assert committed_changed(broken) == 2, "another character, and a withdrawal"
    forgotten = [caption(1, "我们", 2), caption(2, "我们认", 0), caption(3, "他们", 0)]
    assert committed_changed(forgotten) == 1, "a promise is not forgotten by promising less"


def test_how_much_of_the_promised_the_final_pass_replaced() -> None:
    lines = [caption(1, "我们", 1), caption(2, "我们任为", 4)]
    assert committed_replaced(lines, [ShownWords(0, 1, 3, 4, "我们，认为。", "a")]) == pytest.approx(1 / 4)


def test_erasure_is_what_was_shown_and_taken_back() -> None:
    lines = [caption(1, "我们"), caption(2, "我门认"), caption(3, "我们认为")]  # 们, then 门认
    final = [ShownWords(0, 1, 3, 4, "我们认为。", "a")]
    assert erasure(lines, final) == pytest.approx(3 / 5)
    assert erasure(lines, [ShownWords(0, 1, 3, 4, "我们任为。", "a")], with_final=True) == pytest.approx(5 / 5)
    assert erasure([*lines, caption(2, "啊", name="b")], final) == pytest.approx(4 / 5), "never became an utterance"


def test_edges_of_words_are_those_of_the_text_not_of_the_time() -> None:
    spoken = [said(1, 2, "没有异议。"), said(2.3, 3, "可以。")]
    words = (Spoken("没有", 1.1, 1.4), Spoken("异议，", 1.4, 2.05), Spoken("可以。", 2.2, 3.3))
    starts, ends = word_edges_ms(spoken, [ShownWords(0, 1, 3, 4, "没有异议，可以。", words=words)])
    assert starts == pytest.approx([100, -100])
    assert ends == pytest.approx([50, 300])
