"""The files for EMQX say what Mosquitto's say. No EMQX reads them here: it is their form that is looked at."""

from __future__ import annotations

import json
import re
from typing import Any

from sync.runtime.bounds.message_size import MAX_PACKET_BYTES
from tests.support.paths import UNITS
from wutong.broker_policy import MAX_CONNECTIONS, certified_rights_text
from wutong.emqx_policy import emqx_rights_text

_RULE = re.compile(r'\{(allow|deny), (all|\{username, "[a-z0-9-]+"\})(?:, (publish|subscribe), \[(.+)\])?\}\.')
_FILTER = re.compile(r'\{eq, "([^"]+)"\}|"([^"]+)"')


def settings() -> dict[str, Any]:
    lines = (UNITS / "wutong-emqx.conf").read_text(encoding="utf-8").splitlines()
    loaded: dict[str, Any] = json.loads("\n".join(line for line in lines if not line.startswith("#")))
    return loaded


def rules() -> list[tuple[str, str, str, list[str]]]:
    """(allow or deny, who, what, filters) of each rule."""
    found = []
    for line in emqx_rights_text(processes=8).splitlines():
        match = _RULE.fullmatch(line)
        assert match is not None, line
        verdict, who, act, filters = match.groups(default="")
        named = [one or other for one, other in _FILTER.findall(filters)]
        assert _FILTER.sub("", filters).strip(", ") == "", line
        found.append((verdict, who, act, named))
    return found


def test_each_topic_that_mosquitto_s_list_opens_is_opened_and_no_other() -> None:
    opened: dict[tuple[str, str], set[str]] = {}
    reader = ""
    for line in certified_rights_text(processes=8).splitlines():
        match line.split():
            case ["user", name]:
                reader = name
            case ["topic", act, topic]:
                for one in ("read", "write") if act == "readwrite" else (act,):
                    opened.setdefault((reader, one), set()).add(topic)
            case ["pattern", act, topic]:
                opened.setdefault(("all", act), set()).add(topic.replace("%u", "COURT/ROOM"))
    assert {who for who, _ in opened} == {"all", "center", *(f"center-{number}" for number in range(1, 9))}
    own = "${client_attrs.court}/${client_attrs.room}"
    words = {"publish": "write", "subscribe": "read"}
    said: dict[tuple[str, str], set[str]] = {}
    *allowed, last = rules()
    for verdict, who, act, named in allowed:
        assert verdict == "allow"
        assert all((own in one) == (who == "all") for one in named)
        name = who.removeprefix('{username, "').removesuffix('"}')
        said[name, words[act]] = {one.replace(own, "COURT/ROOM") for one in named}
    assert last == ("deny", "all", "", [])
    assert said == opened


def test_a_process_asks_for_the_topics_of_single_rooms_and_the_only_one_for_those_of_all() -> None:
    """`eq` is a filter as it stands; without it one of a single room is let in as well."""
    lines = [line for line in emqx_rights_text(processes=2).splitlines() if "subscribe" in line and "username" in line]
    assert ["{eq, " in line for line in lines] == [True, False, False]


def test_who_has_no_certificate_has_no_line_and_the_name_in_it_is_all_that_counts() -> None:
    whole = settings()
    mqtt, listeners = whole["mqtt"], whole["listeners"]
    assert (mqtt["peer_cert_as_username"], mqtt["peer_cert_as_clientid"]) == ("cn", "cn")
    assert (mqtt["max_packet_size"], mqtt["retain_available"], mqtt["max_qos_allowed"]) == (MAX_PACKET_BYTES, False, 1)
    assert [one["set_as_attr"] for one in mqtt["client_attrs_init"]] == ["court", "room"]
    assert not whole["retainer"]["enable"]
    assert whole["authorization"]["no_match"] == "deny"
    (tls,) = listeners.pop("ssl").values()
    assert tls["max_connections"] == MAX_CONNECTIONS
    assert tls["ssl_options"]["verify"] == "verify_peer"
    assert tls["ssl_options"]["fail_if_no_peer_cert"] is True
    assert all(one == {"default": {"enable": False, "bind": "127.0.0.1:0"}} for one in listeners.values())
