"""What becomes of a fragment that was offered to the writer of a track."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from recorder.storage.outcomes import (
    FragmentKept,
    FragmentRefused,
    Outcome,
    RefusalCode,
    SegmentClosed,
    StretchFinished,
)
from recorder.storage.segment import take_index
from recorder.storage.writer import QUEUE_FRAGMENTS, TrackWriter
from tests.support.files.made_fragments import S, fragment


async def outcomes_of(folder: Path, *offered: tuple[float, bool]) -> list[Outcome]:
    """Offer fragments (beginning in seconds, key frame), end the stretch, and wait until all was carried out."""
    outcomes: list[Outcome] = []
    finished = asyncio.Event()

    def note(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if isinstance(outcome, StretchFinished):
            finished.set()

    writer = TrackWriter("bench", lambda hearing: folder / hearing, 60, asyncio.get_running_loop(), note)
    for from_s, key in offered:
        assert writer.offer("h", fragment(from_s, key))
    assert writer.finish("h", 99 * S)
    async with asyncio.timeout(30):
        await finished.wait()
    await asyncio.to_thread(writer.stop)
    return outcomes


async def test_a_file_waits_for_a_key_frame_which_is_no_trouble_of_the_disk(tmp_path: Path) -> None:
    refused, kept, closed, finished = await outcomes_of(tmp_path, (0.75, False), (1.0, True))
    assert isinstance(refused, FragmentRefused)
    assert (refused.code, refused.why) == (RefusalCode.WAITS_FOR_KEY_FRAME, "等待关键帧")
    assert isinstance(kept, FragmentKept)
    assert kept.fragment.from_ns == S
    assert isinstance(closed, SegmentClosed)
    assert closed.segment.fragments == 1
    assert finished == StretchFinished("h", 99 * S)


async def test_a_disk_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "h").write_bytes(b"a file where the folder of the track should be")
    refused, finished = await outcomes_of(tmp_path, (1.0, True))
    assert isinstance(refused, FragmentRefused)
    assert refused.code is RefusalCode.NOT_WRITTEN
    assert refused.why
    assert isinstance(finished, StretchFinished)


async def test_a_number_that_recovery_has_just_taken_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "h").mkdir()
    os.close(take_index(tmp_path / "h" / "00000.mp4"))
    monkeypatch.setattr("recorder.storage.writer.next_index", lambda folder: 0)  # looked before it was taken
    kept, closed, _ = await outcomes_of(tmp_path, (1.0, True))
    assert isinstance(kept, FragmentKept)
    assert isinstance(closed, SegmentClosed)
    assert closed.segment.index == 1
    assert (tmp_path / "h" / "00000.jsonl").read_bytes() == b""


class SlowDisk:
    """Each sync of a file waits until it may end; then it fails where the disk is said to be broken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.may_end = threading.Event(), threading.Event()
        self.broken = False
        really = os.fdatasync

        def fdatasync(fd: int) -> None:
            self.asked.set()
            assert self.may_end.wait(30)
            if self.broken:
                raise OSError(errno.EIO, "Input/output error")
            really(fd)

        monkeypatch.setattr(os, "fdatasync", fdatasync)


async def test_while_a_sync_lasts_the_kernel_has_what_comes_and_no_more_waits_than_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowDisk(monkeypatch)
    kept: list[float] = []

    def note(outcome: Outcome) -> None:
        assert isinstance(outcome, FragmentKept | SegmentClosed)
        if isinstance(outcome, FragmentKept):
            kept.append(outcome.fragment.from_ns / S)

    writer = TrackWriter("bench", lambda hearing: tmp_path / hearing, 60, asyncio.get_running_loop(), note)
    first, path = fragment(0, True), tmp_path / "h" / "00000.mp4"
    assert writer.offer("h", first)
    assert await asyncio.to_thread(disk.asked.wait, 30)
    offered = 1
    while writer.offer("h", fragment(offered, False)):
        offered += 1
    assert offered == QUEUE_FRAGMENTS
    assert not writer.finish("h", 999 * S), "it is to be asked again"
    whole = len(first.run.init.data) + offered * len(first.data)
    async with asyncio.timeout(30):
        while path.stat().st_size < whole:
            await asyncio.sleep(0)
    assert kept == [], "on disk is none of it yet"
    assert path.with_suffix(".jsonl").read_bytes() == b""
    disk.may_end.set()
    await asyncio.to_thread(writer.stop, 30)
    await asyncio.sleep(0)
    assert kept == list(range(offered))


async def test_what_a_failed_sync_was_for_is_refused_in_order_and_the_next_key_frame_begins_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowDisk(monkeypatch)
    outcomes: list[Outcome] = []
    told = asyncio.Event()

    def note(outcome: Outcome) -> None:
        outcomes.append(outcome)
        told.set()

    async def until_told(count: int) -> None:
        async with asyncio.timeout(30):
            while len(outcomes) < count:
                told.clear()
                await told.wait()

    writer = TrackWriter("bench", lambda hearing: tmp_path / hearing, 60, asyncio.get_running_loop(), note)
    disk.broken = True
    for from_s in (0, 1, 2):
        assert writer.offer("h", fragment(from_s, from_s == 0))
    assert await asyncio.to_thread(disk.asked.wait, 30)
    disk.may_end.set()
    await until_told(3)
    disk.broken = False
    assert writer.offer("h", fragment(3, True))
    await asyncio.to_thread(writer.stop, 30)
    await until_told(5)
    refused, (kept, closed) = outcomes[:3], outcomes[3:]
    assert [one.fragment.from_ns / S for one in refused if isinstance(one, FragmentRefused) and one.fragment] == [
        0,
        1,
        2,
    ]
    assert isinstance(kept, FragmentKept)
    assert kept.fragment.from_ns == 3 * S
    assert isinstance(closed, SegmentClosed)
    assert (closed.segment.index, closed.segment.fragments) == (1, 1)
