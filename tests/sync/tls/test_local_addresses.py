"""The addresses of this machine are found by a process that may open no netlink socket, as a unit's is."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from sync.tls import local_addresses as asked
from sync.tls.local_addresses import local_addresses
from tests.support.paths import UNITS


def test_all_addresses_that_the_kernel_tells_by_netlink_are_found() -> None:
    stats = psutil.net_if_stats()
    told = {
        ipaddress.ip_address(address.address.partition("%")[0])
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if stats[name].isup and address.family in (socket.AF_INET, socket.AF_INET6)
    }
    assert {ipaddress.ip_address(text) for text in local_addresses()} == told


def test_no_unit_of_ours_opens_netlink_and_none_needs_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for unit in UNITS.glob("*.service"):
        assert "AF_NETLINK" not in unit.read_text(encoding="utf-8")
    opened: list[int] = []
    true = socket.socket

    def noted(family: int = -1, *rest: Any, **more: Any) -> socket.socket:
        opened.append(family)
        return true(family, *rest, **more)

    monkeypatch.setattr(socket, "socket", noted)
    assert "127.0.0.1" in local_addresses()
    assert set(opened) <= {socket.AF_INET}


def test_a_kernel_that_does_not_say_has_no_addresses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*_: object) -> bytes:
        raise PermissionError

    monkeypatch.setattr("fcntl.ioctl", refused)
    monkeypatch.setattr(asked, "_IPV6", tmp_path / "absent")
    assert local_addresses() == []
    (tmp_path / "absent").write_text("no address\n")
    assert local_addresses() == []
