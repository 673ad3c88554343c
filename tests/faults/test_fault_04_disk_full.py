"""Fault 4: disk full on the media volume only; on the database only. Two small file systems, filled to the last byte.

Media volume full: what could not be written is declared, with an alarm; it goes on by itself when there is room again.
Database full: no media is lost; events wait beside the media and in memory, an alarm says so, and all are said later.
Where nothing may be mounted, the recorder's files are kept from growing by a resource limit instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.fault_tools import full, gaps, may_mount, mounted, writing_nothing
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans, whole

TRACKS = ("bench", "mics", "mix")


def alarmed(room: RecorderRoom, code: str, subject: str = "") -> bool:
    alarms = room.status.get("alarms", [])
    return any(alarm["code"] == code and subject in ("", alarm["subject"]) for alarm in alarms)


async def test_a_full_media_volume_and_then_a_full_database(
    room_of: Callable[..., RecorderRoom], tmp_path: Path
) -> None:
    if not may_mount(tmp_path / "probe"):
        pytest.skip("no file system can be mounted here; the next test causes a full disk by a resource limit")
    data = tmp_path / "data"
    with contextlib.ExitStack() as volumes:
        volumes.enter_context(mounted("-t", "tmpfs", "-o", "size=12m", "none", at=data))
        volumes.enter_context(mounted("-t", "tmpfs", "-o", "size=24m", "none", at=data / "hearings"))
        room = room_of(profile_text(segment_s=4))
        await room.until(room.running, "all sources run")
        room.say("open", case={}, seats=[], tracks=[])
        await room.pass_media("bench", 1.5)
        with full(data / "hearings"):
            await room.until(lambda: all(alarmed(room, "write", track) for track in TRACKS), "a full disk is said")
        await room.until(lambda: not alarmed(room, "write"), "it goes on by itself")
        await room.pass_media("bench", 1)
        before = len(room.view().segments)
        with full(data):
            await room.until(lambda: alarmed(room, "log"), "a log that takes nothing is said")
            from_ns = room.clock.now_ns()
            await room.pass_media("bench", 3)
            until_ns = room.clock.now_ns()
            assert (data / "hearings" / "unsaid.jsonl").exists()
        await room.until(lambda: len(room.view().segments) > before and not alarmed(room, "log"), "events are said")
        room.say("close")
        view = await room.closed(*TRACKS)
        for track in TRACKS:
            assert len(spans(view, track)) == 1
            lost = [g for g in view.gaps if g.track == track and "space" in g.why]
            assert lost, "the full media volume cost media, and that is declared"
            during = [g for g in gaps(room, view, track) if g.from_ns > from_ns and (g.to_ns or 0) < until_ns]
            assert during == [], "the full database cost none"
            assert all(whole(path) for path in room.files(track))
        assert not (data / "hearings" / "unsaid.jsonl").exists()
        await room.close()


async def test_a_disk_that_takes_nothing_is_survived_without_any_mount(room_of: Callable[..., RecorderRoom]) -> None:
    room = room_of(profile_text(segment_s=4))
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("mics", 1.5)
    with writing_nothing(room.pid):
        await room.until(lambda: all(alarmed(room, "write", track) for track in TRACKS), "it is said")
    await room.until(lambda: not alarmed(room, "write") and not alarmed(room, "log"), "it goes on by itself")
    await room.pass_media("mics", 1)
    room.say("close")
    view = await room.closed(*TRACKS)
    for track in TRACKS:
        assert len(spans(view, track)) == 1
        assert [g for g in view.gaps if g.track == track]
