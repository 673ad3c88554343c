"""The hearing that every simulated room replays: a few seconds of two cameras, the microphones and the mix, in a loop.

`wutong.bench.center.rooms.reel_making` makes the folder once for a run. Media are what the product's own encoders made;
a fragment that is replayed gets its place on the room's time line, number and UTC written over those of the reel, as a
recorder does, and its samples are never touched.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from sync.errors import MediaError
from sync.media.fmp4 import BoxReader, Fragment, Init, retime
from sync.media.prft import to_ntp
from sync.media.sample_tables import children, parse_fragment_samples
from sync.record.bodies.evidence import DrawnPicture
from sync.runtime.units import NS_PER_S

DESCRIPTION = "reel.json"


@dataclass(frozen=True, slots=True)
class ReelFragment:
    """One fragment and where in it its moment stands. Times are in ticks of its track."""

    data: bytes
    starts: int
    """Since the beginning of the reel."""
    duration: int
    key_frame: bool
    sequence_at: int
    decode_time_at: int
    ntp_at: int
    media_time_at: int

    @classmethod
    def of(cls, fragment: Fragment, init: Init, starts: int) -> ReelFragment:
        """Read a fragment of the encoder; `MediaError` when it is none."""
        data = retime(fragment, init, starts, 0, 0).data  # a 64-bit decode time and a `prft` box are in it now
        moof = prft = 0
        for name, start, end in children(data, 0, len(data)):
            if name == b"prft":
                prft = start
            elif name == b"moof":
                moof = start
                samples = parse_fragment_samples(data, start, end, init.table)
        if not moof or not prft or samples.decode_time_bytes != 8:
            raise MediaError("a fragment of the reel cannot be given another time")
        return cls(
            data,
            starts,
            fragment.duration,
            fragment.key_frame,
            samples.sequence_at,
            samples.decode_time_at,
            prft + 8,
            prft + 16,
        )

    def at(self, decode_time: int, sequence: int, utc_ns: int) -> bytes:
        """The same samples at another moment, as fragment `sequence` of its track."""
        data = bytearray(self.data)
        struct.pack_into(">Q", data, self.ntp_at, to_ntp(utc_ns))
        struct.pack_into(">Q", data, self.media_time_at, decode_time)
        struct.pack_into(">I", data, self.sequence_at, sequence & 0xFFFFFFFF)
        struct.pack_into(">Q", data, self.decode_time_at, decode_time)
        return bytes(data)


@dataclass(frozen=True, slots=True)
class ReelTrack:
    """One track. It begins with a key frame, and its last fragment ends where the first begins anew."""

    id: str
    kind: Literal["video", "audio"]
    name: str
    init: Init
    fragments: tuple[ReelFragment, ...]
    ticks: int
    """All fragments together."""
    thumbnails: tuple[bytes, ...]
    """JPEGs, of cameras alone."""

    @property
    def bytes_per_s(self) -> float:
        """What it sends."""
        return sum(len(one.data) for one in self.fragments) * self.init.timescale / self.ticks

    @property
    def fragments_per_s(self) -> float:
        """How many fragments it has."""
        return len(self.fragments) * self.init.timescale / self.ticks


@dataclass(frozen=True, slots=True)
class ReelExhibit:
    """A file that was handed in, and the pictures of its pages."""

    file: Path
    filename: str
    media_type: str
    sha256: str
    bytes: int
    pages: int
    pictures: tuple[DrawnPicture, ...]


@dataclass(frozen=True, slots=True)
class Reel:
    """All that a room replays of media and files."""

    folder: Path
    tracks: tuple[ReelTrack, ...]
    exhibits: tuple[ReelExhibit, ...]

    @classmethod
    def load(cls, folder: Path) -> Reel:
        """Read what `make_reel` made; `MediaError` when a track cannot be read."""
        said: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        tracks = tuple(_track(folder, one) for one in said["tracks"])
        exhibits = tuple(
            ReelExhibit(**{**one, "file": folder / one["file"], "pictures": tuple(one["pictures"])})
            for one in said["exhibits"]
        )
        return cls(folder, tracks, exhibits)

    @property
    def bytes_per_s(self) -> float:
        """What a room records."""
        return sum(track.bytes_per_s for track in self.tracks)

    def page(self, exhibit: ReelExhibit, picture: DrawnPicture) -> Path:
        """The picture of a page."""
        return self.folder / page_file(exhibit.sha256, picture)


def page_file(sha256: str, picture: DrawnPicture) -> str:
    """Its name in the folder of the reel."""
    return f"{sha256[:16]}-{picture['page']}-{picture['scale']}.jpg"


def _track(folder: Path, said: dict[str, Any]) -> ReelTrack:
    init: Init | None = None
    fragments: list[ReelFragment] = []
    ticks = 0
    for item in BoxReader().feed((folder / f"{said['id']}.mp4").read_bytes()):
        if isinstance(item, Init):
            init = item
        elif init is not None:
            fragments.append(ReelFragment.of(item, init, ticks))
            ticks += item.duration
    if init is None or not fragments or not fragments[0].key_frame:
        raise MediaError(f"the reel's track {said['id']} does not begin with a key frame; make it anew")
    stills = tuple((folder / name).read_bytes() for name in said["thumbnails"])
    kind = cast(Literal["video", "audio"], said["kind"])
    return ReelTrack(str(said["id"]), kind, str(said["name"]), init, tuple(fragments), ticks, stills)


def ns_of(ticks: int, timescale: int) -> int:
    """Ticks as nanoseconds, rounded down: what is due is never due too early."""
    return ticks * NS_PER_S // timescale
