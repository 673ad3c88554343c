"""Files of the record: what a full disk, a torn write or a power cut leaves of them."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest

from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.storage.recovery import close_unclosed, segment_key, unclosed
from recorder.storage.segment import SegmentFile, next_index
from sync.errors import StorageError
from sync.media.fmp4 import BoxReader, Fragment, index_file, to_ns
from sync.runtime.files.digests import checks_of
from tests.support.files.kept_fragments import keep


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> list[StampedFragment]:
    path = tmp_path_factory.mktemp("media") / "v.mp4"
    source = "ffmpeg -v error -f lavfi -i testsrc2=s=320x180:r=25 -t 3 -c:v libx264 -preset ultrafast -g 25"
    options = "-bf 0 -pix_fmt yuv420p -movflags empty_moov+default_base_moof+frag_keyframe+skip_trailer"
    subprocess.run([*f"{source} {options} -frag_duration 120000".split(), str(path)], check=True)
    reader = BoxReader()
    fragments = [i for i in reader.feed(path.read_bytes()) if isinstance(i, Fragment)]
    assert reader.init is not None
    run, scale = WorkerRun(1, reader.init), reader.init.timescale
    return [
        StampedFragment(
            run, n, f.data, to_ns(f.decode_time, scale), to_ns(f.decode_time + f.duration, scale), n, f.key_frame
        )
        for n, f in enumerate(fragments)
    ]


def written(folder: Path, media: list[StampedFragment]) -> Path:
    segment = SegmentFile(folder, next_index(folder), media[0].run)
    for fragment in media:
        keep(segment, fragment)
    segment.close()
    return segment.path


def test_a_segment_and_its_recovery_give_both_check_values_of_the_file(
    tmp_path: Path, media: list[StampedFragment]
) -> None:
    segment = SegmentFile(tmp_path, 0, media[0].run)
    for fragment in media:
        keep(segment, fragment)
    closed = segment.close()
    assert closed is not None
    assert checks_of(closed.path) == (closed.sha256, closed.sm3)
    (again,) = close_unclosed(closed.path, 0)
    assert (again.segment.sha256, again.segment.sm3) == (closed.sha256, closed.sm3)


def test_every_cut_of_a_file_is_recovered_to_its_last_whole_fragment(
    tmp_path: Path, media: list[StampedFragment]
) -> None:
    path = written(tmp_path / "whole", media)
    data, lines = path.read_bytes(), path.with_suffix(".jsonl").read_bytes()
    ends = [f.offset + f.bytes for f in index_file(path).fragments]
    folder = tmp_path / "cut"
    folder.mkdir()
    for number, size in enumerate(range(0, len(data) + 1, 1_777)):
        cut = folder / f"{number:05d}.mp4"
        cut.write_bytes(data[:size])
        cut.with_suffix(".jsonl").write_bytes(lines[: len(lines) * size // len(data)])
        good = [e for e in ends if e <= size]
        closed = close_unclosed(cut, 10)
        if not good:
            assert closed == []
            assert not cut.exists()
            continue
        assert cut.read_bytes() == data[: good[-1]]
        assert [one.segment.fragments for one in closed] == [len(good)]
        journal = [json.loads(x) for x in cut.with_suffix(".jsonl").read_text().splitlines()]
        assert [j["offset"] + j["length"] for j in journal] == good


@pytest.mark.parametrize("journaled", [True, False])
def test_what_is_whole_behind_damage_is_kept_byte_for_byte(
    tmp_path: Path, media: list[StampedFragment], journaled: bool
) -> None:
    path = written(tmp_path, media)
    fragments = index_file(path).fragments
    whole = path.read_bytes()
    data = bytearray(whole)
    at = fragments[5].offset + (fragments[5].bytes - 10 if journaled else whole[fragments[5].offset :].index(b"traf"))
    data[at] ^= 1
    path.write_bytes(data)
    if not journaled:
        path.with_suffix(".jsonl").unlink()
    before, behind = close_unclosed(path, 0)
    assert before.segment.fragments == 5
    assert path.read_bytes() == whole[: fragments[5].offset]
    assert path.with_suffix(".damaged").read_bytes() == data
    assert behind.segment.fragments == len(fragments) - 6
    assert behind.segment.path.read_bytes() == media[0].run.init.data + whole[fragments[6].offset :]
    assert (behind.segment.index, behind.segment.from_ns) == (1, fragments[6].from_ns)
    lines = [json.loads(x) for x in behind.segment.path.with_suffix(".jsonl").read_text().splitlines()]
    assert [(x["offset"], x["length"]) for x in lines] == [
        (f.offset, f.bytes) for f in index_file(behind.segment.path).fragments
    ]
    path.write_bytes(data)  # as if the recovery itself had been interrupted
    assert [one.segment.index for one in close_unclosed(path, 0)] == [0]


def test_what_is_moved_from_behind_damage_never_takes_the_place_of_what_is_being_recorded(
    tmp_path: Path, media: list[StampedFragment], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, media)
    data = bytearray(path.read_bytes())
    data[index_file(path).fragments[5].offset + 60] ^= 1
    path.write_bytes(data)
    live = SegmentFile(tmp_path, 1, media[0].run)  # the track is recorded meanwhile
    keep(live, media[0])
    looked = iter([1, 2])  # the recovery has looked just before that
    monkeypatch.setattr("recorder.storage.recovery.next_index", lambda folder: next(looked))
    _, behind = close_unclosed(path, 0)
    assert behind.segment.index == 2
    keep(live, media[1])
    assert live.path.read_bytes() == media[0].run.init.data + media[0].data + media[1].data
    assert len(live.path.with_suffix(".jsonl").read_text().splitlines()) == 2
    live.close()


def test_a_file_that_grew_without_its_data_is_cut(tmp_path: Path, media: list[StampedFragment]) -> None:
    path = written(tmp_path, media)
    fragments = index_file(path).fragments
    data = bytearray(path.read_bytes())
    last = fragments[-1]
    at = data.index(b"mdat", last.offset) + 4
    data[at:] = bytes(len(data) - at)
    path.write_bytes(data)
    lines = path.with_suffix(".jsonl").read_text().splitlines(keepends=True)
    path.with_suffix(".jsonl").write_text("".join(lines[:-1]))
    (closed,) = close_unclosed(path, 0)
    assert closed.segment.bytes == last.offset


def test_only_files_that_the_log_does_not_know_are_recovered(tmp_path: Path, media: list[StampedFragment]) -> None:
    hearings, track = tmp_path / "hearings", tmp_path / "hearings" / "h" / "mics"
    track.mkdir(parents=True)
    first, second = written(track, media), written(track, media)
    assert unclosed(hearings, {segment_key("h", "mics", 0)}) == [("h", "mics", second)]
    assert [path for _, _, path in unclosed(hearings, set())] == [first, second]
    assert next_index(track) == 2


def test_a_file_that_cannot_be_read_at_all_is_set_aside_not_deleted(
    tmp_path: Path, media: list[StampedFragment]
) -> None:
    path = written(tmp_path, media)
    data = b"\0" * 64 + path.read_bytes()[64:]
    path.write_bytes(data)
    assert close_unclosed(path, 0) == []
    assert path.with_suffix(".damaged").read_bytes() == data
    assert next_index(tmp_path) == 1


def test_a_write_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, media: list[StampedFragment], monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = SegmentFile(tmp_path, 0, media[0].run)
    keep(segment, media[0])
    before = segment.path.read_bytes()
    really = os.fdatasync

    def refused(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", refused)
    with pytest.raises(StorageError, match="Input/output"):
        keep(segment, media[1])
    monkeypatch.setattr(os, "fdatasync", really)
    assert segment.path.read_bytes() == before
    with pytest.raises(StorageError, match="Input/output"):
        segment.write(media[2])  # what such a file would be is not known any more
    closed = segment.close()
    assert closed is not None
    assert closed.fragments == 1
    assert len(index_file(segment.path).fragments) == 1


def test_a_full_disk_is_said_and_nothing_is_left_behind(media: list[StampedFragment], tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        segment = SegmentFile(small / "bench", 0, media[0].run)
        room_left = (48 * 1024 - len(media[0].run.init.data)) // max(len(f.data) for f in media)
        for fragment in media[:room_left]:
            keep(segment, fragment)
        huge = StampedFragment(media[0].run, 9, media[0].data * 40, 0, 1, 0, True)
        with pytest.raises(StorageError, match="space"):
            keep(segment, huge)
        assert len(index_file(segment.path).fragments) == room_left > 0
        assert index_file(segment.path).end == segment.path.stat().st_size
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
