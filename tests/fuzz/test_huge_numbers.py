"""Every message of both ends with numbers that no clock, disk or list has, where honest ones have theirs."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.events.admission import read_event
from sync.errors import CenterError
from sync.record.event import Event
from sync.record.hearing import Hearing
from tests.fuzz.targets import center_messages, event_door, live_tab, room_messages

EDGES = [2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, 10**19, 10**20, 10**308, 10**400]
HUGE = (
    st.sampled_from([*EDGES, *(-n for n in EDGES)])
    | st.integers(-(10**400), 10**400)
    | st.sampled_from([1e308, -1e308, 5e-324, float("inf"), float("nan")])
)
KEYS = (
    "room_ns",
    "at_ns",
    "a_ns",
    "_ns",
    "utc_ns",
    "number",
    "size",
    "bytes",
    "index",
    "page",
    "depth",
    "digits",
)
OF_MESSAGES = [
    (target, data[:1], json.loads(data[1:]))
    for target in (center_messages.target, room_messages.target)
    for data in (*center_messages.seeds(), *room_messages.seeds())
]
OF_EVENTS = [(event_door.target, b"", json.loads(data)) for data in event_door.seeds()]
OF_TABS = [(live_tab.target, b"", json.loads(data)) for data in live_tab.seeds()]
ALL = [*OF_MESSAGES, *OF_EVENTS, *OF_TABS]


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a message has a number or a text, and the objects in it, by their way from its top."""
    if isinstance(value, dict):
        yield at
        for key, item in value.items():
            yield from _places(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*at, index))
    else:
        yield at


def _put(message: Any, at: tuple[Any, ...], key: str, number: object) -> Any:
    """`message` with a number there; into an object it comes under `key`."""
    message = copy.deepcopy(message)
    inside: Any = message
    for step in at[:-1]:
        inside = inside[step]
    there = inside[at[-1]] if at else message
    if isinstance(there, dict):
        there[key] = number
    else:
        inside[at[-1]] = number
    return message


def _name(case: tuple[Any, bytes, Any]) -> str:
    target, kind, value = case
    first = value.get("kind") or "-".join(sorted(value))[:30]
    return f"{target.__module__.rpartition('.')[2]}-{kind.decode()}-{first}"


@pytest.mark.parametrize("case", ALL, ids=_name)
def test_a_huge_number_anywhere_breaks_nothing(case: tuple[Any, bytes, Any]) -> None:
    target, kind, message = case
    places = [*_places(message)]

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(places), st.sampled_from(KEYS), HUGE), min_size=1, max_size=3))
    def held(changes: list[tuple[tuple[Any, ...], str, object]]) -> None:
        changed = message
        for at, key, number in changes:
            try:
                changed = _put(changed, at, key, number)
            except (TypeError, KeyError, IndexError):
                continue  # another change took the place away
        target(kind + json.dumps(changed).encode())

    held()


def test_the_honest_ones_are_taken_and_are_of_every_kind_that_a_hearing_has() -> None:
    assert len(OF_EVENTS) > 18
    for _, _, value in OF_EVENTS:
        read_event("court1/c03", json.dumps(value).encode())


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([value for _, _, value in OF_EVENTS]), st.integers(-(2**63), 2**63 - 1), st.data())
def test_what_the_door_takes_folds_with_all_that_came_before(value: Any, number: int, data: st.DataObject) -> None:
    """One event with the largest times that are taken does not break the hearing that it is of."""
    at = data.draw(st.sampled_from([p for p in _places(value) if p]))
    changed = json.dumps(_put(value, at, "a_ns", number)).encode()
    try:
        received = read_event("court1/c03", changed)
    except CenterError:
        return
    honest = [Event.from_json(one) for _, _, one in OF_EVENTS]
    view = Hearing.of("h1", [*honest, received.event])
    json.dumps(view.to_json(), allow_nan=False).encode()
