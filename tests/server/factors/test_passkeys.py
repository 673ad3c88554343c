"""A passkey opens where it was made, for its question, with its user verified, and a copy of it not at all."""

from __future__ import annotations

from typing import Any

import pytest

from server.factors.passkeys import (
    KeptPasskey,
    PasskeyPlace,
    counter_of_answer,
    made_passkey,
    passkey_creation,
    passkey_question,
    read_kept_passkey,
    user_handle,
)
from sync.errors import AccessError
from tests.support.soft_passkey import SoftPasskey

PLACE = PasskeyPlace.of("https://center.court.example:8800")
PERSON = "0123456789abcdef"


def made(passkey: SoftPasskey, **lies: Any) -> tuple[KeptPasskey, int]:
    options, challenge = passkey_creation(PLACE, "五同", PERSON, "wangfang", "王芳", [])
    return made_passkey(PLACE, challenge, passkey.made(options, lies.pop("origin", PLACE.origin), **lies))


def test_what_was_made_is_kept_and_answers() -> None:
    passkey = SoftPasskey(PLACE.host)
    kept, counter = made(passkey)
    assert read_kept_passkey(kept.model_dump_json()) == kept
    options, challenge = passkey_question(PLACE, [kept])
    assert [one["id"] for one in options["allowCredentials"]] == [kept.credential]
    assert options["userVerification"] == "required"
    answer = passkey.answer(options, PLACE.origin, person=PERSON)
    assert user_handle(answer) == PERSON
    assert counter_of_answer(PLACE, challenge, answer, kept, counter) == 1


def test_a_device_that_has_not_verified_its_user_is_refused() -> None:
    with pytest.raises(AccessError, match="passkey was not accepted"):
        made(SoftPasskey(PLACE.host), verified=False)
    passkey = SoftPasskey(PLACE.host)
    kept, counter = made(passkey)
    options, challenge = passkey_question(PLACE, [kept])
    with pytest.raises(AccessError):
        counter_of_answer(PLACE, challenge, passkey.answer(options, PLACE.origin, verified=False), kept, counter)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://center.court.example:8800", "https://center.court.example"]
)
def test_an_answer_to_another_page_is_refused(origin: str) -> None:
    passkey = SoftPasskey(PLACE.host)
    kept, counter = made(passkey)
    options, challenge = passkey_question(PLACE, [kept])
    with pytest.raises(AccessError):
        counter_of_answer(PLACE, challenge, passkey.answer(options, origin), kept, counter)


def test_an_answer_to_another_question_and_one_of_another_passkey_are_refused() -> None:
    passkey, stranger = SoftPasskey(PLACE.host), SoftPasskey(PLACE.host)
    kept, counter = made(passkey)
    options, challenge = passkey_question(PLACE, [kept])
    earlier, _ = passkey_question(PLACE, [kept])
    with pytest.raises(AccessError):
        counter_of_answer(PLACE, challenge, passkey.answer(earlier, PLACE.origin), kept, counter)
    with pytest.raises(AccessError):
        counter_of_answer(PLACE, challenge, stranger.answer(options, PLACE.origin), kept, counter)


def test_a_copy_whose_counter_lags_is_refused() -> None:
    passkey = SoftPasskey(PLACE.host, counter=5)
    kept, _ = made(passkey)
    options, challenge = passkey_question(PLACE, [kept])
    answer = passkey.answer(options, PLACE.origin)
    with pytest.raises(AccessError):
        counter_of_answer(PLACE, challenge, answer, kept, 6)
    assert counter_of_answer(PLACE, challenge, answer, kept, 5) == 6


@pytest.mark.parametrize(
    "said", [{}, {"id": 3}, {"id": "A" * 3000}, {"id": "AAAA", "response": {"clientDataJSON": "x" * 20000}}]
)
def test_what_is_no_answer_is_refused_in_words(said: dict[str, Any]) -> None:
    kept, counter = made(SoftPasskey(PLACE.host))
    _, challenge = passkey_question(PLACE, [kept])
    for refusing in (
        lambda: counter_of_answer(PLACE, challenge, said, kept, counter),
        lambda: made_passkey(PLACE, challenge, said),
    ):
        with pytest.raises(AccessError) as refused:
            refusing()
        assert refused.value.code == "passkey"


@pytest.mark.parametrize(
    "origin", ["https://10.1.2.3", "https://[fd00::1]:8800", "http://center.court.example", "null", ""]
)
def test_a_page_without_a_name_or_https_has_no_passkeys(origin: str) -> None:
    with pytest.raises(AccessError) as refused:
        PasskeyPlace.of(origin)
    assert refused.value.code == "passkey-place"


def test_a_machine_s_own_page_has() -> None:
    assert PasskeyPlace.of("http://localhost:8800").host == "localhost"
