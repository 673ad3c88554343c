"""The composed track is announced with a hearing, and neither carries nor spoils the word that it is recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.hearing.alarms import AlarmRules
from edge.hearing.commands import HearingCommands
from edge.selftest.runner import SelfTestRunner
from edge.service import assemble
from hardware.profile import load_profile
from sync.record.docket import Case
from tests.support.rooms.edge_room import CASE, PROFILE


def status(**states: tuple[str, bool]) -> bytes:
    tracks = [{"id": name, "state": state, "kept": kept} for name, (state, kept) in states.items()]
    value: dict[str, Any] = {"at_ns": 1, "hearing": "h", "tracks": tracks}
    return json.dumps(value).encode()


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_hearing_names_it_when_the_profile_asks_for_it(tmp_path: Path, enabled: bool) -> None:
    path = tmp_path / "room.toml"
    path.write_text(PROFILE % 0 + f"[program]\nenabled = {str(enabled).lower()}\n", encoding="utf-8")
    edge = assemble(load_profile(path))
    try:
        desk = HearingCommands(edge.view, AlarmRules(edge.view), SelfTestRunner(edge.view))
        opening = desk._opening("h", Case.model_validate(CASE), None)
        assert ("program" in [t["id"] for t in opening["tracks"]]) == enabled

        view = edge.view
        view._from_recorder("status", status(bench=("running", True), program=("off", False)))
        assert view.kept("h")
        assert view.running_tracks == 1
        view._from_recorder("status", status(bench=("running", True), program=("running", False)))
        assert view.kept("h"), "it lags"
        view._from_recorder("status", status(bench=("failed", False), program=("running", True)))
        assert not view.kept("h"), "no device is recorded"
        assert view.running_tracks == 0
    finally:
        edge.room_log.close()
