"""The doctor names a signer that is away, a key that has no home, and a machine that cannot confine its readers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hardware.profile import Profile, load_profile
from sync.ledger.keys import make_key
from sync.room.feed import FeedServer
from sync.room.paths import RoomPaths
from sync.runtime.confinement import landlock, seccomp
from tests.support.rooms.signer_peer import signing
from tests.support.words.doctor_profile import PROFILE
from wutong.doctor.finding import DoctorFinding
from wutong.doctor.signer import confinement, signer


def profile_of(tmp_path: Path, more: str = "") -> Profile:
    path = tmp_path / "room.toml"
    path.write_text(PROFILE.format(mics="simulated", camera='driver = "simulated"', reserve=0.0) + more)
    return load_profile(path)


def findings(profile: Profile) -> dict[str, DoctorFinding]:
    return {finding.subject: finding for finding in signer(profile)}


async def test_a_signer_that_is_away_is_bad_only_while_the_room_runs(tmp_path: Path) -> None:
    profile = profile_of(tmp_path)
    layout = RoomPaths(profile.storage.data)
    assert findings(profile)["profile: signer"].state == "note"
    feed = FeedServer(layout.feed("edge"))
    await feed.start()
    away = findings(profile)["profile: signer"]
    assert away.state == "bad"
    assert "systemctl status wutong-signer" in away.text
    await feed.stop()
    with signing(layout, profile.address):
        assert findings(profile)["profile: signer"].state == "ok"


def test_a_token_and_a_tpm_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = '\n[signer]\nkey = "pkcs11"\nmodule = "/no/such.so"\ntoken = "room"\npin_file = "pin"\n'
    assert "/no/such.so is not there" in findings(profile_of(tmp_path, token))["profile: token"].text
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "tpm2-tools" in findings(profile_of(tmp_path, '\n[signer]\nkey = "tpm"\n'))["profile: TPM"].text


def test_a_machine_without_the_kernels_parts_is_told_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert confinement().state == "ok"
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr("sync.runtime.confinement.confine.is_known", lambda: False)
    lacking = confinement()
    assert lacking.state == "note"
    assert "Landlock" in lacking.text
    assert "filter of system calls" in lacking.text
    assert seccomp.is_known()


def test_a_key_where_every_service_may_read_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = profile_of(tmp_path)
    make_key(RoomPaths(profile.storage.data).earlier_device_key)
    monkeypatch.setattr("wutong.doctor.signer.os.geteuid", lambda: 1000)
    assert "the signer moves it" in findings(profile)["profile: device key"].text
