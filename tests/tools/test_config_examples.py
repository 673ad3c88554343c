"""The example configurations are current, describe every field, and load."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from hardware.profile import load_profile
from server.config import load_config
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_config_examples", ROOT / "tools/make_config_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_examples_are_current(tool: ModuleType) -> None:
    for path, text in tool.examples().items():
        assert path.read_text(encoding="utf-8") == text, "run tools/make_config_examples.py"


def test_every_field_is_described(tool: ModuleType) -> None:
    for text in tool.examples().values():
        assert "# None" not in text


def test_the_example_of_a_room_loads(tool: ModuleType) -> None:
    profile = load_profile(tool.ROOM_EXAMPLE)
    assert profile.address == "jianshan/3"
    assert [camera.driver for camera in profile.cameras] == ["rtsp", "v4l2"]


def test_the_example_of_a_center_loads_and_knows_the_room(tool: ModuleType) -> None:
    config = load_config(tool.CENTER_EXAMPLE)
    assert [room.address for room in config.rooms] == [load_profile(tool.ROOM_EXAMPLE).address]


def test_a_default_shown_is_the_default(tool: ModuleType, tmp_path: Path) -> None:
    """Uncommenting every default changes nothing."""
    shown = tool.ROOM_EXAMPLE.read_text(encoding="utf-8")
    lines = [
        line.removeprefix("# ") if " = " in line and "(not set)" not in line else line for line in shown.split("\n")
    ]
    (tmp_path / "room.toml").write_text("\n".join(lines), encoding="utf-8")
    assert load_profile(tmp_path / "room.toml") == load_profile(tool.ROOM_EXAMPLE)
