"""A session ends when nobody has used it, and in any case after a day; each sign-in has a token of its own."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from sync.errors import AccessError
from sync.http.rights.people import ABSOLUTE_S, IDLE_S, MAX_SESSIONS, People


class Clock:
    """UTC that a test turns."""

    def __init__(self) -> None:
        self.now_s = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(tmp_path: Path, clock: Clock) -> People:
    return People.open(tmp_path / "access.json", {"clerk": "书记员"}, now_s=clock)


def sign_in(people: People) -> str:
    return people.sign_in(people.plain_codes()["clerk"], "127.0.0.1")[0]


def test_who_does_nothing_for_a_whole_recess_and_more_is_signed_out(people: People, clock: Clock) -> None:
    token = sign_in(people)
    clock.now_s += IDLE_S - 1
    assert people.session(token) is not None, "that was a use of it"
    clock.now_s += IDLE_S - 1
    assert people.session(token) is not None
    clock.now_s += IDLE_S
    assert people.session(token) is None
    clock.now_s -= IDLE_S
    assert people.session(token) is not None, "time that was only set wrong signs nobody out for good"


def test_who_never_rests_is_signed_out_after_a_day_all_the_same(people: People, clock: Clock) -> None:
    token, session = people.sign_in(people.plain_codes()["clerk"], "127.0.0.1")
    for _ in range(int(ABSOLUTE_S // 600) - 1):
        clock.now_s += 600
        assert people.keep(session)
    clock.now_s += 600
    assert not people.keep(session), "a socket that stays open does not outlive it"
    assert people.session(token) is None


def test_a_restart_forgets_neither_the_rest_nor_the_day(tmp_path: Path, people: People, clock: Clock) -> None:
    token = sign_in(people)
    again = People.open(tmp_path / "access.json", {"clerk": "书记员"}, now_s=clock)
    assert again.session(token) is not None
    clock.now_s += IDLE_S
    assert People.open(tmp_path / "access.json", {"clerk": "书记员"}, now_s=clock).session(token) is None


def test_each_sign_in_has_a_token_of_its_own_of_256_random_bits(people: People) -> None:
    tokens = {sign_in(people) for _ in range(20)}
    assert len(tokens) == 20
    assert {len(base64.urlsafe_b64decode(token + "=")) for token in tokens} == {32}
    assert len({token[:4] for token in tokens}) == 20, "and none is told by its beginning"


def test_a_token_that_was_there_before_signing_in_opens_nothing_after(people: People) -> None:
    planted = "x" * 43
    assert people.session(planted) is None
    token = sign_in(people)
    assert token != planted
    assert people.session(planted) is None
    people.sign_out(token)
    assert people.session(token) is None
    assert sign_in(people) != token


def test_the_id_of_a_session_in_logs_opens_nothing(people: People) -> None:
    token, session = people.sign_in(people.plain_codes()["clerk"], "127.0.0.1")
    assert session.id not in token
    assert people.session(session.id) is None
    assert people.sign_in(people.plain_codes()["clerk"], "127.0.0.1")[1].id != session.id


def test_more_sessions_than_there_are_people_end_the_one_that_rested_longest(people: People, clock: Clock) -> None:
    first = sign_in(people)
    for number in range(MAX_SESSIONS):
        clock.now_s += 1
        people.let_in("party", "赵律师", f"g{number}", clock.now_s + 1000)
    assert people.session(first) is None


def test_a_wrong_code_opens_no_session(people: People) -> None:
    with pytest.raises(AccessError):
        people.sign_in("WRONG-CODE", "127.0.0.1")
