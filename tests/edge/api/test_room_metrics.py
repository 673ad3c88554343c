"""What a courtroom says to monitoring, collected by the edge for all its services, and nothing of any case."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from edge.api import room_metrics as m
from sync.room.feed import FeedServer
from tests.support.peers.scraper import GOOD, TOKEN, scraped
from tests.support.rooms.edge_room import CASE, Room

TRACK = {"id": "bench", "fragments": 90, "waiting": 2, "dropped": 1, "gaps": 3, "gap_ns": 1_500_000_000}


class MeasuredRoom:
    """A room whose panel's port answers the token, and the uplink's feed beside those that `Room` has."""

    def __init__(self, room: Room, http: httpx.AsyncClient) -> None:
        self.room = room
        self.http = http
        self.uplink = FeedServer(room.layout.feed("uplink"))

    async def scrape(self) -> dict[str, float]:
        """`name{a="b"}` -> value."""
        return await scraped(self.http)

    async def until(self, name: str, value: float | None) -> dict[str, float]:
        """The first scrape in which a sample has this value."""
        async with asyncio.timeout(30):
            while (found := await self.scrape()).get(name) != value:
                await asyncio.sleep(0.05)
        return found


@pytest_asyncio.fixture
async def measured(tmp_path: Path, people: tuple[Path, str]) -> AsyncIterator[MeasuredRoom]:
    token = tmp_path / "metrics.token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    async with (
        Room(tmp_path, *people, more='[metrics]\ntoken_file = "metrics.token"\n') as room,
        httpx.AsyncClient(base_url=room.base, timeout=30, trust_env=False) as http,
    ):
        one = MeasuredRoom(room, http)
        await one.uplink.start()
        yield one
        await one.uplink.stop()


async def test_what_the_services_count_is_said_for_them(measured: MeasuredRoom) -> None:
    room = measured.room
    room.recorder.feed.publish_json("counts", {"tracks": [TRACK], "events_waiting": 4}, retain=True)
    room.transcriber.publish_json("counts", {"waiting_turns": 5, "waiting_hearings": 1}, retain=True)
    link: dict[str, Any] = {
        "broker": True,
        "center": False,
        "pending_events": 8,
        "pending_bytes": 9,
        "refused_events": 0,
    }
    link |= {"last_receipt_utc_ns": 1, "watched": [], "trust": "not-enrolled"}
    measured.uplink.publish_json("link", link, retain=True)
    counts: dict[str, Any] = {
        "oldest_pending_utc_ns": 1,
        "receipted_events": 6,
        "pending_files": 7,
        "upload_refused": True,
    }
    counts |= {"backlog_bytes": 11, "clock_ahead_s": -0.5}
    measured.uplink.publish_json("counts", counts, retain=True)
    await measured.until('wutong_recorder_fragments_total{track="bench"}', 90)
    await measured.until("wutong_transcriber_queue", 5)
    found = await measured.until("wutong_uplink_receipted_events_total", 6)
    assert found['wutong_recorder_gap_seconds_total{track="bench"}'] == 1.5
    assert found['wutong_recorder_dropped_total{track="bench"}'] == 1
    assert found['wutong_recorder_track_running{track="bench"}'] == 1
    assert found["wutong_recorder_events_waiting"] == 4
    assert found["wutong_uplink_outbox_events"] == 8
    assert found["wutong_uplink_center_reachable"] == 0
    assert found["wutong_uplink_oldest_event_age_seconds"] > 1e9
    assert found["wutong_room_clock_ahead_seconds"] == -0.5
    assert found['wutong_uplink_trust{state="not-enrolled"}'] == 1
    assert found['wutong_uplink_trust{state="ok"}'] == 0
    assert found['wutong_transcriber_state{state="ready"}'] == 1
    for service in ("recorder", "transcriber", "uplink", "signer"):
        assert found[f'wutong_room_service_up{{service="{service}"}}'] == 1


async def test_a_service_that_goes_takes_its_numbers_along_and_no_others(measured: MeasuredRoom) -> None:
    room = measured.room
    room.transcriber.publish_json("counts", {"waiting_turns": 5, "waiting_hearings": 1}, retain=True)
    await measured.until("wutong_transcriber_queue", 5)
    await room.transcriber.stop()
    found = await measured.until('wutong_room_service_up{service="transcriber"}', 0)
    assert "wutong_transcriber_queue" not in found
    assert found['wutong_room_service_up{service="recorder"}'] == 1
    assert found['wutong_scrape_part_up{part="transcriber"}'] == 1


async def test_counts_of_another_form_cost_their_own_numbers_alone(measured: MeasuredRoom) -> None:
    room = measured.room
    wrong: list[Any] = [
        {"tracks": [{**TRACK, "fragments": "90"}], "events_waiting": 0},
        {"tracks": "many"},
        [1],
        {"tracks": [{**TRACK, "id": "(2026)黑05民初123号"}], "events_waiting": 1},
    ]
    for value in wrong:
        room.recorder.feed.publish_json("counts", value)
    room.recorder.feed.publish("counts", b"\xff\x00")
    room.recorder.feed.publish("counts", b"[" * 100_000)
    right = {"tracks": [TRACK, {**TRACK, "id": "unknown"}], "events_waiting": 2}
    room.recorder.feed.publish_json("counts", right, retain=True)
    found = await measured.until("wutong_recorder_events_waiting", 2)
    assert {name for name in found if name.startswith("wutong_recorder_fragments")} == {
        'wutong_recorder_fragments_total{track="bench"}'
    }


async def test_no_case_no_hearing_and_no_name_is_in_a_scrape(measured: MeasuredRoom) -> None:
    hearing = await measured.room.open()
    found = await measured.until("wutong_room_in_hearing", 1)
    assert found[f'wutong_room_info{{room="jianshan/c03",version="{version("wutong")}"}}'] == 1
    text = (await measured.http.get("/metrics", headers=GOOD)).text
    for secret in (hearing["id"], CASE["case_no"], CASE["cause"], "审判", "原告", "法院", TOKEN, measured.room.code):
        assert str(secret) not in text, secret


async def test_a_hearing_that_is_not_recorded_is_an_alarm_in_a_scrape(measured: MeasuredRoom) -> None:
    measured.room.recorder.keeps = False
    await measured.room.open()
    found = await measured.until('wutong_room_alarms{code="not-recording"}', 1)
    assert found['wutong_recorder_track_kept{track="bench"}'] == 0


async def test_a_room_is_ready_while_it_can_record_and_says_what_it_does_without(measured: MeasuredRoom) -> None:
    await measured.until('wutong_ready_part{part="transcriber"}', 1)
    ready = (await measured.http.get("/readyz", headers=GOOD)).json()
    assert ready == {"ready": True, "lacks": [], "wants": []}
    measured.room.recorder.speaks = False
    await measured.room.transcriber.stop()
    await measured.until("wutong_ready", 0)
    answer = await measured.http.get("/readyz", headers=GOOD)
    assert answer.status_code == 503
    assert [one["part"] for one in answer.json()["lacks"]] == ["recorder"]
    assert [one["part"] for one in answer.json()["wants"]] == ["transcriber"]


async def test_a_log_that_is_locked_is_lacking_while_it_is_locked(measured: MeasuredRoom) -> None:
    locked = sqlite3.connect(measured.room.layout.log, isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    answer = await measured.http.get("/readyz", headers=GOOD)
    scraped = await measured.http.get("/metrics", headers=GOOD)
    locked.execute("ROLLBACK")
    locked.close()
    assert [one["part"] for one in answer.json()["lacks"]] == ["log"]
    assert str(measured.room.layout.data) not in answer.text
    assert 'wutong_scrape_part_up{part="recorder"} 1.0' in scraped.text
    assert "wutong_recorder_disk_free_bytes 1.0" in scraped.text


async def test_the_clerk_s_session_opens_none_of_it(measured: MeasuredRoom) -> None:
    for path in ("/metrics", "/healthz", "/readyz"):
        assert (await measured.room.clerk.get(path)).status_code == 401
        assert (await measured.http.get(path)).status_code == 401


async def test_what_is_said_is_of_the_catalog_and_most_of_it_is_said_by_a_room_that_is_whole(
    measured: MeasuredRoom,
) -> None:
    found = {name.partition("{")[0] for name in await measured.scrape()}
    known = {sample for metric in m.CATALOG for sample in metric.samples}
    assert {name for name in found if not name.startswith("wutong_scrape_")} <= known
