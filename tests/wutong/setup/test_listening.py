"""Who speaks is proposed by the loudest channel, and by nothing less than a word."""

from __future__ import annotations

import pytest

from wutong.setup.listening import Listening

QUIET = [-70.0, -71.0, -69.0]
SECOND = [-40.0, -22.0, -38.0]


def heard(*levels: list[float], role: str = "原告") -> Listening:
    listening = Listening("USB", 3)
    listening.take(SECOND)  # before anybody was asked
    listening.ask(role)
    for one in levels:
        listening.take(one)
    return listening


def test_the_channel_that_is_the_loudest_while_somebody_speaks_is_proposed() -> None:
    assert heard(QUIET, *[SECOND] * 3, QUIET).proposed == 1


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param([QUIET] * 20, id="silence"),
        pytest.param([SECOND] * 2, id="a cough"),
        pytest.param([[-22.0, -22.0, -22.0]] * 20, id="all alike"),
        pytest.param([[-22.0, -40.0, -40.0], [-40.0, -22.0, -40.0]] * 5, id="two in turns"),
    ],
)
def test_nothing_is_proposed_where_nobody_clearly_speaks(levels: list[list[float]]) -> None:
    assert heard(*levels).proposed is None


def test_what_was_said_before_somebody_else_was_asked_does_not_count() -> None:
    listening = heard(*[SECOND] * 5)
    listening.ask("被告")
    assert listening.proposed is None
    assert listening.shown()["db"] == SECOND
