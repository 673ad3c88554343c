"""Who sits in a hearing, by name: the bench and the clerk as the case names them, folded to be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.record.signers import bench_of
from sync.text.equal import fold
from sync.text.names import split_names

_CHARS = 200
MOST_SITTING = 64


def sitting_of(case: Any) -> list[str]:
    """The folded names of a case's bench and clerk, none twice; none where nothing can be read of it."""
    parties = case.get("parties") if isinstance(case, Mapping) else None
    if not isinstance(parties, Mapping):
        return []
    bench = bench_of(case)
    names = [
        name
        for role, said in parties.items()
        if role in bench and isinstance(said, str)
        for name in split_names(said)[:MOST_SITTING]
    ]
    folded = (folded_name(name) for name in names)
    return list(dict.fromkeys(name for name in folded if name))[:MOST_SITTING]


def folded_name(name: str) -> str:
    """A name as `sittings` has it."""
    return fold(name)[:_CHARS]
