"""What the demo writes for its services is what those services accept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hardware.profile import load_profile
from hardware.simulation.scenario import BUNDLED_HEARING
from wutong.demo.broker import account, write_config
from wutong.demo.rooms import plan_rooms, write_profile


def test_each_room_gets_a_profile_with_the_seats_of_the_hearing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x" * 32)
    plans = plan_rooms(tmp_path, 2, 9010)
    for plan in plans:
        write_profile(
            plan,
            BUNDLED_HEARING,
            center_url="http://127.0.0.1:9000",
            token_file=secret,
            mqtt_port=9001,
        )
    first, second = (load_profile(plan.profile) for plan in plans)
    assert [(seat.id, seat.roles, seat.channel) for seat in first.seats] == [
        ("judge", ["审判长"], 0),
        ("plaintiff", ["原告", "原告代理人"], 1),
        ("defendant", ["被告"], 2),
        ("clerk", ["书记员"], 3),
    ]
    assert (first.address, second.address) == ("jianshan/room-01", "jianshan/room-02")
    assert (first.transcriber.engine, second.transcriber.engine) == ("faster-whisper", "off")
    assert (first.selftest.opening, first.selftest.loudspeaker) == ("required", "simulated")
    assert first.storage.data != second.storage.data
    assert (first.panel.port, second.panel.port) == (9010, 9011)


def test_a_hearing_with_other_roles_gets_seats_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "hearing"
    shutil.copytree(BUNDLED_HEARING, folder)
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    reference["channels"]["2"] = ["翻译"]
    (folder / "reference.json").write_text(json.dumps(reference), encoding="utf-8")
    (plan,) = plan_rooms(tmp_path, 1, 9010)
    secret = tmp_path / "secret"
    write_profile(plan, folder, center_url="", token_file=secret, mqtt_port=1883)
    assert "seat-2" in [seat.id for seat in load_profile(plan.profile).seats]


@pytest.mark.process
def test_secrets_of_the_broker_are_for_its_owner_only_and_stay_the_same(tmp_path: Path) -> None:
    center, room = account(tmp_path, "center"), account(tmp_path, "jianshan/room-01")
    before = room.password_file.read_text()
    config = write_config(tmp_path / "broker", 9001, center, {"jianshan/room-01": room})
    assert account(tmp_path, "jianshan/room-01").password_file.read_text() == before
    for path in (
        center.password_file,
        room.password_file,
        tmp_path / "broker" / "passwords",
        tmp_path / "broker" / "access",
    ):
        assert path.stat().st_mode & 0o077 == 0, path
    assert "allow_anonymous false" in config.read_text()
    access = (tmp_path / "broker" / "access").read_text()
    assert "topic write court/v1/jianshan/room-01/events" in access
    assert "topic read court/v1/jianshan/room-01/receipts" in access
    assert before not in (tmp_path / "broker" / "passwords").read_text(), "only its hash is there"
