"""What happens again and again is named in the log without filling it; whoever counts it knows how often it was."""

from __future__ import annotations

NAMED = 100
"""So many are a line each …"""
THEN_EVERY = 1000
"""… and then one of so many."""


def is_named(count: int) -> bool:
    """Whether the `count`-th of its kind, from 1 on, gets a line of the log."""
    return count <= NAMED or count % THEN_EVERY == 0
