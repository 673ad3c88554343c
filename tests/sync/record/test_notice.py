"""What a center tells a room of the sight of a hearing: what cannot be understood hides, and never shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync.record.notice import MOST_OF_ONE, HearingNotice, parts_in_force, unseen_in_room
from sync.record.sealed_parts import ENDLESS, EVER, SealedPart
from sync.room.kept_notices import keep_notices, read_notices

PART = {"id": "center:1", "from_ns": 5, "to_ns": 9, "level": "restricted"}
RESTRICTED = frozenset({"restricted"})
NOBODY = frozenset[str]()


def notice(**said: Any) -> HearingNotice:
    return HearingNotice.model_validate({"hearing": "h1", "level": "open", "parts": [], **said})


@pytest.mark.parametrize("level", ["secret", "", None, 3, [], "Open", "withdrawn"])
def test_a_level_that_this_room_does_not_know_is_withdrawn(level: Any) -> None:
    assert notice(level=level).level == "withdrawn"
    assert notice(parts=[{**PART, "level": level}]).parts[0].level == "withdrawn"


@pytest.mark.parametrize(
    "parts",
    [
        None,
        3,
        {"id": "x"},
        [3],
        [{}],
        [{**PART, "from_ns": "5"}],
        [{**PART, "from_ns": 2**63}],
        [{**PART, "to_ns": 1.5}],
        [{"id": "center:1", "level": "restricted"}],
        [PART] * (MOST_OF_ONE + 1),
    ],
)
def test_a_part_that_cannot_be_read_hides_the_whole_hearing(parts: Any) -> None:
    assert unseen_in_room([], notice(parts=parts), RESTRICTED).spans == EVER


def test_beside_a_part_that_cannot_be_read_the_others_stand() -> None:
    said = notice(parts=[PART, {"id": "center:2"}])
    assert [part.id for part in said.parts] == ["center:1", "unreadable"]


def test_of_its_own_parts_a_room_is_believed_unless_the_archivist_has_lifted_them() -> None:
    own = [SealedPart("a", 0, 3, "restricted"), SealedPart("b", 20, None, "restricted")]
    stale = {"id": "room:a", "from_ns": 0, "to_ns": None, "level": "restricted"}
    unknown = {"id": "room:z", "from_ns": 50, "to_ns": 60, "level": "restricted"}
    told = notice(parts=[PART, stale, unknown])
    assert [part.id for part in parts_in_force(own, told)] == ["a", "b", "center:1", "room:z"]
    assert unseen_in_room(own, told, NOBODY).spans == ((0, 3), (5, 9), (20, ENDLESS))
    lifted = notice(parts=[PART], lifted=["b", "never-was"])
    assert unseen_in_room(own, lifted, NOBODY).spans == ((0, 3), (5, 9)), "also one that goes on"
    assert parts_in_force(own, None) == own


def test_who_makes_the_record_sees_what_is_restricted_and_nobody_what_is_withdrawn() -> None:
    own = [SealedPart("a", 0, 3, "restricted")]
    assert not unseen_in_room(own, notice(level="restricted"), RESTRICTED)
    assert unseen_in_room(own, notice(level="restricted"), NOBODY).spans == EVER
    assert unseen_in_room(own, notice(level="withdrawn"), RESTRICTED).spans == EVER
    assert unseen_in_room(own, notice(parts=[{**PART, "level": "withdrawn"}]), RESTRICTED).spans == ((5, 9),)


# The file in which a room keeps them


@pytest.mark.parametrize(
    "kept", [b"", b"[]", b"{", b'{"notices": 3}', b'{"notices": [{"hearing": "../x"}]}', b'{"notices": [7]}']
)
def test_of_a_file_that_cannot_be_read_nobody_knows_what_it_hid_so_every_hearing_is_hidden(
    tmp_path: Path, kept: bytes
) -> None:
    file = tmp_path / "notices.json"
    for name in ("h1", "h2"):
        (tmp_path / "hearings" / name).mkdir(parents=True)
    file.write_bytes(kept)
    found = read_notices(file, tmp_path / "hearings")
    assert {name: one.level for name, one in found.items()} == {"h1": "withdrawn", "h2": "withdrawn"}
    assert read_notices(file, tmp_path / "none") == {}


def test_one_notice_that_cannot_be_read_hides_its_hearing_and_no_other(tmp_path: Path) -> None:
    file, good = tmp_path / "notices.json", json.loads(notice(parts=[PART]).model_dump_json())
    file.write_text(json.dumps({"notices": [good, {"hearing": "h2", "lifted": 3}]}))
    found = read_notices(file, tmp_path)
    assert found["h1"] == notice(parts=[PART])
    assert found["h2"].level == "withdrawn"


def test_what_is_kept_is_read_back_and_a_file_of_before_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "notices.json"
    assert read_notices(file, tmp_path) == {}, "nothing was ever said"
    said = {"h1": notice(parts=[PART], lifted=["a"])}
    keep_notices(file, said)
    assert read_notices(file, tmp_path) == said
    file.write_text(json.dumps({"notices": [{"hearing": "h1", "level": "open", "parts": [PART]}]}))
    assert read_notices(file, tmp_path)["h1"].lifted == []
