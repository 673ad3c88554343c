"""After a crash or a power cut: close the segments that nobody closed.

Each is cut back to its last whole fragment (checked against the journal where that has a line), its journal is
completed from the media, and it is hashed. What is missing after it is found by `recorder.keeper` and declared.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import structlog

from recorder.segment import ClosedSegment, journal_line, sync_folder
from sync.boxes import FileIndex, Indexed, index_file
from sync.digests import checks_of
from sync.errors import StorageError

log = structlog.get_logger(__name__)


def segment_key(hearing: str, track: str, index: int) -> str:
    """Under which the room's log knows a segment."""
    return f"segment/{hearing}/{track}/{index}"


def unclosed(hearings: Path, known: set[str]) -> list[tuple[str, str, Path]]:
    """(hearing, track, file) of all segments whose key is not `known`."""
    found = sorted(path for path in hearings.glob("*/*/*.mp4") if path.stem.isdigit())
    places = [(path.parent.parent.name, path.parent.name, path) for path in found]
    return [(h, track, path) for h, track, path in places if segment_key(h, track, int(path.stem)) not in known]


def close_unclosed(path: Path, utc_offset_ns: int) -> ClosedSegment | None:
    """Cut, complete and hash one file; None when it holds not one whole fragment: what is in it is then set aside.

    `utc_offset_ns`: UTC minus room time, for fragments that lost their journal line and have no `prft`.
    """
    try:
        index = index_file(path, salvage=True)
        lines = _journal(path.with_suffix(".jsonl"))
        good = _verified(path, index, lines)
        if index.init is None or not good:
            # Often nothing but an init; but media may stand behind damage, and nothing here deletes media.
            log.warning("segment_set_aside", file=str(path), bytes=path.stat().st_size)
            path.replace(path.with_suffix(".damaged"))
            return None
        end = good[-1].offset + good[-1].bytes
        cut_bytes = path.stat().st_size - end
        with path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
        _complete_journal(path, good, lines, utc_offset_ns)
        sync_folder(path.parent)
        checks = checks_of(path)
    except OSError as error:
        raise StorageError(f"the segment {path} cannot be recovered: {error.strerror}; check the disk") from error
    log.info("segment_recovered", file=str(path), fragments=len(good), cut_bytes=cut_bytes)
    return ClosedSegment(
        index=int(path.stem),
        path=path,
        bytes=end,
        sha256=checks.sha256,
        sm3=checks.sm3,
        from_ns=good[0].from_ns,
        to_ns=max(f.to_ns for f in good),
        fragments=len(good),
        mime=index.init.mime,
    )


def _journal(path: Path) -> dict[int, dict[str, Any]]:
    """Lines by offset; a torn last line is left out."""
    lines: dict[int, dict[str, Any]] = {}
    if not path.exists():
        return lines
    for text in path.read_bytes().split(b"\n"):
        try:
            value = json.loads(text)
            lines[int(value["offset"])] = value
        except (ValueError, KeyError, TypeError):
            continue
    return lines


def _verified(path: Path, index: FileIndex, lines: dict[int, dict[str, Any]]) -> list[Indexed]:
    """The fragments up to the first whose bytes are not what was written."""
    good: list[Indexed] = []
    with path.open("rb") as file:
        for fragment in index.fragments:
            file.seek(fragment.offset)
            data = file.read(fragment.bytes)
            line = lines.get(fragment.offset)
            # Without a line: a file that grew without its data reads as zeros.
            if line.get("sha256") != hashlib.sha256(data).hexdigest() if line else not any(data[-64:]):
                break
            good.append(fragment)
    return good


def _complete_journal(path: Path, good: list[Indexed], lines: dict[int, dict[str, Any]], utc_offset_ns: int) -> None:
    text = b""
    with path.open("rb") as file:
        for fragment in good:
            line = lines.get(fragment.offset)
            if line is not None:
                text += json.dumps(line, separators=(",", ":")).encode() + b"\n"
                continue
            file.seek(fragment.offset)
            facts = {
                "room_ns": fragment.from_ns,
                "to_ns": fragment.to_ns,
                "utc_ns": fragment.from_ns + utc_offset_ns if fragment.utc_ns is None else fragment.utc_ns,
                "key": fragment.key_frame,
            }
            text += journal_line(fragment.offset, file.read(fragment.bytes), facts)
    draft = path.with_suffix(".jsonl.new")
    with draft.open("wb") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path.with_suffix(".jsonl"))
