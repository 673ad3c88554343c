"""All steps over one folder: the verdict, the reasons, and what the folder is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync.errors import WutongError
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from wutong.verify.case import FOLD_ERRORS, ExportCase
from wutong.verify.steps import STEPS, Step
from wutong.verify.verdict import Reason, Verdict, false, heaviest, shown

HOSTILE = (*FOLD_ERRORS, WutongError, OSError, AssertionError, *FOREIGN_ERRORS)
"""What a folder made to break the verifier may raise in a step: then that step says so, and the verdict is false."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """What `wutong verify` answers."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    """Heaviest first within the order of the steps; remarks last."""
    room: str
    hearing: str
    leaves: int
    media_bytes: int

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "verdict": self.verdict.word,
            "exit_code": int(self.verdict),
            "room": self.room,
            "hearing": self.hearing,
            "leaves": self.leaves,
            "media_bytes": self.media_bytes,
            "reasons": [reason.to_json() for reason in self.reasons],
        }


def examine(case: ExportCase, steps: Sequence[Step] = STEPS) -> Judgment:
    """Run `steps` (all, outside of tests) and judge; never raises for what a folder holds."""
    reasons: list[Reason] = []
    for step in steps:
        reasons += [replace(reason, step=step.number) for reason in _run(step, case)]
        if any(reason.code == "form" for reason in reasons):
            # Whatever differs may differ for that reason alone: nothing more is read.
            return Judgment(heaviest(reasons), tuple(reasons), room="", hearing="", leaves=0, media_bytes=0)
    reasons = list(dict.fromkeys(reasons))
    reasons.sort(key=lambda reason: reason.verdict is Verdict.AUTHENTIC)
    return Judgment(
        verdict=heaviest(reasons),
        reasons=tuple(reasons),
        room=shown(case.room),
        hearing=shown(str(case.known[0].hearing)) if case.known else "",
        leaves=len(case.leaves),
        media_bytes=_media_bytes(case),
    )


def _media_bytes(case: ExportCase) -> int:
    try:
        return sum(fact.bytes for fact in case.media.values())
    except HOSTILE:  # the step that reads the media has said so
        return 0


def _run(step: Step, case: ExportCase) -> Iterator[Reason]:
    try:
        yield from step.run(case)
    except HOSTILE as error:
        yield false("unreadable", f"{step.name}: {error!r}"[:200])
