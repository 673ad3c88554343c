"""Places as settings name them."""

from __future__ import annotations

import pytest

from sync.tls.places import ListenPlace, checked_place, place_of


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Broker1.Court.Example:8883", ("broker1.court.example", 8883)),
        (" 10.0.0.7:1 ", ("10.0.0.7", 1)),
        ("[2001:DB8::1]:65535", ("2001:db8::1", 65535)),
        ("法院.example:1883", ("xn--9kq34j.example", 1883)),
    ],
)
def test_a_place_has_one_form_and_is_read_again_from_it(text: str, place: tuple[str, int]) -> None:
    found = place_of(text)
    assert found[1] == place[1]
    if text.isascii():
        assert found == place
    assert place_of(checked_place(text)) == found


@pytest.mark.parametrize(
    "text",
    ["", ":", "a", "a:", ":1", "a:0", "a:65536", "a:99999999999999999999", "a:1x", "a:-1", "::1:1", "a b:1", "a:١"],
)
def test_what_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|port"):
        place_of(text)


def test_what_stays_on_this_machine_is_told_from_what_leaves_it() -> None:
    assert ListenPlace("127.0.0.1", 1).is_local
    assert ListenPlace("::1", 1).is_local
    assert not ListenPlace("10.0.0.7", 1).is_local
