"""What a mistake in our own code raises when some words are too much for it.

Promises nothing by itself: whoever adds something to words (marks, corrections, whose voice it was) catches these for
each utterance, logs them, and lets the words stand without it. Errors on which a person can act (`sync.errors`)
are none.
"""

from __future__ import annotations

from typing import Final

DEFECTS: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
