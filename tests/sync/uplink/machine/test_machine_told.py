"""The center is told how the room's machine is, and what is plugged into it; it keeps nothing else waiting."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.machine.facts import STEP_BYTES, MachineLook
from sync.uplink.machine.profile_told import DAY_S, ProfileTeller


@pytest.fixture
def layout(tmp_path: Path) -> RoomPaths:
    return RoomPaths(tmp_path)


@pytest.fixture
def room_log(layout: RoomPaths) -> Iterator[RoomLog]:
    log = RoomLog(layout.log)
    yield log
    log.close()


async def test_disk_version_and_what_waits_are_told(layout: RoomPaths, room_log: RoomLog) -> None:
    look = MachineLook(layout, room_log, lambda: (3, 4_000))
    assert look.current is None
    await look.look()
    facts = look.current
    assert facts is not None
    assert facts["disk_bytes"] is not None
    assert facts["disk_free_bytes"] is not None
    assert 0 <= facts["disk_free_bytes"] <= facts["disk_bytes"]
    assert facts["disk_free_bytes"] % STEP_BYTES == 0
    assert facts["version"]
    assert (facts["pending_events"], facts["pending_bytes"]) == (3, 4_000)
    assert (facts["certificate_until_utc_ms"], facts["selftest"]) == (None, None)


async def test_the_last_self_test_is_told_by_when_it_was_over(layout: RoomPaths, room_log: RoomLog) -> None:
    room_log.append("selftest", {"passed": False}, hearing=None, room_ns=1, utc_ns=5_000_000)
    room_log.append("selftest", {"passed": True, "tested_utc_ns": 7_000_000}, hearing=None, room_ns=2, utc_ns=9_000_000)
    look = MachineLook(layout, room_log, lambda: (0, 0))
    await look.look()
    assert look.current is not None
    assert look.current["selftest"] == {"utc_ms": 7, "passed": True}


async def test_what_cannot_be_read_is_null_and_ends_nothing(layout: RoomPaths, room_log: RoomLog) -> None:
    layout.keys.mkdir()
    layout.tls_certificate.write_bytes(b"no certificate")
    room_log.append("selftest", {}, hearing=None, room_ns=1, utc_ns=1)
    look = MachineLook(RoomPaths(layout.data / "gone"), room_log, lambda: (0, 0))
    await look.look()
    assert look.current is not None
    assert look.current["disk_bytes"] is None
    assert look.current["selftest"] is None


def teller(answer: Callable[[httpx.Request], httpx.Response]) -> ProfileTeller:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://center.example")
    return ProfileTeller(http, '[room]\ncourt = "j"\n', lambda: True)


async def test_the_profile_is_told_once_with_its_hash() -> None:
    told: list[httpx.Request] = []

    def center(request: httpx.Request) -> httpx.Response:
        told.append(request)
        return httpx.Response(200, json={})

    await teller(center).run()
    (request,) = told
    body = json.loads(request.content)
    assert request.url.path == "/api/rooms/profile"
    assert request.headers["X-Wutong"] == "1"
    assert body["sha256"] == hashlib.sha256(body["profile"].encode()).hexdigest()


@pytest.mark.parametrize(("status", "wait_s"), [(404, DAY_S), (405, DAY_S), (503, 0.0), (403, 0.0)])
async def test_a_center_of_before_is_asked_a_day_later_and_any_other_in_longer_turns(
    status: int, wait_s: float
) -> None:
    assert await teller(lambda request: httpx.Response(status)).tell() == wait_s


async def test_a_center_that_is_away_is_asked_again() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody")

    assert await teller(away).tell() == 0.0


def test_a_room_that_stands_alone_tells_nobody(layout: RoomPaths) -> None:
    assert ProfileTeller.of(None, "x", layout) is None
