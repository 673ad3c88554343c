"""Where the time between a voice and its words went, by stations that are given."""

from __future__ import annotations

from typing import Any

import pytest

from hardware.simulation.hearing_folder import Said
from wutong.bench.captions.character_errors import ShownWords
from wutong.bench.captions.late_turns import Wait, late_causes_ms, late_turns, times_in_s, worst_lines

ASKED = Said(channel=0, role="审判长", start=10.0, end=12.0, text="双方有无异议？")
ANSWERED = Said(channel=1, role="原告", start=12.4, end=13.0, text="没有。")


def asked(work: str, at: float, answered: float, **cost: float) -> dict[str, Any]:
    spent = {"lane_s": 0.0, "engine_s": answered - at, "starved_s": 0.0} | cost
    return {"work": work, "sound_s": 1.0, "asked": at, "answered": answered, **spent}


def stations(**given: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"passes": [], "caption_behind": [], "behind": []}
    return empty | dict.fromkeys(("seen", "due", "ended", "taken", "settled", "written"), 0.0) | given


def whole(wait: Wait | None) -> Wait:
    assert wait is not None
    assert sum(wait.parts.values()) == pytest.approx(wait.ms)
    return wait


def test_a_first_caption_waits_for_sound_for_the_model_and_for_the_processor() -> None:
    shown = ShownWords(0, 10.03, 11.0, 11.9, "双方", "q")
    final = ShownWords(0, 10.03, 12.0, 12.9, "双方有无异议？", "q")
    of = stations(
        seen=10.3,
        due=10.8,
        passes=[asked("caption", 11.2, 11.8, starved_s=0.4), asked("preflight", 12.2, 12.6)],
        caption_behind=[{"work": "caption", "utterance": "x", "from": 10.8, "to": 11.15}],
        ended=12.6,
        taken=12.65,
        settled=12.65,
        written=12.8,
    )
    [turn] = late_turns([ASKED], [shown], [final], {"q": of})
    first = whole(turn.first)
    assert first.parts == pytest.approx(
        {
            "sound": 300,
            "more sound": 500,
            "behind caption of another": 350,
            "unexplained": 50,
            "no processor": 400,
            "model": 200,
            "shown": 100,
        }
    )
    last = whole(turn.utterance)
    assert last.parts == pytest.approx({"pause": 600, "unexplained": 50, "written": 150, "shown": 100})


def test_an_answer_that_waits_is_said_to_wait_behind_the_question() -> None:
    question = ShownWords(0, 10.0, 12.0, 14.0, "双方有无异议？", "q")
    answer = ShownWords(1, 12.4, 13.0, 15.1, "没有。", "a")
    of_answer = stations(
        seen=12.7,
        ended=13.5,
        taken=14.2,
        behind=[
            {"work": "revising", "utterance": "q", "from": 14.0, "to": 14.2},
            {"work": "final", "utterance": "q", "from": 13.5, "to": 14.0},
        ],
        passes=[asked("final", 14.2, 15.0, lane_s=0.1)],
        settled=15.0,
        written=15.1,
    )
    turns = late_turns([ASKED, ANSWERED], [], [question, answer], {"a": of_answer})
    assert [turn.said for turn in turns] == [ASKED, ANSWERED]  # the worst first
    late = whole(turns[1].utterance)
    assert late.parts == pytest.approx(
        {
            "pause": 500,
            "behind final of 双方有无异议": 500,
            "behind revising of 双方有无异议": 200,
            "lane": 100,
            "model": 700,
            "written": 100,
        }
    )
    assert whole(turns[1].first).parts["said"] == pytest.approx(600)
    assert whole(turns[0].utterance).parts == pytest.approx({"unexplained": 2000})
    assert late_causes_ms(turns)["behind final"] == 1000  # of both waits of the answer
    assert worst_lines(turns)[1].startswith("12.4 s 原告 没有。: first caption 2700 ms = model 700 + said 600")


def test_what_never_came_is_the_worst() -> None:
    answer = ShownWords(1, 12.4, 13.0, 99.0, "没有。", "a")
    first, second = late_turns([ANSWERED, ASKED], [], [answer], {})
    assert (first.said, first.first, first.utterance) == (ASKED, None, None)
    assert "never" in str(first)
    assert second.said == ANSWERED


def test_moments_come_in_seconds_of_the_recording_and_never_stays_0() -> None:
    busy = {"work": "final", "utterance": "x", "from_ns": 2_000_000_000, "to_ns": 3_000_000_000}
    told = {"seen_ns": 1_500_000_000, "written_ns": 0, "passes": [], "caption_behind": [], "behind": [busy]}
    assert times_in_s(told, 1_000_000_000) == {
        "seen": 0.5,
        "written": 0.0,
        "passes": [],
        "caption_behind": [],
        "behind": [{"work": "final", "utterance": "x", "from": 1.0, "to": 2.0}],
    }
