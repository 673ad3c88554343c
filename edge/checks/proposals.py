"""What the corrector would change but is not sure enough of: one touch for the clerk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge.checks.finding import PROPOSAL, CheckedLine, Facts, Finding


def find(lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """The proposals that still fit the words of their lines."""
    for line in lines:
        for at, length, before, after, why in line.proposals:
            if line.text[at : at + length] == before:
                yield Finding(PROPOSAL, line.id, at, length, before, why, to=after)
