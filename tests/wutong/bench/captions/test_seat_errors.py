"""Figures by seat, counted by hand."""

from __future__ import annotations

import pytest

from hardware.simulation.hearing_folder import Said
from wutong.bench.captions.character_errors import ShownWords, by_seat, cer_by_seat, cpcer, said_by_seat
from wutong.bench.captions.seat_errors import duplicate_ratio, seat_accuracy, within


def said(channel: int, start: float, end: float, text: str) -> Said:
    return Said(channel=channel, role="原告", start=start, end=end, text=text)


def heard(channel: int, start: float, end: float, text: str) -> ShownWords:
    return ShownWords(channel, start, end, end + 1, text)


SPOKEN = [said(0, 1, 4, "请被告答辩。"), said(1, 5, 9, "我承认借过钱。"), said(2, 8, 10, "不是事实。")]
RIGHT = [heard(0, 1, 4, "请被告答辩"), heard(1, 5, 9, "我承认借过钱"), heard(2, 8, 10, "不是事实")]


def test_the_rate_by_seat_counts_words_on_a_wrong_seat_twice() -> None:
    reference = said_by_seat(SPOKEN)
    assert cpcer(reference, by_seat(RIGHT)) == 0.0
    moved = [*RIGHT[:2], heard(1, 8, 10, "不是事实")]  # 4 of 15 characters missing here, 4 too many there
    assert cpcer(reference, by_seat(moved)) == pytest.approx(8 / 15)
    assert cer_by_seat(SPOKEN, moved) == {0: 0.0, 1: pytest.approx(4 / 6), 2: 1.0}


def test_a_seat_is_right_by_what_was_said_not_by_what_was_written() -> None:
    assert seat_accuracy(SPOKEN, RIGHT) == 1.0
    assert seat_accuracy(SPOKEN, RIGHT[:2]) == pytest.approx(2 / 3), "what nobody wrote has no seat"
    swapped = [RIGHT[0], heard(2, 5, 9, "我承认借过钱"), RIGHT[2]]
    assert seat_accuracy(SPOKEN, swapped) == pytest.approx(2 / 3)


def test_a_seat_is_right_also_where_characters_are_misheard_or_the_line_is_cut() -> None:
    misheard = [RIGHT[0], heard(1, 5, 6.5, "我成认"), heard(1, 6.8, 9, "戒过钱"), RIGHT[2]]
    assert seat_accuracy(SPOKEN, misheard) == 1.0


def test_a_second_seat_that_claims_the_words_makes_it_wrong() -> None:
    assert seat_accuracy(SPOKEN, [*RIGHT, heard(0, 5.1, 8.9, "我承认借国钱")]) == pytest.approx(2 / 3)


def test_words_that_both_really_said_at_once_belong_to_both() -> None:
    both = [said(0, 1, 3, "没有异议。"), said(1, 1.5, 3.5, "没有异议。")]
    lines = [heard(0, 1, 3, "没有异议"), heard(1, 1.5, 3.5, "没有异议")]
    assert seat_accuracy(both, lines) == 1.0
    assert duplicate_ratio(both, lines) == 0.0


def test_repetitions_on_another_seat_are_counted_by_sound() -> None:
    assert duplicate_ratio(SPOKEN, RIGHT) == 0.0
    twice = [*RIGHT, heard(2, 6, 7.5, "成认借过")]  # 4 of now 19 characters, one of them misheard
    assert duplicate_ratio(SPOKEN, twice) == pytest.approx(4 / 19)


def test_the_same_words_at_another_time_are_no_repetition() -> None:
    later = [said(0, 1, 2, "没有异议。"), said(1, 3, 4, "没有异议。")]
    assert duplicate_ratio(later, [heard(0, 1, 2, "没有异议"), heard(1, 3, 4, "没有异议")]) == 0.0


def test_two_equal_syllables_are_chance() -> None:
    assert duplicate_ratio(SPOKEN, [*RIGHT[:2], heard(2, 8, 10, "借过不是")]) == 0.0


def test_part_of_a_text_is_found_in_one_piece() -> None:
    assert within("bcd", "abcde") == 1.0
    assert within("bcd", "abxde") == pytest.approx(2 / 3)
    assert within("bcd", "") == 0.0
    assert within("", "abc") == 0.0
