"""What a center says to monitoring: of its rooms and of itself, and nothing of any case."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from server.api import center_metrics as m
from server.config import load_config
from server.running import running
from server.service import build
from sync.http.monitoring.alarm_labels import OTHER
from sync.http.monitoring.folder_probe import PROBE
from tests.support.peers.center_peers import RoomPeer, Served, config_text, metadata, opening, said, until
from tests.support.peers.scraper import GOOD, TOKEN, scraped


class Measured:
    """A center whose own port answers the token, and a room that is connected."""

    def __init__(self, served: Served, http: httpx.AsyncClient, room: RoomPeer) -> None:
        self.served = served
        self.http = http
        self.room = room

    async def scrape(self) -> dict[str, float]:
        """`name{a="b"}` -> value, as it is now."""
        self.served.center.monitoring._scrape._text = None  # what was said a moment ago is not what is meant
        return await scraped(self.http)


@pytest_asyncio.fixture
async def measured(tmp_path: Path, broker_port: int) -> AsyncIterator[Measured]:
    token = tmp_path / "metrics.token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    file = tmp_path / "center.toml"
    file.write_text(config_text(tmp_path / "center", broker_port) + f'[metrics]\ntoken_file = "{token.name}"\n')
    center = build(load_config(file))
    async with running(center, "127.0.0.1", 0) as port:
        served = Served(f"http://127.0.0.1:{port}", broker_port, tmp_path / "center", center)
        await served.enroll()
        await until(lambda: center.broker.connected)
        room = await RoomPeer(broker_port).start()
        async with httpx.AsyncClient(base_url=served.url, timeout=30, trust_env=False) as http:
            yield Measured(served, http, room)
        room.stop()


STATUS: dict[str, Any] = {
    "online": True,
    "at_utc_ns": 1,
    "room_ns": 1,
    "court_name": "尖山区人民法院",
    "hearing": None,
    "recorder": {"alarms": [{"code": "silence"}, {"code": "(2026)黑05民初123号"}, "nonsense", {"code": 7}]},
    "alarms": [{"code": "signer", "subject": "", "text": "", "since_ns": 1}],
}


async def test_what_rooms_say_is_counted_and_timed(measured: Measured) -> None:
    room = measured.room
    before = await measured.scrape()
    assert before["wutong_center_events_total"] == 0
    room.publish("events", opening(1))
    room.publish("events", said(2, "现在开庭"))
    await until(lambda: room.receipts() == {1, 2})
    room.publish("events", said(2, "现在开庭"))
    room.publish("events", said(2, "另一句话"))
    room.publish("events", b"nonsense")
    room.publish("checkpoints", b"nonsense")
    await until(lambda: room.refused() == [2])
    await until(lambda: measured.served.center.ingest.malformed == 1)
    found = await measured.scrape()
    assert found["wutong_center_events_total"] == 2
    assert found["wutong_center_events_again_total"] == 1
    assert found['wutong_center_refused_total{code="conflict"}'] == 1
    assert found['wutong_center_refused_total{code="malformed"}'] == 1
    assert found['wutong_center_refused_total{code="unsigned"}'] == 0
    assert found["wutong_center_receipt_seconds_count"] == 5
    assert found["wutong_center_database_write_seconds_count"] >= 2
    assert found['wutong_center_alarms{code="conflict",room="court1/c03"}'] == 1
    assert found["wutong_center_broker_connected"] == 1
    assert found["wutong_ready"] == 1
    assert found['wutong_scrape_part_up{part="ingest"}'] == 1


async def test_rooms_are_known_by_their_status_and_codes_of_theirs_are_only_ours(measured: Measured) -> None:
    assert (await measured.scrape())['wutong_center_room_online{room="court1/c03"}'] == 0
    measured.room.publish("status", STATUS)
    await until(lambda: measured.served.center.rooms.states["court1/c03"].online)
    found = await measured.scrape()
    assert found['wutong_center_room_online{room="court1/c03"}'] == 1
    assert found["wutong_center_rooms"] == 2
    assert found['wutong_center_room_clock_ahead_seconds{room="court1/c03"}'] < -1e9
    assert found['wutong_center_alarms{code="silence",room="court1/c03"}'] == 1
    assert found['wutong_center_alarms{code="signer",room="court1/c03"}'] == 1
    assert found[f'wutong_center_alarms{{code="{OTHER}",room="court1/c03"}}'] == 2
    assert found['wutong_center_room_certificate_left_seconds{certificate="device",room="court1/c03"}'] > 86_400
    assert found['wutong_center_certificate_left_seconds{certificate="authority"}'] > 86_400
    assert found['wutong_center_certificate_left_seconds{certificate="server"}'] > 86_400
    assert found['wutong_center_certificate_left_seconds{certificate="broker"}'] > 86_400


async def test_uploads_are_counted_until_they_are_files_and_refused_checkpoints_by_their_reason(
    measured: Measured,
) -> None:
    data = b"x" * 1000
    async with measured.served.uploader() as (tus, _):
        name = await tus.create(metadata(0))
        await tus.append(name, 0, data, length=len(data))
        found = await measured.scrape()
    assert found["wutong_center_uploads"] == 1
    assert found["wutong_center_upload_bytes"] == len(data)
    assert found['wutong_center_witness_refused_total{code="fork"}'] == 0
    assert found["wutong_center_disk_free_bytes"] > 0


async def test_no_case_no_hearing_no_name_and_no_word_is_in_a_scrape(measured: Measured) -> None:
    room = measured.room
    hearing = {"id": "h-secret", "state": "open", "pause": None, "case": opening(1)["body"]["case"], "opened_utc_ns": 1}
    room.publish("status", {**STATUS, "hearing": hearing})
    room.publish("events", opening(1, hearing="h-secret"))
    room.publish("events", said(2, "现在开庭", hearing="h-secret"))
    await until(lambda: room.receipts() == {1, 2})
    await until(lambda: measured.served.center.rooms.states["court1/c03"].live_id == "h-secret")
    assert (await measured.scrape())["wutong_center_rooms_in_hearing"] == 1
    text = (await measured.http.get("/metrics", headers=GOOD)).text
    for secret in ("h-secret", "黑05", "张三", "现在开庭", "民间借贷", "审判长", TOKEN, measured.served.code()):
        assert secret not in text, secret


async def test_a_locked_database_is_named_while_it_is_locked_and_the_rest_is_answered(measured: Measured) -> None:
    locked = sqlite3.connect(measured.served.data / "center.db", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    measured.room.publish("events", opening(1))  # somebody else waits for the lock, too
    await until(lambda: measured.served.center.database.waiting)
    first, second, ready = await asyncio.gather(
        measured.http.get("/metrics", headers=GOOD),
        measured.http.get("/metrics", headers=GOOD),
        measured.http.get("/readyz", headers=GOOD),
    )
    still_waiting = measured.served.center.database.waiting
    locked.execute("ROLLBACK")
    locked.close()
    assert still_waiting, "the answers came before the lock was given back"
    assert ready.status_code == 503
    assert [one["part"] for one in ready.json()["lacks"]] == ["database"]
    assert str(measured.served.data) not in ready.text
    for answer in (first, second):
        assert 'wutong_ready_part{part="database"} 0.0' in answer.text
        assert "wutong_ready 0.0" in answer.text
        assert 'wutong_scrape_part_up{part="ingest"} 1.0' in answer.text
        assert "wutong_center_events_total 0.0" in answer.text
    await until(lambda: measured.room.receipts() == {1})

    async def well() -> bool:
        return (await measured.http.get("/readyz", headers=GOOD)).status_code == 200

    async with asyncio.timeout(30):
        while not await well():
            await asyncio.sleep(0.1)


async def test_a_broker_that_is_away_and_a_store_that_cannot_be_written_are_lacking(measured: Measured) -> None:
    center = measured.served.center
    center.broker._connection.connected = False
    # Missing rights stop nobody who is root; a folder in the file's place does.
    (measured.served.data / f"{PROBE}-{os.getpid()}").mkdir()
    answer = await measured.http.get("/readyz", headers=GOOD)
    assert answer.status_code == 503
    assert [one["part"] for one in answer.json()["lacks"]] == ["broker", "store"]
    center.broker._connection.connected = True


async def test_every_metric_of_the_catalog_is_said_or_has_nothing_to_say(measured: Measured) -> None:
    measured.room.publish("status", STATUS)
    await until(lambda: measured.served.center.rooms.states["court1/c03"].online)
    found = {name.partition("{")[0] for name in await measured.scrape()}
    missing = {metric.name for metric in m.CATALOG if not metric.samples & found}
    assert missing == {metric.name for metric in m.OF_SEVERAL}


async def test_who_shows_no_token_gets_nothing(measured: Measured) -> None:
    for path in ("/metrics", "/healthz", "/readyz"):
        assert (await measured.http.get(path)).status_code == 401
        async with measured.served.inspector("archivist") as http:
            assert (await http.get(path)).status_code == 401
