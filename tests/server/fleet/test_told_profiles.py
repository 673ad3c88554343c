"""A profile that a room tells is kept without a secret, or not at all."""

from __future__ import annotations

import hashlib

import pytest

from server.fleet.told_profiles import read_profile
from sync.errors import WutongError


@pytest.mark.parametrize(
    "text",
    [
        'password = "x"',
        '[[cameras]]\nid = "a"\nPassword = "geheim"',
        '[center]\napi_token = "x"',
        'a = [{ b = { client_secret = "x" } }]',
        '[[cameras]]\nurl = "rtsp://user:geheim@10.0.0.2/main"',
        'a = "http://10.0.0.2/cam?user=a&pwd=geheim"',
        "not toml",
        "a = " + "[" * 50 + "]" * 50,
        "a = " + "[" * 20_000 + "]" * 20_000,
    ],
)
def test_what_is_no_profile_or_has_a_secret_is_refused(text: str) -> None:
    with pytest.raises(WutongError) as refused:
        read_profile(text)
    assert refused.value.code == "profile"
    assert "geheim" not in refused.value.message


def test_where_a_secret_lies_may_be_said() -> None:
    text = '[[cameras]]\nid = "a"\nurl = "rtsp://10.0.0.2/main"\npassword = ""\npassword_file = "/etc/wutong/a"\n'
    assert read_profile(text) == text


def test_a_profile_that_is_not_the_one_whose_hash_was_sent_is_refused() -> None:
    text = 'name = "第一法庭"\n'
    assert read_profile(text, hashlib.sha256(text.encode()).hexdigest()) == text
    with pytest.raises(WutongError, match="校验值"):
        read_profile(text, hashlib.sha256(b"name = 1").hexdigest())
