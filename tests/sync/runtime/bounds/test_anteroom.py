"""Who waits at a door, and who makes room when it is full: a crowd displaces its own."""

from __future__ import annotations

from sync.runtime.bounds.anteroom import Anteroom


def test_a_crowd_of_one_origin_displaces_its_own_oldest() -> None:
    anteroom: Anteroom[str] = Anteroom(most=100, most_of_origin=2)
    assert anteroom.enters("a", "a1") is None
    assert anteroom.enters("a", "a2") is None
    assert anteroom.enters("a", "a3") == "a1"
    assert anteroom.enters("b", "b1") is None
    assert len(anteroom) == 3


def test_a_full_room_takes_in_whoever_comes_alone_at_the_cost_of_the_largest_crowd() -> None:
    anteroom: Anteroom[str] = Anteroom(most=4, most_of_origin=3)
    for who in ("a1", "a2", "a3"):
        assert anteroom.enters("a", who) is None
    assert anteroom.enters("b", "b1") is None
    assert anteroom.enters("c", "c1") == "a1"
    assert anteroom.enters("d", "d1") == "a2"


def test_among_many_that_came_alone_the_one_that_waited_longest_goes() -> None:
    anteroom: Anteroom[int] = Anteroom(most=8, most_of_origin=8)
    displaced = [anteroom.enters(f"10.0.0.{n}", n) for n in range(12)]
    assert displaced == [*[None] * 8, 0, 1, 2, 3]


def test_who_has_left_makes_room_once_and_a_proxy_has_no_bound_of_its_own() -> None:
    anteroom: Anteroom[int] = Anteroom(most=3, most_of_origin=1, boundless=["proxy"])
    assert [anteroom.enters("proxy", n) for n in range(3)] == [None, None, None]
    anteroom.leaves("proxy", 1)
    anteroom.leaves("proxy", 1)
    assert len(anteroom) == 2
    assert anteroom.enters("a", 9) is None
    assert anteroom.enters("b", 10) == 0
