"""All checks, in the order in which their findings of a place are shown; and all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import structlog

from edge.checks import amounts, blanks, dates, doubled, names, notices, pairs, proposals, statutes
from edge.checks.finding import Check, CheckedLine, Facts, Finding, named

log = structlog.get_logger(__name__)

CHECKS: Final[Sequence[Check]] = (
    names.find,
    amounts.find,
    dates.find,
    statutes.find,
    pairs.find,
    notices.find,
    doubled.find,
    blanks.find,
    proposals.find,
)
_DEFECTS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
MOST: Final = 500
"""So many findings are shown; a transcript with more has other worries."""


def check(lines: Sequence[CheckedLine], facts: Facts) -> list[tuple[str, Finding]]:
    """Every finding with its id, in the order of the transcript. What a line says by itself is remembered by its text,
    so that a run after a change of one line costs little more than reading the lines."""
    place = {line.id: i for i, line in enumerate(lines)}
    found = named(finding for one in CHECKS for finding in _guarded(one, lines, facts))
    found.sort(key=lambda one: (place[one[1].line], one[1].at))
    return found[:MOST]


def _guarded(one: Check, lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """A check that trips over some words says nothing more; the others, and the room, go on."""
    try:
        yield from one(lines, facts)
    except _DEFECTS as error:
        log.error("check_failed", check=one.__module__, why=repr(error))
