"""Which tests are `unit`: those that need no device, broker, browser, model or other process, and are quick.

A test is `unit` unless it bears one of the markers of `OTHERS`. Most of them nobody writes: what a test, its fixtures
and the helpers of tests/ that they name reach tells whether it starts a process or a broker. What is reached only
through the product cannot be seen like that, so `Guard` fails a unit test that starts a process or connects to another
machine, and says which marker it lacks.
"""

from __future__ import annotations

import inspect
import ipaddress
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

OTHERS = ("alone", "browser", "broker", "device", "model", "process", "service", "slow")

REACHED = {
    "subprocess": "process",
    "multiprocessing": "process",
    "asyncio.create_subprocess_exec": "process",
    "sync.runtime.process.child_process.ChildProcess.start": "process",
    "tests.support.peers.uplink_peers.Mosquitto": "broker",
    "tests.support.peers.center_peers.mosquitto": "broker",
    "tests.support.peers.tls_court.certified_broker": "broker",
    "tests.support.peers.nats_broker.NatsBroker": "broker",
    "tests.support.peers.postgres_server.PostgresServer": "process",
    "tests.support.peers.postgres_server.migrated_database": "process",
    "tests.support.peers.seaweed_server.SeaweedServer": "process",
    "tests.support.rooms.recorder_room.RecorderRoom": "device",
    "tests.support.peers.pulse_peer": "device",
    "tests.support.peers.rtsp_peer": "device",
    "tests.support.rooms.edge_room.Room": "service",
    "tests.support.rooms.running_demo.Demo": "process",
    "playwright.sync_api": "browser",
    "playwright.async_api": "browser",
    "tests.support.browsers.firefox.firefox": "browser",
    "transcriber.recognition.process.EngineProcess.start": "process",
}
"""What is no part of a unit test, and the marker of who needs it: a module, or what a module defines."""


def mark(items: list[pytest.Item]) -> None:
    """Give each test the markers of what it reaches, or `unit`."""
    known: dict[object, frozenset[str]] = {}
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        reached = set(reaches(item.function, known))
        for definitions in item._fixtureinfo.name2fixturedefs.values():
            for definition in definitions:
                reached |= reaches(definition.func, known)
        for name in sorted(reached):
            item.add_marker(name)
        if not any(item.get_closest_marker(name) for name in OTHERS):
            item.add_marker("unit")


def reaches(thing: object, known: dict[object, frozenset[str]]) -> frozenset[str]:
    """The markers of what a function or class of tests/ names, and what that names."""
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if (marker := REACHED.get(_name(thing))) is not None:
        return frozenset({marker})
    if not isinstance(thing, types.FunctionType | type) or not thing.__module__.startswith("tests."):
        return frozenset()
    if thing not in known:
        known[thing] = frozenset()  # Two that name each other add nothing to one another.
        found: set[str] = set()
        for function in _functions(thing):
            for name in _names(function.__code__):
                named = function.__globals__.get(name)
                found |= reaches(named, known)
        known[thing] = frozenset(found)
    return known[thing]


def _name(thing: object) -> str:
    if isinstance(thing, types.ModuleType):
        return thing.__name__
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"


def _functions(thing: types.FunctionType | type) -> Iterator[types.FunctionType]:
    if isinstance(thing, types.FunctionType):
        yield thing
        return
    for base in thing.__mro__:
        if base.__module__.startswith("tests."):
            for value in vars(base).values():
                value = inspect.unwrap(value) if callable(value) else value
                if isinstance(value, types.FunctionType):
                    yield value


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


class Guard:
    """Refuses what is no part of a unit test while one runs, whoever asks for it, in whichever thread."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._on = False
        sys.addaudithook(self._heard)

    def begin(self) -> None:
        self.broken.clear()
        self._on = True

    def end(self) -> None:
        self._on = False

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event in ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.system", "os.exec"):
            self._refuse(f"starts a process: {event} {arguments[:2]!r}", "process")
        elif event in ("socket.connect", "socket.sendto") and _is_elsewhere(arguments[1]):
            self._refuse(f"connects to another machine: {arguments[1]!r}", "device")

    def _refuse(self, what: str, marker: str) -> None:
        """Who called may catch the error; the test fails all the same."""
        self.broken.append(f"a unit test {what}; mark it `{marker}`, or one of {', '.join(OTHERS)}")
        raise RuntimeError(self.broken[-1])


def _is_elsewhere(address: Any) -> bool:
    if not isinstance(address, tuple) or not isinstance(address[0], str):
        return False  # A socket of this machine's file system.
    if address[0] in ("", "localhost"):
        return False
    try:
        return not ipaddress.ip_address(address[0].partition("%")[0]).is_loopback
    except ValueError:
        return True
