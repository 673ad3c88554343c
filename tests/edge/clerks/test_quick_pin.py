"""A quick PIN: a few digits that are not too easy, kept as a hash, worth nothing after ten wrong ones or the day."""

from __future__ import annotations

import time

import pytest

from edge.clerks.quick_pin import MOST_WRONG, QuickPin, checked_pin, fits, new_pin
from sync.errors import AccessError


@pytest.mark.parametrize(
    "pin", ["", "123", "123456789", "12a4", "１２３４", "1234", "9876", "77777", "12 34", "4826\n"]
)
def test_what_is_no_pin_or_too_easy_is_refused(pin: str) -> None:
    with pytest.raises(AccessError) as refused:
        checked_pin(pin)
    assert refused.value.code == "weak-pin"


@pytest.mark.parametrize("pin", ["4826", "48261", "00000001", "1357"])
def test_other_digits_are_taken(pin: str) -> None:
    assert checked_pin(pin) == pin


def test_it_is_kept_as_a_hash_and_fits_itself_alone() -> None:
    pin = new_pin("4826", time.time())
    assert "4826" not in pin.model_dump_json()
    assert fits(pin, "4826")
    assert not fits(pin, "4827")
    assert not fits(pin, "")
    assert not fits(pin.model_copy(update={"hash": "no hash"}), "4826")


def test_it_ends_with_the_day_but_not_while_a_hearing_runs() -> None:
    pin = new_pin("4826", 1_800_000_000.0)
    assert 0 < pin.day_ends_s - 1_800_000_000.0 <= 86_400
    assert pin.good(pin.day_ends_s - 1, hearing=False)
    assert not pin.good(pin.day_ends_s, hearing=False)
    assert pin.good(pin.day_ends_s + 1, hearing=True)


def test_it_is_worth_nothing_after_the_last_wrong_one() -> None:
    used = QuickPin(hash="x", wrong=MOST_WRONG, day_ends_s=2e9)
    assert not used.good(1e9, hearing=True)
