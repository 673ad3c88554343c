"""Every reader of foreign bytes keeps its promises: on honest bytes, on what once broke it, and near to both."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz import run
from tests.fuzz.mutations import mutated


def _module(name: str) -> Any:
    return importlib.import_module(f"tests.fuzz.targets.{name}")


@pytest.mark.parametrize("name", run.TARGETS)
def test_honest_bytes_and_what_once_broke_it_are_held(name: str) -> None:
    module = _module(name)
    seeds = [*module.seeds()]
    assert seeds
    for data in (*seeds, *getattr(module, "FOUND", ()), b"", b"\0", b"\xff" * 64):
        module.target(data)


@pytest.mark.parametrize("name", run.TARGETS)
def test_bytes_near_to_honest_ones_are_held(name: str) -> None:
    module = _module(name)

    @settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(mutated([*module.seeds()]))
    def held(data: bytes) -> None:
        module.target(data)

    held()


def test_without_guidance_the_same_targets_run() -> None:
    taken: list[bytes] = []
    assert run.unguided(taken.append, [b"seed"], 0.0) == 0
    assert not taken
