"""A room says of which hearing its pictures are before it sends them: the center judges by that who may see them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from sync.record.bodies.session import OpenedCase
from sync.record.hearing import Hearing, State
from tests.support.peers.live_line import INIT, Stand, fragment, thumbnail


@pytest.mark.parametrize("topic", ["frag/bench", "thumb/bench", "levels"])
def test_a_new_state_of_the_hearing_is_said_before_anything_that_is_of_it(topic: str, tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.hearing = Hearing("h0", state=State.OPEN)
    stand.live.take("init/bench", INIT)
    stand.demand("bench", levels=True)
    stand.live.tick()
    stand.line.said.clear()
    stand.hearing = Hearing("h1", state=State.OPEN, case=cast(OpenedCase, {"public": False}))
    message = {"frag/bench": fragment(1, key=True), "levels": b'{"at_ns":1,"seats":{}}'}.get(topic, thumbnail())
    stand.live.take(topic, message)  # in the same moment: no second has passed since the last status
    topics = [said for said, _, _ in stand.line.said]
    assert topics[0] == "status"
    assert len(topics) == 2
    assert stand.line.of("status")[-1]["hearing"]["id"] == "h1"
