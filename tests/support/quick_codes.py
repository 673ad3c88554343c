"""Sign-in codes that cost little: a hash that a thief would have to pay for is paid at every start of a test's server.

Only in the process of the tests, never in the product, of which `tests/sync/http/rights/test_codes.py` is.
"""

from __future__ import annotations

import functools

from argon2 import PasswordHasher

from edge.clerks import quick_pin
from sync.http.rights import people

DEAR = PasswordHasher
"""What the product uses, with its own parameters."""


def make_quick() -> None:
    """From here on, in this process."""
    quick = functools.partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    setattr(people, "PasswordHasher", quick)  # noqa: B010 - a class is replaced by what makes one
    setattr(quick_pin, "_hasher", quick)  # noqa: B010
