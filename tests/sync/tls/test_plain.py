"""What would cross a network without TLS is refused, or let be until a day; what stays on this machine is not asked."""

from __future__ import annotations

import datetime as dt

import pytest

from sync.errors import ConfigError
from sync.tls.plain import PlainPolicy, plain_url

DAY = dt.date(2027, 3, 1)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.5:8800", "HTTP://center.court.example", "http://[2001:db8::1]", "http://127.0.0.1.example"],
)
def test_http_to_another_machine_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ConfigError, match="https://") as refusal:
        PlainPolicy(None).warnings(plain_url("center.url", url))
    assert "plain_until" in refusal.value.message
    assert "center.url" in refusal.value.message


@pytest.mark.parametrize("url", ["", "https://center.court.example", "http://127.0.0.1:1", "http://[::1]/", "/media/x"])
def test_https_and_what_never_leaves_this_machine_are_taken(url: str) -> None:
    assert PlainPolicy(None).warnings(plain_url("center.url", url)) == []


def test_the_old_way_is_open_until_its_day_says_so_and_closes_by_itself() -> None:
    today = [DAY - dt.timedelta(days=1)]
    policy = PlainPolicy(DAY, lambda: today[0])
    wires = plain_url("center.url", "http://10.0.0.5")
    assert policy.is_open
    (said,) = policy.warnings(wires)
    assert "2027-03-01" in said
    assert "未加密" in said
    today[0] = DAY
    assert not policy.is_open
    with pytest.raises(ConfigError, match="2027-03-01"):
        policy.warnings(wires)
