"""How much may be handed on at a time: a flood for the rooms of one owner leaves places for everybody else's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from server.leases.center_process import CenterProcess, colleague_by_address, colleague_by_certificate
from server.leases.forward_bounds import IN_ALL, OF_ONE_OWNER, OF_ONE_ROOM, ForwardBounds
from sync.http.wire.connection import DoorLimits
from sync.tls.certificates import PeerIdentity
from tests.support.peers.tls_court import utc_now


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as made:
        yield made


def flood(bounds: ForwardBounds, stack: contextlib.ExitStack, owner: str, rooms: int, each: int) -> int:
    """As much as is let through of rooms that all ask so often."""
    taken = 0
    for _ in range(each):
        for number in range(rooms):
            if bounds.has_place(f"{owner}/{number}", owner):
                stack.enter_context(bounds.place(f"{owner}/{number}", owner))
                taken += 1
    return taken


def test_of_one_room_and_to_one_owner_so_many_are_on_their_way(stack: contextlib.ExitStack) -> None:
    bounds = ForwardBounds()
    assert flood(bounds, stack, "a", 1, 100) == OF_ONE_ROOM
    assert flood(bounds, stack, "b", 1000, 1) == OF_ONE_OWNER
    assert not bounds.has_place("b/new", "b")
    assert bounds.has_place("c/new", "c")


def test_rooms_that_pour_leave_half_of_their_owner_s_places_to_the_others(stack: contextlib.ExitStack) -> None:
    bounds = ForwardBounds()
    assert flood(bounds, stack, "a", 30, OF_ONE_ROOM) == OF_ONE_OWNER // 2
    assert not bounds.has_place("a/3", "a")
    assert flood(bounds, stack, "a", 60, 1) == 30, "those that had nothing under way"


def test_all_together_is_bounded_and_what_is_over_leaves_nothing_behind() -> None:
    bounds = ForwardBounds()
    with contextlib.ExitStack() as stack:
        assert sum(flood(bounds, stack, owner, 1000, 1) for owner in "abc") == IN_ALL
        assert not bounds.has_place("d/1", "d")
    assert bounds.under_way == 0
    assert bounds.has_place("d/1", "d")
    assert not bounds._of_room
    assert not bounds._of_owner


def test_the_owner_s_door_has_places_for_all_that_one_process_may_send_it() -> None:
    assert DoorLimits().of_colleague >= OF_ONE_OWNER + IN_ALL // 4, "those that are kept open between requests too"


def test_another_process_is_known_by_its_certificate_and_by_its_address_only_where_there_is_none() -> None:
    def shown(name: str) -> PeerIdentity:
        return PeerIdentity(name, 1, utc_now())

    source = CenterProcess(7, "http://127.0.0.1:8807").source
    assert source is not None
    assert colleague_by_address(source, None) == source
    assert colleague_by_certificate("10.0.0.7", shown("center-7")) == "center-7"
    for name in ("center", "center-0", "center-65", "center-07", "court1/c03", "broker"):
        assert colleague_by_certificate(source, shown(name)) == "", name
    assert colleague_by_certificate(source, None) == ""
    for address in ("127.0.0.1", "127.0.88.0", "127.0.88.65", "10.0.88.1", "?"):
        assert colleague_by_address(address, None) == "", address
    for elsewhere in ("https://10.0.0.7:8801", "http://[::1]:8801", "https://center.example:8801"):
        assert CenterProcess(1, elsewhere).source is None
