"""The process that makes documents, when it dies or is asked for other words; what it leaves behind is swept."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge.documents import jobs
from edge.documents.jobs import ABANDONED_S, Making
from hardware.profile import Profile, load_profile
from sync.errors import StorageError
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from tests.support.ports import free_port
from tests.support.rooms.edge_room import PROFILE
from tests.support.words.signed_hearing import HEARING, Story


@pytest.fixture
def layout(tmp_path: Path) -> RoomPaths:
    made = RoomPaths(tmp_path / "data")
    log = RoomLog(made.log)
    for event in Story().sign().events:
        log.append(event.kind, event.body, hearing=HEARING, room_ns=event.room_ns, utc_ns=event.utc_ns)
    log.close()
    return made


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    (tmp_path / "room.toml").write_text(PROFILE % free_port(), encoding="utf-8")
    return load_profile(tmp_path / "room.toml")


@pytest.mark.process
async def test_why_a_maker_died_is_logged(layout: RoomPaths, profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PYTHONPROFILEIMPORTTIME", "x")  # it says much on its standard error
    making = Making(profile, layout)
    with capture_logs() as logs, pytest.raises(StorageError, match="生成失败"):
        await making.draft(HEARING, "doc")  # a kind that nobody can make
    [said] = [one for one in logs if one["event"] == "document_not_made"]
    assert "KeyError: 'doc'" in said["trace"]


@pytest.mark.process
async def test_final_documents_are_of_the_words_that_were_named_or_not_made(
    layout: RoomPaths, profile: Profile
) -> None:
    folder = layout.hearing(HEARING) / "documents"
    folder.mkdir(parents=True)
    killed, running = folder / ".new-0a1b.pdf", folder / ".new-2c3d.pdf"
    for path in (killed, running):
        path.write_bytes(b"half")
    long_ago = time.time() - 2 * ABANDONED_S
    os.utime(killed, (long_ago, long_ago))
    making, story = Making(profile, layout), Story().sign()
    version = story.hearing.signing.version
    assert version is not None
    with pytest.raises(StorageError, match="have changed"):
        await making.final(HEARING, 1, "0" * 64, ["srt"])
    [made], failed = await making.final(HEARING, 1, version.sha256, ["srt"])
    assert failed == {}
    assert made.path.read_bytes().startswith(b"1\n")
    assert sorted(path.name for path in folder.iterdir()) == [running.name, made.path.name]


@pytest.mark.process
@pytest.mark.parametrize(("how", "why"), [("raise", "a defect of a library"), ("exit", "ended")])
async def test_a_kind_that_cannot_be_made_takes_no_other_along(
    layout: RoomPaths, profile: Profile, monkeypatch: pytest.MonkeyPatch, how: str, why: str
) -> None:
    monkeypatch.setattr(jobs, "WORKER", "tests.support.words.broken_maker")
    monkeypatch.setitem(os.environ, "WUTONG_BROKEN_MAKER", how)
    version = Story().sign().hearing.signing.version
    assert version is not None
    making = Making(profile, layout)
    with capture_logs() as logs:
        made, failed = await making.final(HEARING, 1, version.sha256)
    assert sorted(one.kind for one in made) == ["docx", "json", "srt", "vtt"]
    assert list(failed) == ["pdf"]
    assert why in failed["pdf"]
    assert logs[0]["event"] == "document_not_made"
    with pytest.raises(StorageError, match="生成失败"):
        await making.final(HEARING, 1, version.sha256, ["pdf"])
    assert (await making.draft(HEARING, "srt")).bytes > 0


def test_why_a_document_is_missing_is_kept_beside_the_others_until_it_is_made(layout: RoomPaths) -> None:
    folder = layout.hearing(HEARING) / "documents"
    jobs.note_failures(folder, {"pdf": "没有字体"})
    assert jobs.failures_below(layout.hearings) == {HEARING: {"pdf": "没有字体"}}
    jobs.note_failures(folder, {})
    assert jobs.failures_below(layout.hearings) == {}
    (folder / jobs.FAILED).write_text("[", encoding="utf-8")
    assert jobs.failures_below(layout.hearings) == {HEARING: {}}
