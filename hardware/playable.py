"""Segments of a picture track and of a sound track -> one MP4 that any player plays in sync: a copy to look at.

Promises: the picture is the recorded one, byte for byte; its frames and the sound lie where the record's media time
puts them, whatever began later, was missing or drifted in between: missing picture stands still, missing sound is
silence. The file begins with what begins first; `Made` says which moment of room time and of UTC that was.
Refuses, with `MediaError`: a track whose pictures changed their form (make one file of each of `groups`), segments
that cannot be read, and to call the result evidence: that is the segments, which stay as they are.

Players do not agree on segments as they are: several files, whose sound has gaps and drifts by the parts per million of
a sound card. Browsers count samples and ignore time stamps after the first, so all sound after a gap of 5 s would
come 5 s early; copying alone (`-c copy`) is right only in players that follow each time stamp.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from hardware.encode import playable
from sync.boxes import FileIndex, index_file
from sync.errors import MediaError


@dataclass(frozen=True, slots=True)
class Made:
    """A file, and the moment that it begins with."""

    path: Path
    from_ns: int
    to_ns: int
    utc_ns: int | None
    """None for segments that do not say their UTC."""


@dataclass(frozen=True, slots=True)
class _Part:
    path: Path
    index: FileIndex

    @property
    def from_ns(self) -> int:
        return self.index.fragments[0].from_ns

    @property
    def form(self) -> bytes:
        """What a player must know before the first sample; a change cannot be joined."""
        return b"" if self.index.init is None else self.index.init.table.config


def _parts(files: Sequence[Path]) -> list[_Part]:
    parts = [_Part(file, index_file(file, salvage=True)) for file in files]
    return sorted((part for part in parts if part.index.fragments), key=lambda part: part.from_ns)


def groups(files: Sequence[Path]) -> list[list[Path]]:
    """Segments of one track in the order of time, cut where the form of the pictures changed."""
    return [[part.path for part in group] for _, group in groupby(_parts(files), key=lambda part: part.form)]


def make(picture: Sequence[Path], sound: Sequence[Path], out: Path) -> Made:
    """Join the segments of a camera and of the mix; either may be empty. Blocks for as long as ffmpeg takes."""
    tracks = [_parts(picture), _parts(sound)]
    if len({part.form for part in tracks[0]}) > 1:
        raise MediaError("the camera changed its pictures' form in between; make one file of each of its groups")
    every = sorted((part for track in tracks for part in track), key=lambda part: part.from_ns)
    if not every:
        raise MediaError("there is no recorded picture or sound to be joined")
    first = every[0]
    utc_ns = first.index.fragments[0].utc_ns
    begins = [track[0].from_ns if track else first.from_ns for track in tracks]
    leads_s = ((begins[0] - first.from_ns) / 1e9, (begins[1] - first.from_ns) / 1e9)
    utc = "" if utc_ns is None else datetime.fromtimestamp(utc_ns / 1e9, UTC).isoformat(timespec="milliseconds")
    with tempfile.TemporaryDirectory(prefix="wutong-playable-") as folder:
        lists = [_written(track, Path(folder) / f"{number}.txt") for number, track in enumerate(tracks)]
        done = subprocess.run(playable(lists[0], lists[1], leads_s, utc, out), capture_output=True, check=False)
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise MediaError(f"the segments cannot be joined into {out.name}: {' '.join(last)}")
    return Made(out, first.from_ns, max(part.index.fragments[-1].to_ns for part in every), utc_ns)


def _written(track: Sequence[_Part], path: Path) -> Path | None:
    """The list for ffmpeg: each file lasts until the next begins, so what is missing between them is kept."""
    if not track:
        return None
    lines = ["ffconcat version 1.0"]
    for part, following in zip(track, [*track[1:], None], strict=True):
        lines.append(f"file {_quoted(part.path.resolve())}")
        if following is not None:
            lines.append(f"duration {(following.from_ns - part.from_ns) / 1e9:.6f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
