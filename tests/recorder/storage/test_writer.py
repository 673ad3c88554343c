"""What becomes of a fragment that was offered to the writer of a track."""

from __future__ import annotations

import asyncio
import os
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
from recorder.storage.writer import TrackWriter
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
