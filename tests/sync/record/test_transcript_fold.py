"""The fold of words: nothing is lost, what was not seen is not overwritten, and the browser's fold is the same."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.milliseconds import event_to_ms
from sync.record.transcript import Transcript, moved

CASES = Path(__file__).with_name("transcript_cases.json")
"""Events as the screens get them and the lines that they make; `WUTONG_CASES=1 pytest` writes the lines again, to be
read over by a person. web/src/lib/transcript.test.ts runs the same."""

LINES = ("u1", "u2", "u3", "n1", "n2")
TEXTS = ("", "好", "借款三十万元", "借款30万元", "𠮷先生在场", "我借给他30万元，有借条为证。")


def event(number: int, kind: str, body: dict[str, Any]) -> Event:
    return Event(number, "h", kind, number * 1000, number * 10**6, body)


def said(name: str, text: str, *, start_ns: int = 0, **more: Any) -> dict[str, Any]:
    body = {"id": name, "seat": "plaintiff", "role": "原告", "start_ns": start_ns, "end_ns": start_ns + 100}
    return body | {"text": text, "confidence": 0.9, "words": [], "voice": ""} | more


def act(name: str, *changes: dict[str, Any], by: str = "clerk", kind: str = "edit", **more: Any) -> dict[str, Any]:
    return {"id": name, "act": kind, "by": by, "tab": "t", "changes": list(changes)} | more


def folded(events: list[Event]) -> Transcript:
    return Hearing.of("h", events).transcript


def as_screen(transcript: Transcript) -> Any:
    """What a screen holds of it."""
    hearing = Hearing("h", transcript=transcript)
    return {key: hearing.to_json()[key] for key in ("utterances", "voices")}


@pytest.mark.parametrize("case", json.loads(CASES.read_text(encoding="utf-8")), ids=lambda c: str(c["name"]))
def test_the_cases_that_every_fold_must_agree_on(case: dict[str, Any]) -> None:
    events = [event(n, e["kind"], e["body"]) for n, e in enumerate(case["events"], start=1)]
    shown = as_screen(folded(events))
    if os.environ.get("WUTONG_CASES"):
        cases = json.loads(CASES.read_text(encoding="utf-8"))
        for one in cases:
            if one["name"] == case["name"]:
                one.update(shown, screen=[event_to_ms(e) for e in events])
        CASES.write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return
    assert {"utterances": case["utterances"], "voices": case["voices"]} == shown
    assert case["screen"] == [event_to_ms(e) for e in events]


class Writers:
    """Makes a history out of a few choices: utterances, a corrector and a clerk, who do not always see the newest."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.transcript = Transcript()

    def write(self, kind: str, body: dict[str, Any]) -> bool:
        self.events.append(event(len(self.events) + 1, kind, body))
        if kind == "utterance":
            self.transcript.utterance(self.events[-1])
            return True
        return self.transcript.revise(self.events[-1])

    def base(self, line: str, stale: int) -> int:
        known = self.transcript.get(line)
        return (known.revision if known else 0) - stale


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(TEXTS),
        "role": st.sampled_from(("原告", "原告代理人")),
        "struck": st.booleans(),
        "doubtful": st.booleans(),
        "gone": st.sampled_from(("", "merged", "withdrawn")),
    },
)
CHANGES = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(LINES), st.sampled_from((0, 0, 0, 1)), SETTINGS),
    st.tuples(st.just("new"), st.sampled_from(LINES), st.sampled_from(("", *LINES)), st.sampled_from(TEXTS)),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(LINES[:3]), st.sampled_from(TEXTS), st.integers(0, 5)),
        st.tuples(st.sampled_from(("clerk", "corrector")), st.lists(CHANGES, min_size=1, max_size=3)),
    ),
    max_size=20,
)


def history(steps: list[Any]) -> Iterator[tuple[Writers, Event, bool]]:
    """(writers, what was just written, whether it counts), step by step."""
    writers = Writers()
    for n, step in enumerate(steps):
        if step[0] == "say":
            counts = writers.write("utterance", said(step[1], step[2], start_ns=step[3] * 100))
        else:
            changes: list[dict[str, Any]] = []
            for what, line, third, fourth in step[1]:
                if what == "set":
                    changes.append({"line": line, "base": writers.base(line, third), "set": fourth})
                else:
                    new = {"id": line, "after": third, "seat": "", "role": "审判长", "start_ns": 1, "end_ns": 2}
                    changes.append({"new": new | {"text": fourth, "source": "typed"}})
            counts = writers.write("revision", act(f"r{n}", *changes, by=step[0]))
        yield writers, writers.events[-1], counts


