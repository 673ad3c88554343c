"""What a room believes of its center: signed, for this room and purpose, once, in order, and not too late."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.errors import CenterError
from sync.ledger.keys import public_pem
from sync.ledger.messages.signed_message import Purpose
from sync.room.paths import RoomPaths
from sync.runtime.units import NS_PER_S
from sync.uplink.trust.trusted_center import AHEAD_S, LATEST_S, TrustedCenter
from tests.support.peers.device_signatures import CENTER_KEY, center_says, know_center
from tests.support.peers.uplink_peers import ADDRESS

NOW = 1_795_000_000 * NS_PER_S
LIMIT = 65_536


class Believer:
    """A room's judgement, at a clock that the test sets."""

    def __init__(self, folder: Path, *, plain: bool = False) -> None:
        self.layout = RoomPaths(folder)
        know_center(self.layout)
        self.now = NOW
        self.plain = plain
        self.start()

    def start(self) -> None:
        """As after a restart of the uplink."""
        self.center = TrustedCenter(self.layout, ADDRESS, accept_unsigned=lambda: self.plain, utc_ns=lambda: self.now)

    def takes(self, purpose: Purpose, stamp: int, value: Any = None, **how: Any) -> bool:
        payload = center_says(purpose, how.pop("address", ADDRESS), {} if value is None else value, stamp, **how)
        return self.takes_message(purpose, payload)

    def takes_message(self, purpose: Purpose, payload: bytes) -> bool:
        try:
            self.center.read(purpose, payload, limit=LIMIT)
        except CenterError:
            return False
        return True


@pytest.fixture
def room(tmp_path: Path) -> Believer:
    return Believer(tmp_path)


@pytest.mark.parametrize("purpose", ["demand", "docket", "witness", "notices"])
def test_what_was_said_before_is_not_believed_again_nor_what_is_older(room: Believer, purpose: Purpose) -> None:
    assert room.takes(purpose, NOW)
    assert not room.takes(purpose, NOW), "replayed"
    assert not room.takes(purpose, NOW - 1), "rolled back"
    assert room.takes(purpose, NOW + 1)
    assert room.center.refused == {"old": 2}


@pytest.mark.parametrize("purpose", ["docket", "notices", "witness", "audit-head"])
def test_nothing_is_rolled_back_by_waiting_for_a_restart(room: Believer, purpose: Purpose) -> None:
    yesterday, today = center_says(purpose, ADDRESS, {"day": 1}, NOW - 10**9), center_says(purpose, ADDRESS, {}, NOW)
    assert room.takes_message(purpose, yesterday)
    assert room.takes_message(purpose, today)
    for _ in range(2):
        room.start()
        assert not room.takes_message(purpose, yesterday)
        assert room.takes_message(purpose, today), "the broker keeps it for who comes anew"
        assert not room.takes_message(purpose, today)


def test_a_room_that_is_told_of_many_hearings_at_once_forgets_none_of_them(room: Believer) -> None:
    told = [center_says("notices", ADDRESS, {"hearing": str(n)}, NOW + n) for n in range(50)]
    assert all(room.takes_message("notices", one) for one in told)
    room.start()
    assert not any(room.takes_message("notices", one) for one in told[:-1])


@pytest.mark.parametrize("purpose", ["receipts", "demand", "docket"])
def test_a_center_that_has_signed_is_believed_on_nothing_else_after_a_restart(tmp_path: Path, purpose: Purpose) -> None:
    room = Believer(tmp_path, plain=True)
    assert room.takes(purpose, NOW)
    room.start()
    assert not room.center.accepts_plain
    assert not room.takes_message("receipts", b'{"numbers":[1,2,3]}')
    assert room.takes(purpose, NOW + 1)


def test_what_one_center_has_signed_ends_the_plain_way_of_no_other(tmp_path: Path) -> None:
    room = Believer(tmp_path, plain=True)
    assert room.takes("receipts", NOW)
    room.layout.center_key.write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
    room.start()
    assert room.center.accepts_plain


def test_a_demand_that_was_held_back_is_not_believed_and_the_panel_hears_of_the_clock(room: Believer) -> None:
    assert not room.takes("demand", NOW - (LATEST_S + 1) * NS_PER_S)
    assert room.center.late
    assert room.takes("demand", NOW - (LATEST_S - 1) * NS_PER_S)
    assert not room.center.late


def test_a_wrong_clock_of_the_center_shuts_the_way_only_while_it_is_wrong(room: Believer) -> None:
    ahead = NOW + 365 * 86_400 * NS_PER_S
    assert room.takes("docket", ahead)
    assert not room.takes("docket", ahead)
    assert room.takes("docket", ahead + 1)
    assert room.takes("docket", NOW), "set right, it is heard again"
    assert not room.takes("docket", NOW - 1)
    assert room.takes("docket", NOW + AHEAD_S * NS_PER_S)


def test_the_stamps_of_another_center_are_none_of_this_one(room: Believer) -> None:
    assert room.takes("docket", NOW)
    other = Ed25519PrivateKey.generate()
    room.layout.center_key.write_bytes(public_pem(other.public_key()))
    assert room.takes("docket", NOW - 5, key=other)
    assert not room.takes("docket", NOW + 5, key=CENTER_KEY)


@pytest.mark.parametrize(
    "spoilt", [b"", b"[]", b"{}", b'{"center":1,"stamps":{}}', b'{"stamps":[]}', b"\xff" * 50, b"[" * 5000]
)
def test_a_spoilt_file_of_stamps_is_as_none(room: Believer, spoilt: bytes) -> None:
    room.layout.center_stamps.write_bytes(spoilt)
    room.plain = True
    room.start()
    of_another = b'"center":1' in spoilt
    assert room.center.accepts_plain == of_another, "nobody knows what it has signed"
    assert room.takes("docket", NOW)


def test_a_message_of_another_purpose_room_or_key_is_not_believed(room: Believer) -> None:
    assert not room.takes("docket", NOW, key=Ed25519PrivateKey.generate())
    assert not room.takes("docket", NOW, address="jianshan/c04")
    demand = json.loads(center_says("demand", ADDRESS, {}, NOW))
    assert not room.takes_message("docket", json.dumps({"note": demand["note"], "docket": demand["demand"]}).encode())
    assert not room.takes_message("docket", b"{}")
    assert room.center.refused == {"signature": 3, "unsigned": 1}
    assert room.takes("docket", NOW)


def test_before_its_enrollment_a_room_believes_nobody_and_after_it_the_center(tmp_path: Path) -> None:
    room = Believer(tmp_path)
    room.layout.center_key.unlink()
    room.start()
    assert room.center.key is None
    assert not room.takes("docket", NOW)
    know_center(room.layout)
    assert room.takes("docket", NOW)
    room.layout.center_key.unlink()
    assert not room.takes("docket", NOW + 1)


def test_the_plain_way_ends_with_its_day_and_with_the_first_signature(tmp_path: Path) -> None:
    room = Believer(tmp_path, plain=True)
    assert room.takes_message("demand", b'{"tracks":[]}')
    room.plain = False
    assert not room.takes_message("demand", b'{"tracks":[]}')
    room.plain = True
    assert room.takes("demand", NOW)
    assert not room.takes_message("demand", b'{"tracks":[]}')


def test_stamps_that_no_disk_takes_are_kept_while_it_runs(room: Believer) -> None:
    room.layout.center_stamps.mkdir()
    assert room.takes("docket", NOW)
    assert not room.takes("docket", NOW)
