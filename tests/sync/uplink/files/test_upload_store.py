"""What a room must still send is found again after a restart, and looked for no more often than it changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.record.event import Event
from sync.room.paths import RoomPaths
from sync.uplink.files import upload_store
from sync.uplink.files.segment_growth import SegmentGrowth
from sync.uplink.files.upload_store import Upload, UploadStore

HEARING = "20261122-093000-00c0ffee"


@pytest.fixture
def store(layout: RoomPaths) -> Iterator[UploadStore]:
    made = UploadStore(layout.uploads)
    yield made
    made.close()


def mark(number: int) -> Event:
    return Event(number, HEARING, "mark", 0, 0, {"id": f"m{number}"})


def segment(number: int, track: str, index: int = 0) -> Event:
    body = {"track": track, "index": index, "file": f"{track}/{index:05}.mp4", "bytes": 7, "sha256": "00" * 32}
    return Event(number, HEARING, "segment", 0, 0, body)


def reopened(layout: RoomPaths) -> tuple[int, list[str]]:
    again = UploadStore(layout.uploads)
    found = again.scanned, [upload.track for upload in again.finished(limit=9)]
    again.close()
    return found


def test_what_obliges_to_nothing_is_looked_at_again_after_a_restart_and_nothing_is_lost(
    layout: RoomPaths, store: UploadStore
) -> None:
    store.take([mark(1), segment(2, "bench"), mark(3)])
    store.take([mark(4)])
    store.take([])
    assert store.scanned == 4
    assert reopened(layout) == (3, ["bench"])
    store.take([mark(5), segment(6, "mics")])
    assert reopened(layout) == (6, ["bench", "mics"])


def test_how_far_it_looked_is_written_down_now_and_then(
    layout: RoomPaths, store: UploadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_store, "NOTED_EVENTS", 3)
    store.take([mark(1), mark(2)])
    assert reopened(layout) == (0, [])
    store.take([mark(3)])
    assert reopened(layout) == (3, [])


def test_segments_that_are_finished_are_not_asked_for_again(
    layout: RoomPaths, store: UploadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a long day there are thousands of them."""
    for index in range(3):
        path = layout.track(HEARING, "bench") / f"{index:05}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in ("notes.mp4", "00001.tmp"):  # neither is a segment
        (layout.track(HEARING, "bench") / name).touch()
    (layout.hearing(HEARING) / "a-file").touch()
    asked: list[str] = []
    get = UploadStore.get

    def noted(self: UploadStore, key: str) -> Upload | None:
        asked.append(key)
        return get(self, key)

    monkeypatch.setattr(UploadStore, "get", noted)
    growth = SegmentGrowth(layout, store, lambda upload: Path(upload.file))
    assert [upload.index for upload in growth.segments(HEARING)] == [0, 1, 2]
    store.take([segment(1, "bench", 0), segment(2, "bench", 1)])
    assert [upload.index for upload in growth.segments(HEARING)] == [2]
    asked.clear()
    assert [upload.index for upload in growth.segments(HEARING)] == [2]
    assert len(asked) == 1
    assert growth.segments("20261122-100000-00c0ffee") == []
    assert [upload.index for upload in growth.segments(HEARING)] == [2]
