"""Cameras answer the question for them; strangers' answers are read strictly, and lead to no other machine."""

from __future__ import annotations

import pytest

from hardware.discovery.network_cameras import private_addresses, search
from hardware.discovery.probe_match import MOST_BYTES, read_probe_match
from tests.support.peers.discovery_peer import DiscoveryPeer, probe_match

LISTEN_S = 0.2


async def test_a_camera_that_answers_is_found_once_with_its_name_and_the_port_of_its_service() -> None:
    async with DiscoveryPeer("http://192.0.2.9:80/onvif/device_service http://127.0.0.1:8899/x").running() as peer:
        found = await search([], [("127.0.0.1", peer.port)], LISTEN_S)
    assert [(one.host, one.match.name, one.match.model, one.match.scheme, one.match.port) for one in found] == [
        ("127.0.0.1", "Court cam", "X1", "http", 8899)
    ]
    assert len(peer.asked) == 2  # datagrams get lost, so it is asked twice
    assert len(set(peer.asked)) == 1


async def test_an_answer_to_another_question_or_of_no_camera_is_none() -> None:
    printer = probe_match("{message}", types="wsdp:Device wprt:PrintDeviceType")
    async with DiscoveryPeer(answers=[probe_match("uuid:other"), printer, b"\0", b"<x/>"]).running() as peer:
        assert await search([], [("127.0.0.1", peer.port)], LISTEN_S) == []
    assert peer.asked


async def test_where_nobody_is_nothing_is_found_within_the_time() -> None:
    assert await search([], [("127.0.0.1", 9)], 0.05) == []


def test_only_private_networks_of_this_machine_are_asked() -> None:
    own = ["127.0.0.1", "10.1.2.3", "8.8.4.4", "192.168.5.6", "169.254.7.8", "fd00::1", "10.1.2.3"]
    assert private_addresses(own) == ["10.1.2.3", "192.168.5.6", "169.254.7.8"]


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + probe_match("m"),
        probe_match("m", scopes="x" * MOST_BYTES),
        probe_match("m", addresses="ftp://192.0.2.7/"),
        probe_match("m", addresses="http://192.0.2.7:99999/"),
        probe_match("m", addresses=""),
        b"\xff\xfe",
    ],
)
def test_what_no_honest_camera_says_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (its words are for a log)
        read_probe_match(data, "m", "192.0.2.7")


def test_a_name_holds_nothing_that_moves_a_cursor() -> None:
    scopes = "onvif://www.onvif.org/name/%1B%5B2Jcam onvif://www.onvif.org/hardware/" + "y" * 300
    match = read_probe_match(probe_match("m", scopes=scopes), "m", "192.0.2.7")
    assert match.name.isprintable()
    assert len(match.model) == 60
