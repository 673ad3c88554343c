"""Codes of an app: RFC 6238's own examples, one use each, and a clock that is a little off."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from server.factors.totp import STEP_S, new_totp_secret, step_of_code, totp_code, totp_uri

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW_S = 1_800_000_000.0


@pytest.mark.parametrize(("at_s", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    assert totp_code(RFC_SECRET, at_s) == code


def test_a_code_opens_once_and_none_before_it_afterwards() -> None:
    secret = new_totp_secret()
    step = step_of_code(secret, totp_code(secret, NOW_S), NOW_S, last_step=0)
    assert step == int(NOW_S) // STEP_S
    assert step_of_code(secret, totp_code(secret, NOW_S), NOW_S, last_step=step) is None
    assert step_of_code(secret, totp_code(secret, NOW_S - STEP_S), NOW_S, last_step=step) is None


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(steps: int, taken: bool) -> None:
    secret = new_totp_secret()
    code = totp_code(secret, NOW_S + steps * STEP_S)
    assert (step_of_code(secret, code, NOW_S, 0) is not None) == taken


@pytest.mark.parametrize("said", ["", "28708", "2870820", "２８７０８２", "\ud800", "abcdef"])
def test_what_is_no_code_opens_nothing(said: str) -> None:
    assert step_of_code(RFC_SECRET, said, 59, -1) is None


def test_blanks_that_apps_show_say_nothing() -> None:
    assert step_of_code(RFC_SECRET, " 287 082 ", 59, -1) == 1


def test_the_address_of_the_qr_code_names_whose_it_is() -> None:
    uri = urlsplit(totp_uri(RFC_SECRET, "wang/fang", "五同督查中心"))
    asked = parse_qs(uri.query)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert asked["secret"] == [RFC_SECRET]
    assert asked["issuer"] == ["五同督查中心"]
    assert uri.path.count("/") == 1
