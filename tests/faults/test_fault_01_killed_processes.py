"""Fault 1: `kill -9` of each process at random moments, also inside an `mdat`; of all at once.

Done: twenty kills of a real room, in turns the recorder (in every second case at the moment in which a file grows), its
camera, its microphones, their encoder, its uplink, and every process of the room at once. `wutong bench kill` does two
hundred.
What is open is kept on at once, and counted when the past is in the log, however long the disk takes for the past.
Lost: nothing that was acknowledged; less than half a second of media that was captured and on no disk yet.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from sync.media.fmp4 import index_file
from sync.record.hearing import Hearing
from tests.faults.fault_tools import Switch
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans
from wutong.bench.kill.measure import measure

TRACKS = ("bench", "mics", "mix")


@pytest.mark.alone
async def test_twenty_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    os.sync()  # what tests before this one wrote is not to be waited for by the recorder's first syncs
    figures = await measure(tmp_path, 20, Console(quiet=True), seed=8, services=("recorder", "uplink"))
    assert figures["times"] == 20
    assert figures["acknowledged_fragments"] > 100
    assert figures["acknowledged_lost"] == 0
    assert figures["media_lost_ms_max"] <= 500
    assert figures["recording_again_s_max"] <= 5
    assert figures["gaps_undeclared_ms"] == 0
    assert figures["gaps_false_ms"] == 0
    assert figures["orphans"] == 0


async def test_what_an_earlier_hearing_lacks_is_declared_though_another_is_open(
    room_of: Callable[..., RecorderRoom],
) -> None:
    room = room_of()
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("mics", 1)
    await room.end(signal.SIGKILL)
    closed_ns = room.say("close")
    room.hearing = "h-2"
    room.say("open", case={}, seats=[], tracks=[])
    room.start()
    await room.until(lambda: room.running() and all(t["kept"] for t in room.status["tracks"]), "the second is kept")

    def first() -> Hearing:
        return Hearing.of("h-1", room.log.of_hearing("h-1"))

    await room.until(
        lambda: len({g.track for g in first().gaps if g.to_ns == closed_ns}) == 3,
        "the end of the first is declared for each track",
    )
    assert {max(g.to_ns or 0 for g in first().gaps if g.track == t) for t in ("bench", "mics", "mix")} == {closed_ns}
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert {min(g.from_ns for g in view.gaps if g.track == t) for t in ("bench", "mics", "mix")} == {view.opened_ns}


async def test_a_disk_that_does_not_give_the_past_keeps_nothing_from_being_recorded(
    room_of: Callable[..., RecorderRoom],
) -> None:
    room = room_of(profile_text(segment_s=4))
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: all(t["kept"] for t in room.status["tracks"]), "everything is kept")
    await room.pass_media("mics", 1)
    await room.end(signal.SIGKILL)
    said = room.log.last_number()
    # A file of before whose disk does not answer: to open it takes until somebody lets it.
    stuck = room.layout.track("g-0", "bench") / "00000.mp4"
    stuck.parent.mkdir(parents=True)
    os.mkfifo(stuck)

    room.start()
    await room.until(lambda: room.running() and all(t["kept"] for t in room.status["tracks"]), "it keeps all the same")
    await room.until(lambda: all(len(room.files(track)) >= 3 for track in TRACKS), "segments end meanwhile")
    assert room.status["hearing"] == room.hearing
    told = [event for event in room.log.since(said) if event.kind in ("segment", "gap")]
    assert told == [], "nothing is counted before it is known what there was"

    await asyncio.to_thread(lambda: stuck.open("wb").close())  # the disk answers: with nothing
    room.say("close")
    view = await room.closed(*TRACKS)
    for track in TRACKS:
        (span,) = spans(view, track)
        assert span[0] <= view.opened_ns
        segments = [s for s in view.segments if s.track == track]
        assert [s.index for s in segments] == list(range(len(room.files(track)))), "each once, and in their order"
        fragments = [f for path in room.files(track) for f in index_file(path).fragments]
        holes = [(a.to_ns, b.from_ns) for a, b in pairwise(fragments) if b.from_ns - a.to_ns > 10_000_000]
        assert [(g.from_ns, g.to_ns) for g in view.gaps if g.track == track] == holes, "and the gap is the real one"
        assert "录制服务" in next(g for g in view.gaps if g.track == track).why


async def test_a_disk_that_takes_seconds_for_a_sync_loses_no_more_by_a_kill(
    room_of: Callable[..., RecorderRoom], library: Path, tmp_path: Path
) -> None:
    slow_ms = Switch(tmp_path / "slow")
    faults = {"LD_PRELOAD": str(library), "FAULT_SLOW": str(slow_ms.path), "FAULT_EIO_MATCH": "/hearings/h-1/"}
    room = room_of(profile_text(segment_s=4), faults)
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: all(t["kept"] for t in room.status["tracks"]), "everything is kept")
    slow_ms.set(3000)
    await room.pass_media("bench", 6)  # so files begin and end while the disk is like that
    # What was published then, the kernel has, but for what is just on its way to it.
    newest = {track: room.fragments[track][-1] for track in TRACKS}
    published_ns = {track: last.room_ns + last.duration_us * 1000 for track, last in newest.items()}
    await room.end(signal.SIGKILL)
    slow_ms.set(0)
    room.start()
    await room.until(lambda: room.running() and all(t["kept"] for t in room.status["tracks"]), "it keeps again")
    room.say("close")
    view = await room.closed(*TRACKS)
    for track in TRACKS:
        kept_ns = [f.to_ns for path in room.files(track) for f in index_file(path).fragments]
        assert max(ns for ns in kept_ns if ns <= published_ns[track] + 20_000_000) > published_ns[track] - 500_000_000
        assert len(spans(view, track)) == 1, "kept or declared, nothing in between"


async def test_a_hearing_that_was_closed_while_the_recorder_was_dead_is_not_recorded_on(
    room_of: Callable[..., RecorderRoom],
) -> None:
    room = room_of()
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: all(t["kept"] for t in room.status["tracks"]), "everything is kept")
    await room.end(signal.SIGKILL)
    room.say("pause", reason="recess")
    before = {track: room.files(track) for track in TRACKS}
    room.start()
    await room.until(room.running, "it runs")
    await room.pass_media("bench", 2)
    assert not any(t["kept"] for t in room.status["tracks"])
    assert {track: room.files(track) for track in TRACKS} == before
