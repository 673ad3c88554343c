"""What a room's certificate may name: whoever has taken a room over must not become the center, or another room."""

from __future__ import annotations

import pytest

from server.tls.room_hosts import CertifiedHosts, hosts_for_room
from sync.tls.names import CENTER_HOST

CENTER = ["center.court.example", "10.0.0.1", "fd00::1", "center", "localhost", "127.0.0.1"]
KNOWN = CertifiedHosts(frozenset({"c03.court.example", "10.0.0.3"}), frozenset({"c04", "10.0.0.4", "fd00::4"}))


def granted(*asked: str, here: bool = False, renewed: bool = True, address: str = "10.0.0.33") -> list[str]:
    """What a room gets that asks for these."""
    return hosts_for_room(asked, center=CENTER, here=here, certified=KNOWN if renewed else None, address=address)


@pytest.mark.parametrize("renewed", [True, False])
@pytest.mark.parametrize("host", [CENTER_HOST, "center.court.example", "10.0.0.1", "fd00::1", "center"])
def test_the_center_s_names_are_the_center_s(host: str, renewed: bool) -> None:
    assert granted(host, renewed=renewed) == []


@pytest.mark.parametrize(
    "host",
    [
        *["c04", "10.0.0.4", "fd00::4", "www.bank.example", "court.example", "c04.court.example", "xn--fiqs8s.example"],
        *["intranet", "mail.local", "8.8.8.8", "10.0.0.34", "fe80::1"],
    ],
)
def test_by_itself_a_room_adds_no_name_of_another_or_of_a_site(host: str) -> None:
    assert granted(host) == []


def test_a_room_keeps_what_it_had_and_follows_its_network() -> None:
    wish = ("c03.court.example", "10.0.0.3", "10.0.0.33", "localhost", "127.0.0.1", "::1")
    assert granted(*wish) == sorted(wish)


def test_an_address_from_which_a_room_asks_may_still_be_another_s() -> None:
    assert granted("10.0.0.4", "10.0.0.1", address="10.0.0.4") == []
    assert granted("10.0.0.1", address="10.0.0.1") == []


def test_while_it_is_enrolled_who_gave_the_code_vouches_for_its_names() -> None:
    assert granted("new.court.example", "10.0.0.4", renewed=False) == ["10.0.0.4", "new.court.example"]


def test_a_room_on_the_center_s_machine_has_its_names_but_is_no_center() -> None:
    assert granted("center", "10.0.0.1", CENTER_HOST, here=True, renewed=False) == ["10.0.0.1", "center"]