@given(STEPS, st.randoms(use_true_random=False))
def test_the_lines_depend_on_the_numbers_alone(steps: list[Any], chance: Any) -> None:
    events: list[Event] = []
    for writers, _, _ in history(steps):
        events = writers.events
    whole = as_screen(folded(events))
    shuffled = events + [chance.choice(events) for _ in range(3) if events]
    chance.shuffle(shuffled)
    assert as_screen(folded(shuffled)) == whole


@given(STEPS)
def test_nothing_that_anybody_wrote_is_ever_lost(steps: list[Any]) -> None:
    written: dict[str, list[str]] = {}
    for writers, last, counts in history(steps):
        transcript = writers.transcript
        if last.kind == "utterance":
            written.setdefault(str(last.body["id"]), [str(last.body["text"])])
        for change in last.body.get("changes", []):
            if "new" in change and counts:
                written.setdefault(change["new"]["id"], []).append(change["new"]["text"])
            elif "set" in change and "text" in change["set"] and transcript.get(change["line"]):
                written[change["line"]].append(change["set"]["text"])
    if steps:
        assert {line.id for line in transcript.lines} == set(written)
        for line in transcript.lines:
            texts = [v["text"] for v in line.versions if "text" in v] or [line.text]
            assert texts == written[line.id], "every text, counted or void, in its order"
            counted = [v["text"] for v in line.versions if "text" in v and not v.get("void")] or [line.text]
            assert line.text == counted[-1]


@given(STEPS)
@pytest.mark.slow
def test_an_act_counts_whole_or_not_at_all(steps: list[Any]) -> None:
    before: dict[str, dict[str, Any]] = {}
    for writers, last, counts in history(steps):
        after = {line.id: {**asdict(line), "versions": None} for line in writers.transcript.lines}
        if last.kind == "revision" and not counts:
            assert after == before
        elif last.kind == "revision":
            for change in last.body["changes"]:
                name = change["new"]["id"] if "new" in change else change["line"]
                assert after[name]["revision"] == last.number
        before = after


@given(STEPS)
def test_the_corrector_never_changes_a_line_that_a_clerk_touched(steps: list[Any]) -> None:
    touched: dict[str, Any] = {}
    for writers, last, _ in history(steps):
        now = {line.id: {**asdict(line), "versions": None} for line in writers.transcript.lines if line.touched}
        if last.body.get("by") == "corrector":
            assert now == touched
        assert touched.keys() <= now.keys(), "touched once, touched for ever"
        touched = now


@given(st.text(alphabet="ab𠮷", max_size=8), st.text(alphabet="ab𠮷", max_size=8), st.data())
def test_a_span_that_stays_is_over_the_same_characters(before: str, after: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, len(before)))
    spans = moved([[start, end]], before, after) if end > start else []
    for from_, to in spans:
        assert after[from_:to] == before[start:end]
    if before == after and end > start:
        assert spans == [[start, end]]


def test_words_that_the_engine_was_not_sure_of_are_known_by_their_place() -> None:
    words = [("我", 0.9), ("借给", 0.3), ("他", 0.4), ("𠮷", 0.2), ("三十万", 0.9)]
    body = said("u1", "我借给他，𠮷三十万。")
    body["words"] = [{"text": text, "start_ns": 0, "end_ns": 1, "probability": p} for text, p in words]
    line = folded([event(1, "utterance", body)]).lines[0]
    assert line.unsure == [[1, 4], [5, 6]]


def test_what_the_clerk_says_of_a_voice_holds_for_words_that_come_later() -> None:
    voice = {"seat": "plaintiff", "voice": "b", "role": "原告代理人"}
    good = act("r", {"line": "u1", "base": 1, "set": {"role": "原告代理人"}}, kind="voice", voice=voice)
    stale = act("s", {"line": "u1", "base": 1, "set": {"role": "x"}}, kind="voice", voice=voice | {"role": "x"})
    events = [
        event(1, "utterance", said("u1", "甲", voice="b")),
        event(2, "revision", good),
        event(3, "utterance", said("u2", "乙", start_ns=200, voice="b")),
        event(4, "utterance", said("u3", "丙", start_ns=300, voice="a")),
        event(5, "revision", stale),
        event(6, "utterance", said("u4", "丁", start_ns=400, voice="b")),
    ]
    assert [line.role for line in folded(events).lines] == ["原告代理人", "原告代理人", "原告", "原告代理人"]
