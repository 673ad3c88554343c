"""The types of the events' bodies say what rooms have written, and cost nobody pydantic who does not ask for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from sync.ledger.leaf import read_leaf
from sync.record.bodies import BODIES, CHECKED
from sync.record.bodies.limits import Limits
from sync.record.event import AFTER_SEAL, Event
from sync.record.hearing import _HANDLERS
from tests.support.paths import ROOT

LEAVES = ROOT / "tests" / "export" / "golden" / "wutong-export-2" / "export" / "ledger" / "leaves.jsonl"
TYPES: dict[str, TypeAdapter[Any]] = {kind: TypeAdapter(body) for kind, body in BODIES.items()}


def leaves() -> Iterator[Event]:
    for line in LEAVES.read_bytes().splitlines():
        event = read_leaf(line)
        if event.kind != "revision" or "changes" in event.body:  # its first form is only folded, never written any more
            yield event


def test_every_kind_that_is_folded_or_sealed_has_a_body() -> None:
    assert set(_HANDLERS) | AFTER_SEAL | CHECKED <= set(BODIES)


def test_what_rooms_have_written_is_of_its_type_and_says_nothing_more() -> None:
    kinds = set()
    for event in leaves():
        assert TYPES[event.kind].validate_python(event.body) == event.body, event  # what is not known falls out
        kinds.add(event.kind)
    assert len(kinds) > 12


@pytest.mark.parametrize("kind", ["open", "segment", "revision"])
def test_a_key_that_the_type_does_not_know_would_be_noticed(kind: str) -> None:
    body = next(event.body for event in leaves() if event.kind == kind)
    assert TYPES[kind].validate_python({**body, "surprise": 1}) == body


@pytest.mark.parametrize("module", ["sync.record.bodies", "sync.record.hearing", "recorder.event_writer"])
def test_whoever_writes_or_folds_events_loads_no_pydantic(module: str) -> None:
    code = f"import sys, {module}; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_limits_mean_the_same_to_pydantic_as_its_own() -> None:
    said: dict[str, Any] = {"strict": True, "ge": 1, "le": 5}
    ours, its = TypeAdapter(Annotated[int, Limits(**said)]), TypeAdapter(Annotated[int, Field(**said)])
    assert ours.json_schema() == its.json_schema()
    for value in (1, 5, 0, 6, "3", 2.0, True, None):
        try:
            expected: object = its.validate_python(value)
        except ValidationError as error:
            expected = error.errors(include_url=False)
        try:
            found: object = ours.validate_python(value)
        except ValidationError as error:
            found = error.errors(include_url=False)
        assert found == expected
