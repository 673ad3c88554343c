"""`wutong bench province`: a handful of light rooms at a center that is real; all of it is counted, nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from sync.errors import ConfigError
from tests.support.files import databases
from tests.support.own_processes import processes_below, started_since
from tests.support.peers.postgres_server import PostgresServer
from tests.support.ports import free_ports
from wutong.bench.province.measure import ProvincePlan, measure
from wutong.bench.province.province_orders import LightPace

pytestmark = [pytest.mark.broker, pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(200)]

PACE = LightPace(status_s=0.5, batch_s=0.5, events=3)


def plan(database: str = "") -> ProvincePlan:
    return ProvincePlan(5, 3, PACE, database, rooms_a_process=3, port_base=free_ports(), settle_s=0.5)


def same(figures: dict[str, object]) -> None:
    """What was said, receipted and stored."""
    assert figures["events_not_receipted"] == 0
    assert figures["events_said"] == figures["events_receipted"] == figures["events_in_database"]
    assert figures["receipted_and_not_stored"] == figures["refused"] == figures["lines_lost"] == 0


async def test_what_light_rooms_say_is_receipted_and_stored_once(tmp_path: Path) -> None:
    before = processes_below()
    figures = await measure(tmp_path, plan(), Console(quiet=True))
    same(figures)
    assert figures["wanted_events_per_s"] == 30
    assert figures["events_per_s"] > 10
    assert figures["statuses_per_s"] > 3
    assert 0 < figures["receipt_ms_p50"] <= figures["receipt_ms_p99"]
    for part in ("center", "broker", "rooms"):
        assert figures[f"{part}_cores"] > 0, part
    assert figures["commits_per_s"] is None, "SQLite does not count them"
    assert figures["database_bytes_an_event"] > 0
    kinds = {row[0] for row in databases.rows(tmp_path / "center/center.db", "SELECT DISTINCT kind FROM events")}
    assert kinds == {"open", "mark", "utterance"}
    assert not started_since(before)


async def test_a_center_on_postgresql_stores_the_same_and_no_database_in_use_is_taken(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    url = postgres.url(postgres.new_database())
    figures = await measure(tmp_path / "one", plan(url), Console(quiet=True))
    same(figures)
    assert figures["commits_per_s"] > 0
    before = processes_below()
    with pytest.raises(ConfigError, match="in use"):
        await measure(tmp_path / "two", plan(url), Console(quiet=True))
    assert not started_since(before)
