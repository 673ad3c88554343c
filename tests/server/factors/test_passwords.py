"""Which passwords are taken, and how they are compared."""

from __future__ import annotations

from typing import Literal

import pytest
from argon2 import PasswordHasher

from server.factors.passwords import PasswordHashes, PasswordRules
from server.factors.recovery_codes import COUNT, digest_of_code, new_recovery_codes
from sync.errors import AccessError

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "elevenchars",
        "password1234",
        "Password!!2026",
        "admin123admin123",
        "qwertyuiop1234",
        "aaaaaaaaaaaaaaa",
        "123456789012",
        "abcdefghijklmnop",
        "faguan123456!",
        "woaizhongguo1314",
        "wangfangwangfang1",
        "a" * 257,
        "tab\tand twelve",
    ],
)
def test_what_guessers_try_first_is_refused_with_its_reason(password: str) -> None:
    with pytest.raises(AccessError) as refused:
        PasswordRules().check(password, "wangfang", "王芳")
    assert refused.value.code == "weak-password"
    assert "(" in refused.value.message


@pytest.mark.parametrize(
    "password", ["correct horse battery", "铁马冰河入梦来不及问归期何时", "vX9-kept-in-a-safe", "liebe geht durch"]
)
def test_nothing_is_asked_of_signs_or_languages(password: str) -> None:
    PasswordRules().check(password, "wangfang", "王芳")


def test_the_least_length_is_the_court_s_own() -> None:
    PasswordRules(8).check("horse-99", "wangfang", "王芳")
    with pytest.raises(AccessError):
        PasswordRules(16).check("correct horses", "wangfang", "王芳")


def test_a_password_is_the_same_however_a_keyboard_composes_it() -> None:
    hashes = PasswordHashes(QUICK)
    assert hashes.is_right(hashes.make("cafe\u0301 am Morgen"), "caf\u00e9 am Morgen")


def test_nobody_s_password_is_never_right_and_costs_the_same() -> None:
    asked: list[str] = []

    class Counted(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            asked.append(str(hash))
            return QUICK.verify(hash, password)

    hashes = PasswordHashes(Counted(time_cost=1, memory_cost=8, parallelism=1))
    assert not hashes.is_right(None, "nobody has this password")
    assert not hashes.is_right("", "nobody has this password")
    assert not hashes.is_right(hashes.make(""), "")
    assert not hashes.is_right("no hash", "anything")
    assert len(asked) == 4


def test_recovery_codes_are_ten_random_and_read_however_they_are_typed() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == COUNT
    assert {digest_of_code(code.lower().replace("-", " ")) for code in codes} == {digest_of_code(c) for c in codes}
    assert all(len(code.replace("-", "")) * 4.95 > 80 for code in codes)
