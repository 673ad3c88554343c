"""The tables of docs/scale.md are computed of docs/scale.toml, and each number there says where it comes from."""

from __future__ import annotations

import importlib.util
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from server.config import Config
from tests.support.paths import ROOT
from wutong.broker_policy import LISTENER_SETTINGS


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scale_table", ROOT / "tools/scale_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["scale_table"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def costs(tool: ModuleType) -> Any:
    return tool.UnitCosts.read(tool.COSTS)


def test_page_and_drawing_are_current(tool: ModuleType) -> None:
    assert tool.main(["--check"]) == 0, "run tools/scale_table.py"
    ET.parse(tool.DRAWING)


def test_what_is_computed_is_the_sum_of_its_costs(tool: ModuleType, costs: Any) -> None:
    one, many = tool.computed(costs, 500), tool.computed(costs, 5000)
    of = {name: float(cost["value"]) for name, cost in costs.said["costs"].items()}
    millicores = 500 * of["center_room_millicores"] + 50 * of["center_track_millicores"]
    assert one["center_cores"] == pytest.approx((millicores + 10 * of["center_tab_millicores"]) / 1000)
    assert one["commits_per_s"] == pytest.approx(500 * of["commits"])
    assert one["media_tb_a_day"] == pytest.approx(500 * 6 * 3600 * of["upload_mb"] / 1e6)
    assert one["database_gb_a_day"] == pytest.approx(500 * 6 * of["database_mb_an_hour"] / 1000)
    for name in ("center_cores", "messages_in_per_s", "upload_gb_per_s", "database_tb_a_year"):
        assert many[name] == pytest.approx(10 * one[name]), name


def test_a_wall_stands_where_its_share_is_used_up(tool: ModuleType, costs: Any) -> None:
    by_name = {wall["name"]: tool.wall_rooms(costs, wall) for wall in costs.said["walls"]}
    room = float(costs.said["costs"]["center_room_millicores"]["value"])
    assert by_name["one process of the center (one core)"] == pytest.approx(700 / room)
    assert by_name["rooms of one configuration"] == 5000
    assert all(rooms > 0 for rooms in by_name.values())


def test_walls_of_settings_are_those_of_the_code(costs: Any) -> None:
    limits = {wall["name"]: wall["limit"] for wall in costs.said["walls"]}
    (most,) = [one.max_length for one in Config.model_fields["rooms"].metadata if hasattr(one, "max_length")]
    assert limits["rooms of one configuration"] == most
    assert f"max_connections {limits['connections of one Mosquitto listener']:.0f}" in LISTENER_SETTINGS


def test_a_number_without_a_source_is_refused(tool: ModuleType, tmp_path: Path) -> None:
    bare = tmp_path / "scale.toml"
    bare.write_text('walls = []\n[costs.events]\nvalue = 1.0\nsource = " "\n', encoding="utf-8")
    with pytest.raises(ValueError, match="events does not say"):
        tool.UnitCosts.read(bare)


def test_a_new_measurement_changes_the_tables_alone(tool: ModuleType, costs: Any) -> None:
    page = tool.PAGE.read_text(encoding="utf-8")
    said = {**costs.said, "province": {**costs.said["province"], "measured": {"center_cores": 0.7812}}}
    changed = tool.page_with(page, tool.UnitCosts(said))
    assert "| 0.781 |" in changed
    outside = [line for line in page.splitlines() if not line.startswith("|")]
    assert [line for line in changed.splitlines() if not line.startswith("|")] == outside


def test_a_page_without_a_place_for_a_table_is_refused(tool: ModuleType, costs: Any) -> None:
    with pytest.raises(ValueError, match="no place"):
        tool.page_with("# A page\n", costs)
