"""What several processes say to monitoring adds up: each speaks of its own rooms, its leases and what it hands on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import create_engine

from server.api import center_metrics as m
from server.leases.shards import SHARDS
from sync.uplink.files.piece_client import PieceClient
from tests.support.peers.center_peers import TOKENS, Served, config_text
from tests.support.peers.piece_peers import ROOM, piece
from tests.support.peers.postgres_server import PostgresServer, migrated_database
from tests.support.peers.scraper import TOKEN, scraped
from tests.support.peers.two_processes import two_processes
from tests.support.ports import free_ports

pytestmark = [pytest.mark.process, pytest.mark.broker, pytest.mark.service]


@pytest_asyncio.fixture
async def two(tmp_path: Path, broker_port: int, postgres: PostgresServer) -> AsyncIterator[tuple[Served, Served]]:
    token = tmp_path / "metrics.token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    file = tmp_path / "center.toml"
    text = config_text(tmp_path / "center", broker_port, free_ports(3), migrated_database(postgres))
    file.write_text(f'{text}[metrics]\ntoken_file = "{token.name}"\n')
    async with two_processes(file, broker_port, ROOM) as made:
        yield made


async def said_by(one: Served) -> dict[str, float]:
    """Now, and not what was said a moment ago."""
    one.center.monitoring._scrape._text = None
    async with httpx.AsyncClient(base_url=one.url, timeout=30, trust_env=False) as http:
        return await scraped(http)


async def test_every_upload_and_every_room_counts_once_over_all_processes(two: tuple[Served, Served]) -> None:
    owner, other = two
    async with httpx.AsyncClient(
        base_url=other.url, headers={"Authorization": f"Bearer {TOKENS[ROOM]}"}, timeout=30, trust_env=False
    ) as http:
        (answer,) = await PieceClient(http).send([piece(b"x" * 1000)])
        assert answer.code == ""
    await other.center.share.freshen(ROOM)  # who plays the hearing there has it know the file
    assert other.center.uploads.unfinished(ROOM) == 1
    found = [await said_by(one) for one in (owner, other)]

    def over_all(name: str) -> float:
        return sum(one[name] for one in found)

    assert over_all("wutong_center_uploads") == 1
    assert over_all("wutong_center_upload_bytes") == 1000
    assert over_all("wutong_center_leases") == SHARDS
    assert over_all("wutong_center_rooms") == over_all('wutong_center_rooms_owned{state="ready"}') == len(TOKENS)
    assert over_all('wutong_center_rooms_owned{state="preparing"}') == 0
    assert [one["wutong_center_forwarded_total"] for one in found] == [0, 1]
    assert over_all("wutong_center_forwarding") == 0
    assert found[0]["wutong_center_take_overs_total"] >= 1
    for one in found:
        assert one["wutong_center_lease_round_age_seconds"] >= 0
        names = {name.partition("{")[0] for name in one}
        assert [metric.name for metric in m.OF_SEVERAL if not metric.samples & names] == []


async def test_rounds_that_the_database_does_not_answer_are_counted_and_the_last_good_one_grows_old(
    two: tuple[Served, Served],
) -> None:
    owner, _ = two
    keeper = owner.center.share.keeper
    before = await said_by(owner)
    keeper._engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    await keeper.step()
    found = await said_by(owner)
    failed = "wutong_center_lease_rounds_failed_total"
    assert found[failed] > before[failed]
    keeper._clock_s = lambda at_s=keeper._asked_s: at_s + 100.0
    found = await said_by(owner)
    assert found["wutong_center_lease_round_age_seconds"] == 100
    assert found["wutong_center_leases"] == found['wutong_center_rooms_owned{state="ready"}'] == 0
