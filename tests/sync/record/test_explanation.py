"""A fault drafts its own explanation; nothing else does, and nothing in it is not in the record."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.record.event import Event
from sync.record.explanation import explain, missing_media
from sync.record.hearing import Hearing

S = 1_000_000_000
OPENED_UTC_NS = 1_700_000_000 * S
OPEN: dict[str, Any] = {
    "case": {"case_no": "(2026)黑05民初123号", "cause": "民间借贷纠纷"},
    "seats": [{"id": "judge", "role": "审判长"}],
    "tracks": [{"id": "bench", "name": "审判席"}, {"id": "mics", "name": "话筒"}],
}


Fact = tuple[float, str, dict[str, Any]]


def hearing(*facts: Fact, closed_s: float | None = 100) -> Hearing:
    story = [(0.0, "open", OPEN), *facts, *([] if closed_s is None else [(closed_s, "close", {})])]
    events = [
        Event(n, "h", kind, int(at * S), OPENED_UTC_NS + int(at * S), body)
        for n, (at, kind, body) in enumerate(story, 1)
    ]
    return Hearing.of("h", events)


def gap(track: str, from_s: float, to_s: float, why: str = "设备中断") -> tuple[float, str, dict[str, Any]]:
    return (to_s, "gap", {"track": track, "from_ns": int(from_s * S), "to_ns": int(to_s * S), "why": why})


def test_an_undisturbed_hearing_needs_no_explanation() -> None:
    assert explain(hearing((10, "pause", {"reason": "recess"}), (20, "resume", {}))) is None


def test_what_stands_beside_the_record_needs_no_explanation() -> None:
    made = [("program", "program"), ("compatible", "bench-h264"), ("slow-picture", "bench")]
    beside = [
        *made,
        ("copy", "copy"),
        ("not-enrolled", "ledger"),
        ("readback", "readback"),
        ("transcriber", "transcriber"),
    ]
    facts = [(float(n), "alarm", {"code": c, "subject": s, "text": "…"}) for n, (c, s) in enumerate(beside, 1)]
    assert explain(hearing(*facts)) is None
    assert explain(hearing((5, "alarm", {"code": "readback", "subject": "bench", "text": "…"}))) is not None


def test_a_gap_outside_the_pauses_drafts_one_that_says_what_when_why_and_what_remains() -> None:
    draft = explain(
        hearing(gap("bench", 10, 12.4, "网络摄像机断开")), court_name="某某法院", room_name="第三法庭", zone=UTC
    )
    assert draft is not None
    assert draft.missing_ns == 2_400_000_000
    assert [(m.name, m.why, m.remaining) for m in draft.missing] == [("审判席", "网络摄像机断开", ("话筒",))]
    words = [
        "某某法院",
        "第三法庭",
        "(2026)黑05民初123号",
        "22:13:30.0",
        "22:13:32.4",
        "2.4 秒",
        "网络摄像机断开",
        "审判长（独任审判员）：＿",
    ]
    for word in words:
        assert word in draft.text, word


def test_what_a_lawful_pause_leaves_out_is_no_fault() -> None:
    within: list[Fact] = [gap("bench", 12, 18), (10, "pause", {"reason": "mediation"}), (20, "resume", {})]
    assert explain(hearing(*within)) is None
    across = hearing((10, "pause", {"reason": "recess"}), (20, "resume", {}), gap("bench", 8, 23))
    assert [(m.from_ns // S, m.to_ns // S) for m in missing_media(across)] == [(8, 10), (20, 23)]


def test_an_alarm_that_touched_the_record_drafts_one_and_that_of_the_words_does_not() -> None:
    words_only = {"code": "transcriber", "subject": "transcriber", "text": "语音识别未运行"}
    assert explain(hearing((5, "alarm", words_only))) is None
    draft = explain(hearing((5, "alarm", {"code": "silence", "subject": "judge", "text": "没有任何信号"})))
    assert draft is not None
    assert "审判长：没有任何信号" in draft.text
    assert "未消除" in draft.text


def test_the_draft_of_a_running_hearing_says_so() -> None:
    draft = explain(hearing(gap("mics", 1, 2), closed_s=None))
    assert draft is not None
    assert draft.running
    assert "庭审仍在进行" in draft.text


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 9)), max_size=5), st.integers(0, 90), st.integers(1, 9))
def test_missing_media_never_lies_in_a_pause_and_never_outside_its_gap(
    gaps: list[tuple[int, int]], pause_s: int, length_s: int
) -> None:
    pause: list[Fact] = [(pause_s, "pause", {"reason": "recess"}), (pause_s + length_s, "resume", {})]
    view = hearing(*pause, *(gap("bench", start, start + length) for start, length in gaps))
    found = missing_media(view)
    for piece in found:
        assert piece.to_ns <= pause_s * S or piece.from_ns >= (pause_s + length_s) * S
    seconds = {(start + i) for start, length in gaps for i in range(length)} - set(range(pause_s, pause_s + length_s))
    assert {s for m in found for s in range(m.from_ns // S, m.to_ns // S)} == seconds
