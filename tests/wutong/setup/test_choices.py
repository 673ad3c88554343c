"""What makes no room is said field by field, each in its own words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wutong.setup.choices import SetupChoices, faults_of

GOOD: dict[str, Any] = {
    "cameras": [{"candidate": "c1", "name": "审判席"}, {"candidate": "c2", "name": "当事人席"}],
    "microphones": {"name": "USB Audio (hw:1,0)", "channels": 2},
    "seats": [{"role": "审判长", "channel": 0}, {"role": "原告", "channel": 1}],
}


def fields(**changed: Any) -> list[str]:
    return [fault["field"] for fault in faults_of(SetupChoices.model_validate({**GOOD, **changed}))]


def test_a_room_has_no_faults() -> None:
    assert fields() == []


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"cameras": []}, ["cameras"]),
        ({"cameras": [{"candidate": "c1", "name": " "}]}, ["cameras.0.name"]),
        ({"cameras": [{"candidate": "c1", "name": "同"}, {"candidate": "c2", "name": "同"}]}, ["cameras.1.name"]),
        ({"microphones": None}, ["microphones"]),
        ({"seats": []}, ["seats"]),
        ({"seats": [{"role": "审判长", "channel": 2}]}, ["seats.0.channel"]),
        (
            {"seats": [{"role": "审判长", "channel": 0}, {"role": "审判长", "channel": 0}]},
            ["seats.1.role", "seats.1.channel"],
        ),
        ({"seats": [{"role": "x" * 101, "channel": 0}]}, ["seats.0.role"]),
    ],
)
def test_each_field_that_is_wrong_is_named(changed: dict[str, Any], wrong: list[str]) -> None:
    assert fields(**changed) == wrong


def test_every_fault_has_words_of_its_own_in_both_languages() -> None:
    choices = SetupChoices(cameras=[], microphones=None, seats=[])
    for fault in faults_of(choices):
        chinese, _, english = fault["text"].partition(" (")
        assert chinese
        assert not chinese.isascii()
        assert english.endswith(")")
        assert english.isascii()


@pytest.mark.parametrize(
    "changed",
    [
        {"other": 1},
        {"seats": [{"role": "审判长", "channel": -1}]},
        {"seats": [{"role": "审判长", "channel": 0}] * 9},
        {"cameras": [{"candidate": "../x", "name": "审判席"}]},
        {"cameras": [{"candidate": "c1", "name": "x" * 201}]},
    ],
)
def test_what_is_no_choice_at_all_is_refused_at_the_door(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SetupChoices.model_validate({**GOOD, **changed})
