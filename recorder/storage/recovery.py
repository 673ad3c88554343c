"""After a crash or a power cut: close the segments that nobody closed.

Each is cut back to its last whole fragment (checked against the journal where that has a line), its journal is
completed from the media, and it is hashed. Whole fragments behind damage are kept, too: no byte of a fragment is ever
altered, none is thrown away. What is missing is found by `recorder.storage.schedule` and `recorder.storage.gaps`,
and declared.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import structlog

from recorder.storage.gaps import TOLERANCE_NS
from recorder.storage.segment import TAKEN, ClosedSegment, journal_line, next_index, take_index
from sync.errors import StorageError
from sync.media.fmp4 import Indexed, Init, index_file
from sync.runtime.files.digests import checks_of
from sync.runtime.files.durable_files import replace_file, sync_folder

log = structlog.get_logger(__name__)


def segment_key(hearing: str, track: str, index: int) -> str:
    """Under which the room's log knows a segment."""
    return f"segment/{hearing}/{track}/{index}"


def unclosed(hearings: Path, known: Container[str]) -> list[tuple[str, str, Path]]:
    """(hearing, track, file) of all segments whose key is not `known`."""
    found = sorted(path for path in hearings.glob("*/*/*.mp4") if path.stem.isdigit())
    segments = [(path.parent.parent.name, path.parent.name, path) for path in found]
    return [(h, track, path) for h, track, path in segments if segment_key(h, track, int(path.stem)) not in known]


@dataclass(frozen=True, slots=True)
class Recovered:
    """A segment that is closed now, and the stretches inside of it that no fragment covers."""

    segment: ClosedSegment
    holes: tuple[tuple[int, int], ...]


def close_unclosed(path: Path, utc_offset_ns: int) -> list[Recovered]:
    """Cut, complete and hash one file; nothing when it holds not one whole fragment: what is in it is then set aside.

    What is whole behind damage becomes segments of its own, byte for byte; the damaged file stays beside them as
    `NNNNN.damaged`. `utc_offset_ns`: UTC minus room time, for fragments that nothing else tells the time of.
    """
    try:
        lines = _journal(path.with_suffix(".jsonl"))
        init, runs = _runs(path, lines)
        prefix_end = 0 if init is None else len(init.data)
        first = runs.pop(0) if runs and runs[0][0].offset == prefix_end else []
        recovered = [r for run in runs if init is not None and (r := _moved(path, init, run, lines, utc_offset_ns))]
        damaged = path.with_suffix(".damaged")
        if init is None or not first:
            # Often nothing but an init; but media may stand behind damage, and nothing here deletes media.
            log.warning("segment_set_aside", file=str(path), bytes=path.stat().st_size)
            path.replace(damaged)
            sync_folder(path.parent)
            return recovered
        end = first[-1].offset + first[-1].bytes
        cut_bytes = path.stat().st_size - end
        if runs and not damaged.exists():
            shutil.copyfile(path, damaged)
        with path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
        _write_journal(path, [(f.offset, _facts(path, f, lines, utc_offset_ns), f) for f in first])
        sync_folder(path.parent)
        recovered.insert(0, _closed(path, init, first))
    except OSError as error:
        raise StorageError(f"the segment {path} cannot be recovered: {error.strerror}; check the disk") from error
    log.info("segment_recovered", file=str(path), fragments=len(first), cut_bytes=cut_bytes, behind=len(runs))
    return recovered


def _closed(path: Path, init: Init, fragments: list[Indexed]) -> Recovered:
    checks = checks_of(path)
    segment = ClosedSegment(
        index=int(path.stem),
        path=path,
        bytes=path.stat().st_size,
        sha256=checks.sha256,
        sm3=checks.sm3,
        from_ns=fragments[0].from_ns,
        to_ns=max(f.to_ns for f in fragments),
        fragments=len(fragments),
        mime=init.mime,
    )
    holes = tuple((a.to_ns, b.from_ns) for a, b in pairwise(fragments) if b.from_ns - a.to_ns > TOLERANCE_NS)
    return Recovered(segment, holes)


def _journal(path: Path) -> dict[int, dict[str, Any]]:
    """Lines by offset; a torn last line is left out."""
    lines: dict[int, dict[str, Any]] = {}
    if not path.exists():
        return lines
    for text in path.read_bytes().split(b"\n"):
        try:
            value = json.loads(text)
            if int(value["length"]) > 0:
                lines[int(value["offset"])] = value
        except (ValueError, KeyError, TypeError):
            continue
    return lines


