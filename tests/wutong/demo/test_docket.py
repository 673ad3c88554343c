"""Who is the demo's clerk finds the bundled case on the docket of today."""

from __future__ import annotations

from datetime import datetime

import pytest

from hardware.simulation.scenario import BUNDLED_HEARING, Scenario
from wutong.demo.docket import docket_of


@pytest.mark.parametrize(
    ("now", "planned"),
    [("2026-11-28T09:00:40", "09:10"), ("2026-11-28T23:55:00", "23:59"), ("2026-12-31T23:59:59", "23:59")],
)
def test_the_bundled_case_is_planned_soon_and_on_the_same_day(now: str, planned: str) -> None:
    case = Scenario.load(BUNDLED_HEARING).case
    docket = docket_of(case, datetime.fromisoformat(now).astimezone())
    [entry] = docket.hearings
    assert (docket.date, entry.time) == (now[:10], planned)
    assert (entry.case_no, entry.title, entry.parties) == (case.case_no, case.title, case.parties)


def test_two_starts_of_a_day_are_two_hearings() -> None:
    case = Scenario.load(BUNDLED_HEARING).case
    morning, noon = (docket_of(case, datetime(2026, 11, 28, hour).astimezone()) for hour in (9, 12))
    assert morning.hearings[0].id != noon.hearings[0].id
