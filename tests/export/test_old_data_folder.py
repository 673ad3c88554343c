"""The data folder of a room that an earlier version wrote still opens: it is the record of decades.

`data_folder/0.1` was written by version 0.1.0 (the hearing of tests/export/make_golden.py, with its room's device key,
which is good for nothing else). It is never changed.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from recorder.storage.schedule import RecordingSchedule
from server.store.database import open_database
from sync.ledger.keys import read_public
from sync.record.hearing import Hearing, State
from sync.room.checkpoints import Checkpoints
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.files.upload_store import UploadStore
from wutong.export.bundle import export
from wutong.export.sources.room import RoomSource
from wutong.verify.case import ExportCase
from wutong.verify.examine import examine
from wutong.verify.verdict import Verdict

FOLDERS = sorted((Path(__file__).parent / "data_folder").iterdir())
HEARING = "20240302-093000-901d0001"


@pytest.fixture(params=FOLDERS, ids=lambda path: path.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(request.param, tmp_path / "old"))
    (folder / "data" / "keys" / "device.key").chmod(0o600)  # Git keeps no such modes
    return folder


def test_a_hearing_of_an_old_data_folder_is_exported_and_verified(old: Path, tmp_path: Path) -> None:
    source = RoomSource(old / "data", HEARING)
    export(source, tmp_path / "out", people=False)
    source.close()
    judgment = examine(ExportCase(tmp_path / "out", read_public((old / "center.pem").read_bytes())))
    assert judgment.verdict is Verdict.WITH_GAPS, judgment.reasons
    assert [reason.about[0] for reason in judgment.reasons if reason.code == "gap"] == ["审判席"]


def test_the_services_of_a_room_read_an_old_data_folder(old: Path) -> None:
    paths = RoomPaths(old / "data")
    log = RoomLog(paths.log)
    hearing = Hearing(HEARING)
    for event in log.of_hearing(HEARING):
        hearing.apply(event)
    assert hearing.state is State.CLOSED
    assert hearing.utterances
    assert hearing.signing.signatures
    assert log.pending_count() == log.last_number(), "nothing was receipted yet"
    schedule = RecordingSchedule(log)
    schedule.poll()
    (plan,) = schedule.all()
    assert plan.ended
    assert len(plan.stretches) == 2
    assert all(plan.kept_until_ns[track] for track in ("judge", "mics", "mix"))
    checkpoints = Checkpoints(paths.log)
    assert checkpoints.last(HEARING) is not None
    checkpoints.close()
    log.close()


def _names(path: Path) -> dict[str, list[str]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        tables = [name for (name,) in rows if not name.startswith(("utterance_folded", "hearing_folded"))]
        return {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in tables}


def test_tables_and_columns_have_the_names_that_old_databases_have(tmp_path: Path) -> None:
    """What is stored is never renamed but by a migration, which belongs into stored_names.json."""
    paths = RoomPaths(tmp_path)
    RoomLog(paths.log).close()
    Checkpoints(paths.log).close()
    UploadStore(paths.uploads).close()
    open_database(f"sqlite:///{tmp_path / 'center.db'}").close()
    golden = json.loads(Path(__file__).with_name("stored_names.json").read_text(encoding="utf-8"))
    assert {name: _names(tmp_path / name) for name in golden} == golden
