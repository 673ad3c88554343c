"""Guessing is slowed down by key, and nobody's guesses keep a person out of the browser that they always use."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from server.factors.center_seal import CenterSeal
from server.factors.guess_limit import MOST_KEYS, GuessLimit
from server.factors.known_browsers import MOST_PERSONS, KnownBrowsers
from sync.errors import AccessError

SEAL = CenterSeal(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = CenterSeal(Ed25519PrivateKey.from_private_bytes(bytes(32)))
PERSON = "0123456789abcdef"


def waited(limit: GuessLimit, key: str) -> int:
    """So many seconds a key has to wait."""
    try:
        limit.check(key)
    except AccessError as error:
        return int("".join(c for c in error.message.partition("秒")[0] if c.isdigit()))
    return 0


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_wrong_answer_beyond_the_free_ones_doubles_the_wait_of_its_key_alone() -> None:
    clock = _Clock()
    limit = GuessLimit(free=3, most_s=60, now_s=clock)
    waits = []
    for _ in range(12):
        limit.failed("login wang")
        waits.append(waited(limit, "login wang"))
        limit.check("browser of wang")
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_what_lies_long_back_and_what_was_right_does_not_count() -> None:
    clock = _Clock()
    limit = GuessLimit(free=1, forget_s=100, now_s=clock)
    limit.failed("a")
    clock.now = 1000
    limit.failed("a")
    with pytest.raises(AccessError):
        limit.check("a")
    limit.succeeded("a")
    limit.check("a")


def test_a_crowd_of_keys_is_bounded() -> None:
    limit = GuessLimit(free=1)
    limit.failed("first")
    for number in range(MOST_KEYS):
        limit.failed(str(number))
    limit.check("first")


def test_a_browser_is_known_for_those_who_signed_in_in_it() -> None:
    known = KnownBrowsers(SEAL)
    cookie = known.with_person("", PERSON)
    key = known.key_for(cookie, PERSON)
    assert key
    assert known.key_for(cookie, "f" * 16) == ""
    assert known.key_for(known.with_person(cookie, PERSON), PERSON) == key
    for number in range(MOST_PERSONS):
        cookie = known.with_person(cookie, f"{number:016x}")
    assert known.key_for(cookie, PERSON) == ""
    assert known.key_for(cookie, f"{0:016x}")


def test_nobody_makes_a_browser_known_himself() -> None:
    assert KnownBrowsers(SEAL).key_for(KnownBrowsers(OTHER).with_person("", PERSON), PERSON) == ""


@given(st.text(max_size=300))
def test_what_is_no_cookie_of_ours_makes_nobody_known(cookie: str) -> None:
    assert KnownBrowsers(SEAL).key_for(cookie, PERSON) == ""
    assert SEAL.open("ticket", "", cookie) is None


def test_what_is_sealed_opens_for_its_purpose_and_owner_alone() -> None:
    sealed = SEAL.seal("totp", PERSON, "a secret")
    assert SEAL.open("totp", PERSON, sealed) == "a secret"
    assert SEAL.open("ticket", PERSON, sealed) is None
    assert SEAL.open("totp", "f" * 16, sealed) is None
    assert OTHER.open("totp", PERSON, sealed) is None
    assert sealed != SEAL.seal("totp", PERSON, "a secret")
