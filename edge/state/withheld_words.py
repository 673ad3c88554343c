"""What is said about the words of a hearing beside the hearing itself, without what may not be seen of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from edge.state.shown import ShownFinding, ShownSigning
from sync.record.hearing import Hearing
from sync.record.sealed_parts import PLACEHOLDER, Unseen
from sync.record.withheld import hides_line


def read_lines(hearing: Hearing | None, unseen: Unseen) -> set[str]:
    """The ids of the lines that may be read."""
    lines = [] if hearing is None else hearing.utterances
    return {line.id for line in lines if not hides_line(line, unseen)}


def checks_withheld(checks: Sequence[ShownFinding], hearing: Hearing | None, unseen: Unseen) -> list[ShownFinding]:
    """Findings about lines that may be read, at both of their places."""
    read = read_lines(hearing, unseen)
    return [one for one in checks if one["line"] in read and (one["also"] is None or one["also"]["line"] in read)]


def signing_withheld(signing: ShownSigning | None, hearing: Hearing | None, unseen: Unseen) -> ShownSigning | None:
    """Who has signed, without what was objected to in lines that may not be read, and without characters of words."""
    if signing is None:
        return None
    read = read_lines(hearing, unseen)
    # They are JSON already, as the screens get them.
    said = cast("list[dict[str, Any]]", signing["objections"])
    hidden = {"text": PLACEHOLDER, "wants": "", "reason": ""}
    objections: Any = [one if one["line"] in read else {**one, **hidden} for one in said]
    return {**signing, "objections": objections, "unprinted": []}
