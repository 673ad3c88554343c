"""What happens for ever is in the log, and does not fill it."""

from sync.runtime.logs.seldom import is_named


def test_the_first_hundred_are_named_and_then_one_of_a_thousand() -> None:
    named = [count for count in range(1, 3001) if is_named(count)]
    assert named == [*range(1, 101), 1000, 2000, 3000]
