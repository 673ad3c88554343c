"""What a clerk has to do, and what it costs, counted by hand."""

from __future__ import annotations

from hardware.simulation.hearing_folder import Said
from wutong.bench.captions.character_errors import alike
from wutong.bench.clerk.plan import PlannedLine, TextRun, applied, keys_of, plan, typing_everything


def said(channel: int, role: str, start: float, end: float, text: str) -> Said:
    return Said(channel=channel, role=role, start=start, end=end, text=text)


def line(name: str, channel: int, role: str, start_s: float, end_s: float, text: str) -> PlannedLine:
    return PlannedLine(name, channel, role, start_s, end_s, text)


def test_what_is_right_needs_no_work() -> None:
    spoken = [said(0, "被告", 1, 4, "本金三十万元，两个月。")]
    assert plan(spoken, [line("a", 0, "被告", 1, 4, "本金30万元二个月")]) == ([], [])


def test_a_wrong_character_is_typed_with_its_neighbor() -> None:
    [work], missing = plan([said(0, "法官", 1, 4, "请被告答辩。")], [line("a", 0, "法官", 1, 4, "请被告答变，")])
    assert missing == []
    assert work.runs == [TextRun(3, "答变", "答辩")]
    assert applied("请被告答变，", work.runs) == "请被告答辩，", "punctuation stays"
    assert keys_of("答辩") == len("dabian") + 1


def test_a_mark_stands_between_words_that_are_typed_apart() -> None:
    [work], _ = plan([said(0, "法官", 1, 4, "下面举证。没有。")], [line("a", 0, "法官", 1, 4, "下面举正，没由。")])
    assert applied("下面举正，没由。", work.runs) == "下面举证，没有。"


def test_a_cut_within_a_sentence_costs_nothing() -> None:
    spoken = [said(0, "法官", 1, 9, "请被告答辩，原告不要打断。")]
    lines = [line("a", 0, "法官", 1, 3, "请被告答辩，"), line("b", 0, "法官", 3, 9, "原告不要打段。")]
    [work], missing = plan(spoken, lines)
    assert (work.line.id, missing) == ("b", [])
    assert applied(work.line.text, work.runs) == "原告不要打断。"


def test_another_speaker_a_missing_line_and_one_too_many() -> None:
    spoken = [said(1, "原告代理人", 1, 4, "没有补充。"), said(2, "被告", 5, 6, "没有。")]
    lines = [line("a", 1, "原告", 1, 4, "没有补充。"), line("b", 3, "书记员", 4, 5, "嗯。")]
    works, [missing] = plan(spoken, lines)
    assert [(w.line.id, w.role, w.strike) for w in works] == [("a", "原告代理人", False), ("b", "", True)]
    assert (missing.said.text, missing.after) == ("没有。", "b")


def test_typing_everything_is_its_letters_and_one_key_a_clause() -> None:
    assert typing_everything([said(0, "被告", 1, 4, "没有，可以。")]) == len("meiyou") + 1 + len("keyi") + 1
    assert alike("没有，可以。") == "没有可以"
