"""`wutong bench takeover`: an owner is killed, the other goes on, what was said is there once; nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from tests.support.own_processes import processes_below, started_since
from tests.support.peers.postgres_server import PostgresServer
from tests.support.ports import free_ports
from wutong.bench.takeover.measure import TakeoverPlan, measure

pytestmark = [pytest.mark.broker, pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(300)]


async def test_after_an_owner_was_killed_everything_said_is_stored_once(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    before = processes_below()
    plan = TakeoverPlan(
        postgres.url(postgres.new_database()), times=1, owners=2, rooms=4, lease_s=2, port_base=free_ports()
    )
    figures = await measure(tmp_path, plan, Console(quiet=True))
    assert 0 < figures["owned_again_s_median"] <= figures["receipted_again_s_after_owner_latest"]
    assert figures["events_said"] == figures["events_in_database"] > 4
    assert (figures["events_lost"], figures["events_doubled"]) == (0, 0)
    assert not started_since(before)
