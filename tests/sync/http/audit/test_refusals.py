"""Refusals of strangers are counted: none is left out, and none of them makes the log grow without measure."""

from __future__ import annotations

import re

from sync.http.audit.refusals import FREE_LINES, MOST_ADDRESSES, OTHERS, RefusalCounter


def test_six_thousand_refusals_of_one_address_are_a_few_lines_that_add_up() -> None:
    now = [0.0]
    counter = RefusalCounter(lambda: now[0])
    lines = sum(not counter.counts("10.0.0.1", f"signed-out GET /api/{n % 50}") for n in range(5000))
    lines += sum(not counter.counts("10.0.0.1", "code") for _ in range(1000))
    assert lines == FREE_LINES
    assert counter.due() == []
    now[0] = 60.0
    assert counter.due() == [("10.0.0.1", f"{6000 - FREE_LINES} more: signed-out {5000 - FREE_LINES}, code 1000")]
    now[0] = 200.0
    assert counter.due() == []


def test_a_guesser_with_many_addresses_is_one_and_a_crowd_is_counted_together() -> None:
    counter = RefusalCounter(lambda: 0.0)
    for n in range(1000):
        counter.counts(f"2001:db8::{n:x}", "code")
    assert counter.due(now=True) == [("2001:db8::/64", "999 more: code 999")]
    for n in range(5000):
        counter.counts(f"10.0.{n >> 8}.{n & 255}", "code")
    assert counter.due(now=True) == [(OTHERS, f"{5000 - MOST_ADDRESSES} more: code {5000 - MOST_ADDRESSES}")]


def test_codes_that_somebody_invents_take_no_memory() -> None:
    counter = RefusalCounter(lambda: 0.0)
    for n in range(10_000):
        counter.counts("10.0.0.1", f"invented-{n} GET /")
    ((_, detail),) = counter.due(now=True)
    assert len(detail) < 500
    assert sum(int(n) for n in re.findall(r" (\d+)(?:,|$)", detail)) == 10_000 - FREE_LINES
