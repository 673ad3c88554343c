"""A hearing's timeline is played as it is written, and a wrong one is refused before anything is done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hardware.simulation.scenario import BUNDLED_HEARING, Close, Open, Scenario, ScenarioView
from sync.errors import ConfigError

OPEN = {"at_s": 0, "do": "open", "case": {"case_no": "1", "cause": "c", "title": "t", "parties": {"原告": "甲"}}}
ADD = {"at_s": 1, "do": "exhibit", "file": "a.pdf", "title": "借条"}
PRESENT = {"at_s": 2, "do": "present", "file": "a.pdf"}
CLOSE = {"at_s": 9, "do": "close"}


def write(folder: Path, *actions: dict[str, Any]) -> Path:
    (folder / "a.pdf").write_bytes(b"%PDF-")
    (folder / "timeline.json").write_text(json.dumps({"actions": actions}), encoding="utf-8")
    return folder


def test_the_screens_follow_the_actions(tmp_path: Path) -> None:
    actions = [
        OPEN,
        ADD,
        PRESENT,
        {"at_s": 3, "do": "page", "page": 2},
        {"at_s": 4, "do": "zoom", "zoom": 2, "x": 0.25, "y": 0.75},
        {"at_s": 5, "do": "pause", "reason": "recess"},
        {"at_s": 6, "do": "resume"},
        PRESENT | {"at_s": 7},
        CLOSE,
    ]
    assert list(Scenario.load(write(tmp_path, *actions)).views()) == [
        (2, ScenarioView("a.pdf")),
        (3, ScenarioView("a.pdf", page=2)),
        (4, ScenarioView("a.pdf", page=2, zoom=2, x=0.25, y=0.75)),
        (5, None),
        (7, ScenarioView("a.pdf")),
        (9, None),
    ]


def test_without_a_timeline_the_whole_sound_is_one_hearing(tmp_path: Path) -> None:
    for name in ("microphones.opus", "reference.json"):
        shutil.copyfile(BUNDLED_HEARING / name, tmp_path / name)
    first, last = Scenario.load(tmp_path).actions
    assert isinstance(first, Open)
    assert first.at_s == 0
    assert isinstance(last, Close)
    assert last.at_s == pytest.approx(283.8, abs=0.05)


def test_a_folder_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="hearing folder"):
        Scenario.load(tmp_path)


def test_what_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "timeline.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="not JSON"):
        Scenario.load(tmp_path)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([OPEN], "at actions"),
        ([ADD | {"at_s": 0}, CLOSE], "the first action opens"),
        ([OPEN, OPEN, CLOSE], "the first action opens"),
        ([OPEN, ADD], "the last action closes"),
        ([OPEN, CLOSE, CLOSE], "the last action closes"),
        ([OPEN, ADD, PRESENT | {"at_s": 0.5}, CLOSE], "before the action above"),
        ([OPEN, PRESENT, CLOSE], "not added before"),
        ([OPEN, ADD, ADD, CLOSE], "added before"),
        ([OPEN, ADD | {"file": "b.pdf"}, CLOSE], "there is no b.pdf"),
        ([OPEN, ADD | {"file": "../a.pdf"}, CLOSE], "bare name"),
        ([OPEN, {"at_s": 1, "do": "page", "page": 2}, CLOSE], "nothing is presented"),
        ([OPEN, ADD, {"at_s": 1, "do": "withdraw"}, CLOSE], "nothing is presented"),
        ([OPEN, {"at_s": 1, "do": "resume"}, CLOSE], "not in recess"),
        ([OPEN, {"at_s": 1, "do": "pause", "reason": "lunch"}, CLOSE], "recess"),
        ([OPEN, ADD, {"at_s": 1, "do": "pause", "reason": "mediation"}, PRESENT, CLOSE], "in recess"),
        ([OPEN, {"at_s": 1, "do": "dance"}, CLOSE], "dance"),
        ([OPEN, {"at_s": 1, "do": "mark", "kind": "举证", "color": "red"}, CLOSE], "color"),
        ([OPEN, ADD, PRESENT | {"zoom": 0.5}, CLOSE], "zoom"),
    ],
)
def test_a_timeline_that_cannot_be_played_is_refused(tmp_path: Path, actions: list[Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Scenario.load(write(tmp_path, *actions))
