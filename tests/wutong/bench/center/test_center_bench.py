"""`wutong bench center`: a few rooms for a few seconds, through a real broker and center, and nothing is left."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from sync.errors import ConfigError
from tests.support.command_lines import command_line
from tests.support.files import databases
from tests.support.own_processes import processes_below, started_since
from tests.support.ports import free_ports
from wutong.bench.center import measure as bench
from wutong.bench.center.benched_broker import BrokerKind
from wutong.bench.center.measure import WANTED, CenterPlan
from wutong.bench.center.point import DELAYS, PERCENTILES

pytestmark = [pytest.mark.broker, pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where rooms keep their data, of this test alone; short, for names of sockets are."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        monkeypatch.setattr(bench, "MEMORY", Path(folder))
        yield Path(folder)


@pytest.mark.alone  # nothing is lost on a machine that is not short of time
async def test_every_figure_of_a_small_run_over_tls_was_seen_and_nothing_is_left(tmp_path: Path, memory: Path) -> None:
    before = processes_below()
    plan = CenterPlan(
        rooms=3,
        watched=4,
        inspectors=2,
        seconds=14,
        segment_s=2,
        rooms_a_process=2,
        settle_s=1,
        reel_s=4,
        port_base=free_ports(),
    )
    figures = await bench.measure(tmp_path, plan, Console(quiet=True))
    for what in DELAYS:
        p50, p99 = (figures[f"{what}_p{p}"] for p in PERCENTILES)
        assert 0 < p50 <= p99 < 60_000, what
    assert (figures["rooms"], figures["watched"], figures["inspectors"]) == (3, 4, 2)
    assert figures["fragments_per_s"] > 4 * 20  # of each of four cameras 25 pictures a second
    assert figures["upload_mb_per_s"] > 0.1
    assert 0 < figures["room_mb_per_s"] < 1
    assert figures["claims"] > 0
    assert figures["witnessed"] > 0
    assert figures["requests_refused"] == 0
    # Around an opening pictures are held back until their hearing is known: whatever does not come is told.
    assert figures["losses_told"] > 0 or figures["fragments_missing"] == 0
    assert figures["fragments_missing"] < figures["fragments_per_s"] * figures["seconds"] / 4
    assert figures["events_not_receipted"] < 10
    assert figures["database_rows_per_hearing_hour"] > 1000
    for part in ("center", "center_loop", "broker", "rooms", "wall"):
        assert figures[f"{part}_cores"] > 0, part
    assert figures["center_loop_cores"] <= figures["center_cores"]
    assert figures["other_cores"] >= 0
    assert set(figures["missed"]) <= set(figures["wanted"]) <= set(WANTED)
    kinds = {row[0] for row in databases.rows(tmp_path / "center/center.db", "SELECT DISTINCT kind FROM events")}
    assert {"open", "close", "seal", "segment", "exhibit", "drawn"} <= kinds, "no hearing went to its end"
    floor = figures["floor"]
    assert floor["fragment_ms_p50"] > 0
    assert floor["fragment_ms_p50_ratio"] > 0
    assert floor["messages_per_s"] > 4 * 20
    assert floor["not_taken"] == 0
    assert not started_since(before)
    assert not list(memory.iterdir())


async def test_unit_costs_are_slopes_between_four_points_also_on_the_old_way(tmp_path: Path, memory: Path) -> None:
    plan = CenterPlan(
        rooms=2,
        watched=2,
        inspectors=1,
        seconds=4,
        tls=False,
        units=True,
        floor=False,
        segment_s=2,
        settle_s=0.5,
        reel_s=3,
        port_base=free_ports(),
    )
    figures = await bench.measure(tmp_path, plan, Console(quiet=True))
    points = figures["points"]
    assert [(one["rooms"], one["inspectors"], one["watched"]) for one in points] == [
        (1, 0, 0),
        (2, 0, 0),
        (2, 1, 0),
        (2, 1, 2),
    ]
    assert points[0]["fragment_ms_p50"] is None
    assert points[3]["fragment_ms_p50"] > 0
    assert figures["room_millicores"] == pytest.approx(
        1000 * (points[1]["center_cores"] - points[0]["center_cores"]), abs=1.1
    )
    assert figures["track_millicores"] == pytest.approx(
        1000 * (points[3]["center_cores"] - points[2]["center_cores"]) / 2, abs=0.6
    )
    assert {"tab_millicores", "room_mib"} <= set(figures)


async def test_rooms_are_measured_through_nats_as_well(tmp_path: Path, memory: Path) -> None:
    before = processes_below()
    plan = CenterPlan(
        rooms=2,
        watched=2,
        inspectors=1,
        seconds=4,
        floor=False,
        broker=BrokerKind.NATS,
        segment_s=2,
        settle_s=0.5,
        reel_s=3,
        port_base=free_ports(),
    )
    figures = await bench.measure(tmp_path, plan, Console(quiet=True))
    assert figures["broker"] == "nats"
    assert figures["fragment_ms_p50"] > 0
    assert figures["receipts_per_s"] > 0
    assert figures["broker_cores"] > 0
    assert figures["losses_told"] > 0 or figures["fragments_missing"] == 0
    assert not started_since(before)


@pytest.mark.parametrize("reached", ["server --config", "wall_process"])
async def test_who_is_stopped_in_the_middle_leaves_neither_a_process_nor_a_folder(
    tmp_path: Path, memory: Path, reached: str
) -> None:
    """As Ctrl-C stops it: `asyncio.run` cancels what it runs."""
    before = processes_below()
    plan = CenterPlan(rooms=1, watched=1, inspectors=1, seconds=600, reel_s=2, port_base=free_ports())
    measuring = asyncio.create_task(bench.measure(tmp_path, plan, Console(quiet=True)))
    while not any(reached in command_line(one) for one in processes_below()):
        assert not measuring.done(), measuring.exception()
        await asyncio.sleep(0.1)
    measuring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await measuring
    assert not started_since(before)
    assert not list(memory.iterdir())


@pytest.mark.parametrize(
    "plan",
    [
        CenterPlan(rooms=1, watched=5),
        CenterPlan(rooms=1, watched=1, inspectors=0),
        CenterPlan(rooms=1, watched=0, units=True),
        CenterPlan(rooms=1, watched=1, tls=False, broker=BrokerKind.NATS_CLUSTER),
    ],
)
async def test_what_cannot_be_measured_is_refused_before_anything_is_started(tmp_path: Path, plan: CenterPlan) -> None:
    with pytest.raises(ConfigError):
        await bench.measure(tmp_path, plan, Console(quiet=True))
    assert not list(tmp_path.iterdir())