def _runs(path: Path, lines: dict[int, dict[str, Any]]) -> tuple[Init | None, list[list[Indexed]]]:
    """The stretches of whole fragments, one after the other; between them, and behind the last, is damage."""
    index = index_file(path, salvage=True)
    size = path.stat().st_size
    if index.init is None or not size:
        return None, []
    at = len(index.init.data)
    runs: list[list[Indexed]] = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        while True:
            run = _verified(data, index.fragments, lines)
            if run:
                runs.append(run)
                at = run[-1].offset + run[-1].bytes
            if at >= size:
                return index.init, runs
            start = _next_start(data, at, lines)
            if start is None:
                return index.init, runs
            at = start
            index = index_file(path, at, index.init, salvage=True)


def _next_start(data: mmap.mmap, after: int, lines: dict[int, dict[str, Any]]) -> int | None:
    """Where the next fragment may begin: where the journal says so, else where its boxes are.

    A box inside of what the journal knows is part of the damage: a fragment without its head is not what was kept.
    """
    extents = sorted((offset, offset + int(line.get("length", 0))) for offset, line in lines.items())
    starts = [offset for offset, _ in extents if after < offset < len(data)]
    for name in (b"moof", b"prft"):
        at = data.find(name, after + 5)
        while at > 0:
            around = next((end for begin, end in extents if begin < at - 4 < end), None)
            if around is None:
                starts.append(at - 4)
                break
            at = data.find(name, around)
    return min(starts, default=None)


def _verified(data: mmap.mmap, fragments: list[Indexed], lines: dict[int, dict[str, Any]]) -> list[Indexed]:
    """The fragments up to the first whose bytes are not what was written."""
    good: list[Indexed] = []
    for fragment in fragments:
        text = data[fragment.offset : fragment.offset + fragment.bytes]
        line = lines.get(fragment.offset)
        # Without a line: a file that grew without its data reads as zeros.
        if line.get("sha256") != hashlib.sha256(text).hexdigest() if line else not any(text[-64:]):
            break
        if good and fragment.offset != good[-1].offset + good[-1].bytes:
            break
        good.append(fragment)
    return good


def _moved(
    path: Path, init: Init, run: list[Indexed], lines: dict[int, dict[str, Any]], utc_offset_ns: int
) -> Recovered | None:
    """What stands behind damage, as the next segment; None when an interrupted recovery has done it before."""
    for other in path.parent.glob("*.mp4"):
        if other.stem.isdigit() and int(other.stem) > int(path.stem):
            known = index_file(other, salvage=True).fragments
            if known and known[0].from_ns == run[0].from_ns:
                return None
    target = _new_segment(path.parent)
    draft = target.with_suffix(".mp4.new")
    offset = len(init.data)
    moved = []
    with path.open("rb") as source, draft.open("wb") as out:
        out.write(init.data)
        for fragment in run:
            source.seek(fragment.offset)
            out.write(source.read(fragment.bytes))
            moved.append((offset, _facts(path, fragment, lines, utc_offset_ns), fragment))
            offset += fragment.bytes
        out.flush()
        os.fsync(out.fileno())
    _write_journal(target, moved, source=path)
    draft.replace(target)
    sync_folder(path.parent)
    log.info("segment_moved", file=str(path), to=target.name, fragments=len(run))
    return _closed(target, init, run)


def _new_segment(folder: Path) -> Path:
    """The name of a segment that nobody else will write: the track may be recording."""
    while True:
        target = folder / f"{next_index(folder):05d}.mp4"
        try:
            os.close(take_index(target))
        except StorageError as error:
            if error.code != TAKEN:
                raise
        else:
            return target


def _facts(path: Path, fragment: Indexed, lines: dict[int, dict[str, Any]], utc_offset_ns: int) -> dict[str, Any]:
    line = lines.get(fragment.offset)
    if line is not None:
        return {name: value for name, value in line.items() if name not in ("offset", "length", "sha256")}
    return {
        "room_ns": fragment.from_ns,
        "to_ns": fragment.to_ns,
        "utc_ns": fragment.from_ns + utc_offset_ns if fragment.utc_ns is None else fragment.utc_ns,
        "key": fragment.key_frame,
    }


def _write_journal(path: Path, entries: list[tuple[int, dict[str, Any], Indexed]], source: Path | None = None) -> None:
    """(offset in `path`, facts, where the fragment is in `source`)."""
    text = b""
    with (source or path).open("rb") as file:
        for offset, facts, fragment in entries:
            file.seek(fragment.offset)
            text += journal_line(offset, file.read(fragment.bytes), facts)
    replace_file(path.with_suffix(".jsonl"), text)
