"""What is compared of a case when hearings are filtered by it: its number in every spelling, its cause, its people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.text.case_number import case_number_key
from sync.text.equal import fold

_APART = "\n"
"""Folded text has no line ends, so nothing is found across two fields."""


def folded_case(case: Mapping[str, Any]) -> str:
    """Return the texts of a case as its `open` event has it, folded; the number also without brackets and 号."""
    number = str(case.get("case_no", ""))
    said = [number, *(str(case.get(key, "")) for key in ("cause", "title"))]
    parties = case.get("parties")
    said += [str(one) for pair in parties.items() for one in pair] if isinstance(parties, dict) else []
    return _APART.join(dict.fromkeys([case_number_key(number), *map(fold, said)]))


def folded_filter(wanted: str) -> list[str]:
    """Return what `folded_case` is asked for: either is enough."""
    return list(dict.fromkeys(key for key in (fold(wanted), case_number_key(wanted)) if key))
