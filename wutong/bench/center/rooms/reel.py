"""The hearing that every simulated room replays: a few seconds of two cameras, the microphones and the mix, in a loop.

`wutong.bench.center.rooms.reel_making` makes the folder once for a run. Media are what the product's own encoders made,
twice: as they leave live (each picture alone, with the stamps of its stages), and joined as a recorder keeps them. What
is replayed gets its place on the room's time line, number and UTC written over those of the reel, as a recorder does,
and its samples are never touched.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from sync.errors import MediaError
from sync.media.access_unit import StageStamps
from sync.media.fmp4 import BoxReader, Fragment, Init, retime
from sync.media.prft import to_ntp
from sync.media.sample_tables import children, parse_fragment_samples
from sync.record.bodies.evidence import DrawnPicture
from sync.runtime.units import NS_PER_S

DESCRIPTION = "reel.json"
CODED_US, RECORDED_US = 3000, 4000
"""What is said of each picture's stages in the room: about what a quiet room takes. No center reads it."""


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
    def of(cls, fragment: Fragment, init: Init, starts: int, before: bytes = b"") -> ReelFragment:
        """Read a fragment of the encoder; `MediaError` when it is none. `before`: boxes that go before it."""
        # A 64-bit decode time and a `prft` box are in it now.
        data = before + retime(fragment, init, starts, 0, 0).data
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
    live: tuple[ReelFragment, ...]
    """As they are published: of a camera each picture alone."""
    kept: tuple[ReelFragment, ...]
    """The same samples, as they are kept. None ends between two that are published."""
    ticks: int
    """All fragments together."""
    thumbnails: tuple[bytes, ...]
    """JPEGs, of cameras alone."""

    @property
    def bytes_per_s(self) -> float:
        """What is kept of it."""
        return sum(len(one.data) for one in self.kept) * self.init.timescale / self.ticks

    @property
    def live_per_s(self) -> float:
        """How much is published of it."""
        return len(self.live) * self.init.timescale / self.ticks

    @property
    def kept_per_s(self) -> float:
        """How many fragments it has in files."""
        return len(self.kept) * self.init.timescale / self.ticks


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


def live_file(folder: Path, track: str) -> Path:
    """A track as its encoder gives it."""
    return folder / f"{track}.live.mp4"


def kept_file(folder: Path, track: str) -> Path:
    """A track as a recorder keeps it."""
    return folder / f"{track}.mp4"


def page_file(sha256: str, picture: DrawnPicture) -> str:
    """Its name in the folder of the reel."""
    return f"{sha256[:16]}-{picture['page']}-{picture['scale']}.jpg"


def _track(folder: Path, said: dict[str, Any]) -> ReelTrack:
    name, kind = str(said["id"]), cast(Literal["video", "audio"], said["kind"])
    stages = StageStamps(CODED_US, RECORDED_US).pack() if kind == "video" else b""
    init, live, ticks = _fragments(live_file(folder, name), stages)
    _, kept, kept_ticks = _fragments(kept_file(folder, name))
    if not kept[0].key_frame or ticks != kept_ticks:
        raise MediaError(f"the reel's track {name} does not begin with a key frame, or is not whole; make it anew")
    stills = tuple((folder / still).read_bytes() for still in said["thumbnails"])
    return ReelTrack(name, kind, str(said["name"]), init, live, kept, ticks, stills)


def _fragments(path: Path, before: bytes = b"") -> tuple[Init, tuple[ReelFragment, ...], int]:
    init: Init | None = None
    fragments: list[ReelFragment] = []
    ticks = 0
    for item in BoxReader().feed(path.read_bytes()):
        if isinstance(item, Init):
            init = item
        elif init is not None:
            fragments.append(ReelFragment.of(item, init, ticks, before))
            ticks += item.duration
    if init is None or not fragments:
        raise MediaError(f"{path.name} of the reel is empty; make it anew")
    return init, tuple(fragments), ticks


def ns_of(ticks: int, timescale: int) -> int:
    """Ticks as nanoseconds, rounded down: what is due is never due too early."""
    return ticks * NS_PER_S // timescale
