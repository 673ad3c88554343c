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
        commands = HearingCommands(edge.state, AlarmRules(edge.state), SelfTestRunner(edge.state), edge.pictures)
        opening = commands._opening("h", Case.model_validate(CASE), None)
        assert ("program" in [t["id"] for t in opening["tracks"]]) == enabled

        state = edge.state
        state._from_recorder("status", status(bench=("running", True), program=("off", False)))
        assert state.kept("h")
        assert state.running_tracks == 1
        state._from_recorder("status", status(bench=("running", True), program=("running", False)))
        assert state.kept("h"), "it lags"
        state._from_recorder("status", status(bench=("failed", False), program=("running", True)))
        assert not state.kept("h"), "no device is recorded"
        assert state.running_tracks == 0
    finally:
        edge.close()
