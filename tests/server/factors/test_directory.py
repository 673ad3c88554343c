"""The court's directory: slapd says whose password it is, by TLS alone, and being away is no wrong password."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from server.factors.directory import Directory
from server.provider_settings import LdapSettings
from sync.errors import AccessError
from tests.support.peers.slapd_server import BASE, CENTER_PASSWORD, PEOPLE, SlapdServer, slapd

RIGHT = PEOPLE["wangfang"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlapdServer]:
    with slapd(tmp_path_factory.mktemp("slapd")) as running:
        yield running


def test_the_right_password_is_its_person_s_by_both_ways_of_tls(server: SlapdServer) -> None:
    for url in (f"ldaps://127.0.0.1:{server.tls_port}", f"ldap://127.0.0.1:{server.port}"):
        directory = Directory(server.settings(url=url), CENTER_PASSWORD)
        found = directory.entry_of("wangfang", RIGHT)
        assert found is not None
        assert found.subject == f"cn=person0,{BASE}"
        assert directory.entry_of("wangfang", RIGHT + "x") is None
        assert directory.entry_of("nobody", RIGHT) is None


def test_signs_in_a_login_are_signs_and_no_filter(server: SlapdServer) -> None:
    directory = Directory(server.settings(), CENTER_PASSWORD)
    assert directory.entry_of("li(an)*", PEOPLE["li(an)*"]) is not None
    for login in ("*", "wang*", "wangfang)(uid=*", "*)(|(uid=wangfang", "wangfang\0", "\\2a"):
        assert directory.entry_of(login, RIGHT) is None


def test_an_empty_password_is_nobody_s(server: SlapdServer) -> None:
    directory = Directory(server.settings(), CENTER_PASSWORD)
    assert directory.entry_of("wangfang", "") is None
    assert directory.entry_of("", RIGHT) is None
    assert directory.entry_of("wangfang", "\0") is None


def test_who_does_not_fit_the_court_s_filter_is_not_there(server: SlapdServer) -> None:
    assert Directory(server.settings(only="(cn=person1)"), CENTER_PASSWORD).entry_of("wangfang", RIGHT) is None
    assert Directory(server.settings(only="(cn=person0)"), CENTER_PASSWORD).entry_of("wangfang", RIGHT) is not None


def test_one_that_nobody_vouches_for_and_one_that_does_not_answer_are_away(server: SlapdServer) -> None:
    far = [server.settings(ca_file=None), server.settings(url="ldaps://127.0.0.1:1")]
    wrong = Directory(server.settings(), "not the center's")
    for directory in [*(Directory(one, CENTER_PASSWORD) for one in far)]:
        with pytest.raises(AccessError) as away:
            directory.entry_of("wangfang", RIGHT)
        assert away.value.code == "directory-away"
    with pytest.raises(AccessError):
        wrong.entry_of("wangfang", RIGHT)


@pytest.mark.parametrize(
    "said",
    [
        {"url": "ldap://directory.court.example", "start_tls": False, "base": BASE},
        {"url": "http://directory.court.example", "base": BASE},
        {"url": "ldaps://directory.court.example"},
        {"url": "ldaps://directory.court.example", "base": BASE, "bind_dn": "cn=center"},
        {"url": "ldaps://directory.court.example", "base": BASE, "only": "memberOf=x"},
        {"url": "ldaps://directory.court.example", "base": BASE, "login_attribute": "uid=*)(x"},
    ],
)
def test_settings_by_which_a_password_would_travel_open_or_nobody_be_found_are_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LdapSettings.model_validate(said)
