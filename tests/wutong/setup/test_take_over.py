"""A machine broke down, its disk can be read: another one goes on with its log, and nothing of it is lost."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from sync.errors import ConfigError, StorageError
from sync.ledger.keys import make_key
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from wutong.setup import take_over as module
from wutong.setup.take_over import take_over


@pytest.fixture
def old(tmp_path: Path) -> RoomPaths:
    """It said five facts, of which the center receipted two, and stopped without closing its log."""
    layout = RoomPaths(tmp_path / "old")
    said = RoomLog(layout.log)
    for number in range(5):
        said.append("note", {"at": number}, hearing="h1", room_ns=number, utc_ns=number)
    said.forget([1, 2])
    segment = layout.track("h1", "bench") / "00000.mp4"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"media" * 100)
    make_key(layout.device_key)
    layout.keys.mkdir()
    layout.device_certificate.write_text("certificate")
    (layout.data / "away").symlink_to("/etc/passwd")
    wal = layout.log.with_name("room.db-wal").read_bytes()
    said.close()
    layout.log.with_name("room.db-wal").write_bytes(wal)  # as a power cut leaves it
    return layout


def test_the_log_goes_on_with_what_the_center_had_not_receipted(old: RoomPaths, tmp_path: Path) -> None:
    new = RoomPaths(tmp_path / "new")
    found = take_over(old.data, new.data)
    assert (found.last_number, found.pending_events) == (5, 3)
    assert (new.track("h1", "bench") / "00000.mp4").read_bytes() == b"media" * 100
    with contextlib.closing(RoomLog(new.log)) as log:
        assert not log.begin_at(1_000_005), "a log that is there is not begun anew"
        assert log.append("note", {}, hearing=None, room_ns=9, utc_ns=9).number == 6
    assert not new.device_key.exists()
    assert not new.keys.exists()
    assert not (new.data / "away").exists()


def test_what_has_a_log_takes_none_over_and_what_is_no_room_is_none(old: RoomPaths, tmp_path: Path) -> None:
    new = RoomPaths(tmp_path / "new")
    with pytest.raises(ConfigError, match=r"no room\.db"):
        take_over(tmp_path / "nothing", new.data)
    RoomLog(new.log).close()
    with pytest.raises(ConfigError, match="a log of its own"):
        take_over(old.data, new.data)


def test_a_copy_that_was_broken_off_is_no_log_and_is_begun_again(
    old: RoomPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = RoomPaths(tmp_path / "new")
    copy = module._copy

    def fails(source: Path, target: Path) -> None:
        if source == old.log:
            raise OSError(5, "Input/output error", str(source))
        copy(source, target)

    monkeypatch.setattr(module, "_copy", fails)
    with pytest.raises(StorageError, match="Input/output error"):
        take_over(old.data, new.data)
    assert not new.log.exists()
    monkeypatch.setattr(module, "_copy", copy)
    assert take_over(old.data, new.data).pending_events == 3


def test_a_disk_that_is_too_small_is_said_before_anything_is_copied(
    old: RoomPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SPARE_BYTES", 2**62)
    with pytest.raises(StorageError, match="too small"):
        take_over(old.data, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
