"""Who was in stays in over a restart, by the center's signature alone and no longer than it says."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.clerks.clerk_book import MOST_CLERKS, ClerkBook
from edge.clerks.known_clerk import MOST_S, KnownClerk, SignedNote, read_clerk
from edge.clerks.quick_pin import MOST_WRONG, QuickPin
from sync.errors import LedgerError
from sync.ledger.keys import CENTER
from sync.ledger.note import Verifier
from tests.support.peers.clerk_center import LIN, ROOM, ZHOU, ClerkCenter

NOW = 1_800_000_000.0


class Desk:
    """A book, and the center whose word is in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.center = ClerkCenter()
        self.now_s = NOW

    def verifiers(self) -> list[Verifier]:
        return [Verifier(CENTER, self.center.key.public_key())]

    def open(self) -> ClerkBook:
        return ClerkBook(self.path, ROOM, self.verifiers, lambda: self.now_s)

    def clerk(self, person: str = LIN, *, room: str = ROOM, made_s: float = NOW) -> KnownClerk:
        signed = SignedNote(**self.center.signed(person, "林书记", room=room, made_s=made_s))
        return read_clerk(signed, ROOM, self.verifiers(), self.now_s)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "clerks.json")


def test_who_was_in_is_in_after_a_restart_until_the_moment_that_was_signed(desk: Desk) -> None:
    book = desk.open()
    assert not book.persons
    book.put(desk.clerk())
    book.set_pin(LIN, QuickPin(hash="x", day_ends_s=NOW + 9))
    assert stat.S_IMODE(desk.path.stat().st_mode) == 0o600
    again = desk.open()
    assert again.persons
    assert [one.name for one in again.clerks()] == ["林书记"]
    assert again.pin(LIN) is not None
    desk.now_s = NOW + desk.center.lasts_s
    assert again.clerk(LIN) is None
    assert again.pin(LIN) is None
    assert desk.open().clerks() == []


def test_a_line_that_the_center_did_not_sign_lets_nobody_in(desk: Desk) -> None:
    desk.open().put(desk.clerk())
    kept = json.loads(desk.path.read_text(encoding="utf-8"))
    kept["clerks"][0]["signed"]["clerk"] = kept["clerks"][0]["signed"]["clerk"].replace(LIN, ZHOU)
    desk.path.write_text(json.dumps(kept), encoding="utf-8")
    assert desk.open().clerks() == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"clerks": [{}]}', '{"persons": true, "more": 1}'])
def test_a_file_that_cannot_be_read_has_everybody_sign_in_anew_and_does_not_open_the_code(
    desk: Desk, text: str
) -> None:
    desk.path.write_text(text, encoding="utf-8")
    book = desk.open()
    assert book.clerks() == []
    assert book.persons


def test_another_room_another_center_and_what_is_over_are_not_believed(desk: Desk) -> None:
    foreign = SignedNote(**ClerkCenter().signed(LIN, "林", made_s=NOW))
    mine = SignedNote(**desk.center.signed(LIN, "林", made_s=NOW))
    refused: list[Callable[[], KnownClerk]] = [
        lambda: desk.clerk(room="jianshan/c04"),
        lambda: desk.clerk(made_s=NOW - desk.center.lasts_s),
        lambda: desk.clerk(made_s=NOW + 3600),
        lambda: desk.clerk("no id"),
        lambda: read_clerk(foreign, ROOM, desk.verifiers(), NOW),
        lambda: read_clerk(mine, ROOM, [], NOW),
    ]
    for read in refused:
        with pytest.raises(LedgerError):
            read()


def test_nobody_is_in_longer_than_a_day_whatever_was_signed(desk: Desk) -> None:
    desk.center.lasts_s = 10 * MOST_S
    assert desk.clerk().until_s == NOW + MOST_S


def test_wrong_pins_are_counted_over_a_restart_and_forgotten_by_a_full_sign_in(desk: Desk) -> None:
    book = desk.open()
    book.put(desk.clerk())
    book.set_pin(LIN, QuickPin(hash="x", day_ends_s=NOW + 9))
    for _ in range(MOST_WRONG + 3):
        book.wrong_pin(LIN)
    kept = desk.open().pin(LIN)
    assert kept is not None
    assert kept.is_used_up
    book.put(desk.clerk())
    now = book.pin(LIN)
    assert now is not None
    assert not now.wrong


def test_so_many_clerks_and_no_more_are_kept(desk: Desk) -> None:
    book = desk.open()
    for number in range(MOST_CLERKS + 2):
        book.put(desk.clerk(f"{number:016x}"))
    assert len(desk.open().clerks()) == MOST_CLERKS
