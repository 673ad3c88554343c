"""From where people may use a server: its own address, those that its settings name, and nothing that claims so."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from sync.http.rights.origins import Origins, origin_of


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://Center.Example", "https://center.example"),
        ("https://center.example:443/", "https://center.example"),
        ("http://10.1.2.3:8080", "http://10.1.2.3:8080"),
        ("https://[FE80::1]:8443", "https://[fe80::1]:8443"),
        ("https://督查.example", "https://xn--fpr5a672n.example"),
    ],
)
def test_an_origin_has_one_spelling(text: str, said: str) -> None:
    assert origin_of(text).split("://")[0] == said.split("://")[0]
    if "xn--" in said:
        assert origin_of(text).startswith("https://xn--")
    else:
        assert origin_of(text) == said
    assert origin_of(origin_of(text)) == origin_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "center.example",
        "null",
        "*",
        "ftp://a",
        "https://",
        "https://a/b",
        "https://u@a",
        "http://a:99999",
        "http://[",
    ],
)
def test_what_is_no_origin_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"https://center\.example|port|IPv6") as caught:
        origin_of(text)
    assert str(caught.value)


def test_a_page_of_the_server_itself_or_of_a_named_address_is_let_in() -> None:
    origins = Origins([origin_of("https://court.example"), origin_of("https://10.0.0.5:8443")], "web.public_origin")
    assert origins.has("http://127.0.0.1:8800", "127.0.0.1:8800")
    for origin in ("https://court.example", "https://10.0.0.5:8443"):
        assert origins.has(origin, "127.0.0.1:8800")
    for origin in (
        "http://court.example",
        "https://court.example.evil.example",
        "https://court.example:444",
        "https://evil.example",
        "null",
        "",
    ):
        assert not origins.has(origin, "127.0.0.1:8800")
        assert not origins.has(origin, None)


def test_a_server_knows_itself_by_the_names_in_its_own_certificate() -> None:
    origins = Origins([], "web.public_origin", names=["Center.Court.Example.", "10.1.2.3"])
    assert origins.serves("center.court.example:8800")
    assert origins.serves("CENTER.court.example")
    for host in ("court.example", "x.center.court.example", "center.court.example.evil.example", "evil.example"):
        assert not origins.serves(host)
    assert not origins.has("https://center.court.example", "127.0.0.1:8800"), "a page of another address"


def test_the_refusal_names_the_address_and_the_setting() -> None:
    said = Origins([], "web.public_origin").refusal("https://court.example", "127.0.0.1:8800")
    for word in ("https://court.example", "127.0.0.1:8800", "web.public_origin", "another site", "反向代理"):
        assert word in said
    assert "<" not in Origins([], "x").refusal("https://<script>", "<b>")
    assert "<" not in Origins([], "x").refusal("https://court.example", "<b>")


@given(strategies.text(max_size=40), strategies.text(max_size=20))
def test_whatever_a_browser_says_is_judged(origin: str, host: str) -> None:
    origins = Origins(["https://court.example"], "web.public_origin")
    origins.has(origin, host)
    assert len(origins.refusal(origin, host)) < 1000
