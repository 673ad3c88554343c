"""The twelve steps, one file each, in the order of docs/integrity.md.

A step takes a `ExportCase` and yields its reasons; no step needs another to have run. `STEPS` is the registry: leaving
one out leaves out exactly what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wutong.verify.case import ExportCase
from wutong.verify.steps import (
    checkpoints,
    coverage,
    exporter,
    folder,
    leaves,
    media,
    rules,
    times,
    token,
    tree,
    witness,
    words,
)
from wutong.verify.verdict import Reason


@dataclass(frozen=True, slots=True)
class Step:
    """`number` counts from 1."""

    number: int
    name: str
    run: Callable[[ExportCase], Iterator[Reason]]


STEPS: tuple[Step, ...] = tuple(
    Step(number, name, run)
    for number, (name, run) in enumerate(
        (
            ("folder", folder.run),
            ("leaves", leaves.run),
            ("checkpoints", checkpoints.run),
            ("witness", witness.run),
            ("tree", tree.run),
            ("rules", rules.run),
            ("times", times.run),
            ("media", media.run),
            ("coverage", coverage.run),
            ("words", words.run),
            ("token", token.run),
            ("exporter", exporter.run),
        ),
        start=1,
    )
)
