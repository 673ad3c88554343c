"""Files are indexed one by one: one that takes long holds up who asks for it and nobody else."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from server.objects.media_indexes import MediaIndexes
from server.playback import ranges
from server.playback.ranges import Media, TrackFile
from sync.media.fmp4 import FileIndex, Init, index_file
from sync.record.sealed_parts import Unseen


def test_a_file_that_takes_long_holds_up_no_other(
    tmp_path: Path, footage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, honest = tmp_path / "slow.mp4", tmp_path / "honest.mp4"
    slow.write_bytes(footage)
    honest.write_bytes(footage)
    begun, go = threading.Event(), threading.Event()

    def indexed(path: Path, offset: int = 0, init: Init | None = None, *, salvage: bool = False) -> FileIndex:
        if path == slow:
            begun.set()
            assert go.wait(60)
        return index_file(path, offset, init, salvage=salvage)

    monkeypatch.setattr(ranges, "index_file", indexed)
    media = Media(MediaIndexes(tmp_path / "indexes"))
    thread = threading.Thread(target=media.ranges, args=([TrackFile(0, slow, False)],))
    thread.start()
    try:
        assert begun.wait(60)
        mime, spans = media.ranges([TrackFile(0, honest, False)])
        assert mime.startswith("video/mp4")
        assert spans
    finally:
        go.set()
        thread.join(60)


def test_only_what_reaches_into_a_sealed_part_is_looked_into(tmp_path: Path, footage: bytes) -> None:
    first = tmp_path / "first.mp4"
    first.write_bytes(footage)
    second_ns = 10**9
    # The second file is not there: whoever looks into it fails.
    sources = [
        TrackFile(0, first, False, 0, 4 * second_ns),
        TrackFile(1, tmp_path / "none.mp4", False, 10 * second_ns, 14 * second_ns),
    ]
    media = Media(MediaIndexes(tmp_path / "indexes"))
    _, spans = media.ranges(sources, Unseen(((6 * second_ns, 10 * second_ns),)))
    assert spans[-1] == (10 * second_ns, 14 * second_ns)
    with pytest.raises(FileNotFoundError):
        media.ranges(sources, Unseen(((13 * second_ns, 20 * second_ns),)))
