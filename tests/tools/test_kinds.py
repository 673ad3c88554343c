"""A unit test is told from the others by what it reaches, and can start no process and reach no other machine."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.support import kinds
from tests.support.rooms import edge_room

pytestmark = pytest.mark.process  # else the guard of all tests would refuse before the one that is tested here


@pytest.fixture(scope="module")
def guard() -> kinds.Guard:
    return kinds.Guard()  # One for all: Python forgets no hook.


@pytest.fixture
def begun(guard: kinds.Guard) -> Iterator[kinds.Guard]:
    guard.begin()
    yield guard
    guard.end()


def _runs() -> None:
    subprocess.run(["true"], check=True)


def _calls_what_runs() -> None:
    (lambda: _runs())()


def test_what_a_helper_reaches_is_reached() -> None:
    assert kinds.reaches(_calls_what_runs, {}) == {"process"}
    assert kinds.reaches(edge_room.Room, {}) == {"service"}
    assert kinds.reaches(kinds.Guard, {}) == set()


def test_a_process_is_refused_and_told_also_when_the_error_is_caught(begun: kinds.Guard) -> None:
    with pytest.raises(RuntimeError, match="mark it `process`"):
        subprocess.run(["true"], check=True)
    assert len(begun.broken) == 1


def test_another_machine_is_refused_and_this_one_is_not(begun: kinds.Guard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    assert not begun.broken
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line, pytest.raises(RuntimeError, match="another machine"):
        line.connect(("192.0.2.1", 9))
    assert begun.broken
