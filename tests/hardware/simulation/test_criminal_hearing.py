"""The criminal hearing that ships with the product is whole, small, and of its kind."""

from __future__ import annotations

from hardware.simulation.hearing_folder import HearingFolder
from hardware.simulation.scenario import CRIMINAL_HEARING, Scenario
from sync.cases.number import read_case_number
from sync.cases.shelf import shipped_kinds


def test_the_criminal_hearing_is_small_and_its_roles_are_those_of_its_kind() -> None:
    folder = HearingFolder(CRIMINAL_HEARING)
    scenario = Scenario.load(CRIMINAL_HEARING)
    kind = shipped_kinds()[read_case_number(scenario.case.case_no, this_year=2026).kind]
    assert kind.name == "刑事案件"
    assert scenario.case.parties.keys() <= set(kind.roles)
    assert {said.role for said in folder.reference.utterances} <= set(kind.roles)
    assert (CRIMINAL_HEARING / "microphones.opus").stat().st_size <= 3_000_000
    said = "".join(one.text for one in folder.reference.utterances)
    assert all(any(words in said for words in notice) for notice in kind.notices)
