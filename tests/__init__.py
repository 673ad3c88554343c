"""The tests; `tests.support` is theirs alone."""
