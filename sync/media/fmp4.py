"""Fragmented MP4, read box by box: an init segment, then fragments that can be stamped, indexed and taken apart.

Promises: bytes in any cut give the same init and fragments; a fragment is never altered except for its decode time,
number and UTC (`retime`), its samples never; a growing file is indexed up to its last whole fragment.
Refuses, with `MediaError`: files with more than one track or without fragments, boxes larger than `MAX_BOX_BYTES`,
descriptions larger than `MAX_HEADER_BYTES`, more than `MAX_BOXES` boxes without media between them, samples beyond the
budget of a fragment, anything whose sizes do not add up. One track per file is all that Wutong writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

from sync.errors import MediaError
from sync.media.access_unit import WorkerStamps
from sync.media.budgets import MAX_BOX_BYTES, MAX_FRAGMENTS, MAX_HEADER_BYTES, checked_boxes, checked_samples
from sync.media.prft import ReferenceTime
from sync.media.sample_tables import FragmentSamples, SampleTable, children, parse_fragment_samples, parse_sample_table
from sync.runtime.files.readable_file import ReadableFile
from sync.runtime.units import NS_PER_S

_BEFORE_FRAGMENT = {b"styp", b"prft", b"emsg", b"sidx"}
_IGNORED = {b"free", b"skip", b"mfra", b"uuid", b"ssix", b"meta"}
_LARGE = {b"mdat", b"free", b"skip"}
"""What may be larger than a header: media, and what is skipped unread."""
_KNOWN = _BEFORE_FRAGMENT | _IGNORED | {b"ftyp", b"moov", b"moof", b"mdat"}


@dataclass(frozen=True, slots=True)
class Init:
    """An init segment (`ftyp` + `moov`) and what it says of its one track."""

    data: bytes
    table: SampleTable

    @property
    def kind(self) -> Literal["video", "audio"]:
        """What the track is."""
        return self.table.kind

    @property
    def timescale(self) -> int:
        """Ticks of media time per second."""
        return self.table.timescale

    @property
    def mime(self) -> str:
        """As `MediaSource.isTypeSupported` wants it."""
        return f'{self.table.kind}/mp4; codecs="{self.table.codec}"'

    @property
    def decoder(self) -> Literal["h264", "hevc"]:
        """Pictures only: what the library calls the codec; `MediaError` for sound."""
        if self.kind != "video":
            raise MediaError("this track is sound; ask for the decoder of a camera's track only")
        return "h264" if self.table.codec.startswith("avc") else "hevc"

    @property
    def streaminfo(self) -> bytes:
        """FLAC only: the 34 bytes that a FLAC decoder takes as extradata; `MediaError` for other codecs."""
        if self.table.codec != "flac" or len(self.table.config) < 34:
            raise MediaError("this track is not FLAC; ask for the streaminfo of the microphones' track only")
        return self.table.config[:34]


@dataclass(frozen=True, slots=True)
class Fragment:
    """`moof` + `mdat`, with the boxes that belong before them. Times are in ticks of the init's timescale."""

    data: bytes
    decode_time: int
    duration: int
    key_frame: bool
    sizes: tuple[int, ...]
    """Bytes of each sample."""
    first_sample: int
    """Where in `data` the first sample begins."""
    sequence: int
    utc_ns: int | None = None
    """UTC of `decode_time`, as the `prft` box before it says; None without one."""
    offset: int = 0
    """Of the first sample: from when it is decoded to when it is shown."""
    stamps: WorkerStamps | None = None
    """What the worker says of a picture, where it says something."""

    def samples(self) -> Iterator[bytes]:
        """The coded samples one by one; for a FLAC track each is one FLAC frame."""
        at = self.first_sample
        for size in self.sizes:
            yield self.data[at : at + size]
            at += size


@dataclass(frozen=True, slots=True)
class Indexed:
    """A fragment inside a file whose media time is room time."""

    offset: int
    bytes: int
    from_ns: int
    to_ns: int
    key_frame: bool
    utc_ns: int | None = None
    """UTC of `from_ns`, as the file itself says; None where it does not."""


@dataclass(frozen=True, slots=True)
class FileIndex:
    """What a file holds up to its last whole fragment."""

    init: Init | None
    """None while not even the init segment is complete."""
    fragments: list[Indexed]
    """Those found from the offset that was asked for."""
    end: int
    """Where the next look continues: the end of the last whole fragment (or of the init segment)."""


def to_ns(ticks: int, timescale: int) -> int:
    """Media time in nanoseconds, rounded to the nearest."""
    return (ticks * NS_PER_S + timescale // 2) // timescale


def to_ticks(ns: int, timescale: int) -> int:
    """Nanoseconds as media time, rounded to the nearest."""
    return (ns * timescale + NS_PER_S // 2) // NS_PER_S


class BoxReader:
    """Bytes of one run of a track in, its `Init` and then its `Fragment`s out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ftyp = self._prefix = self._moof = b""
        self._stamps: WorkerStamps | None = None
        self._boxes = 0
        self.init: Init | None = None

    def feed(self, data: bytes) -> Iterator[Init | Fragment]:
        """Take bytes as they come; yields what they complete. After a `MediaError` the reader is of no more use."""
        self._buffer += data
        while True:
            head = _box_head(self._buffer)
            if head is None or len(self._buffer) < head[0]:
                return
            size, name = head[0], head[1]
            box = bytes(self._buffer[:size])
            del self._buffer[:size]
            found = self._take(name, box)
            if found is not None:
                yield found

    def _take(self, name: bytes, box: bytes) -> Init | Fragment | None:
        self._boxes = 0 if name in (b"moov", b"mdat") else checked_boxes(self._boxes + 1)
        if name == b"ftyp":
            self._ftyp = box
        elif name == b"moov":
            self.init = parse_init(self._ftyp + box)
            return self.init
        elif name in _BEFORE_FRAGMENT:
            self._prefix += box
            if len(self._prefix) > MAX_HEADER_BYTES:
                raise MediaError("the media consists of nothing but headers; restart its source")
        elif name == b"uuid":
            self._stamps = WorkerStamps.parse(box) or self._stamps
        elif name == b"moof":
            if self._moof:
                raise MediaError("a fragment is described twice; restart its source")
            self._moof = box
        elif name == b"mdat":
            if self.init is None or not self._moof:
                raise MediaError("media data came before its description; restart its source")
            data, stamps = self._prefix + self._moof + box, self._stamps
            self._prefix, self._moof, self._stamps = b"", b"", None
            return parse_fragment(data, self.init, stamps)
        return None


def parse_init(data: bytes) -> Init:
    """Read `ftyp` + `moov`."""
    if len(data) > MAX_HEADER_BYTES:
        raise MediaError(f"an init segment of {len(data)} bytes is larger than {MAX_HEADER_BYTES}; nothing honest is")
    moov = b""
    for name, start, end in children(data, 0, len(data)):
        if name == b"moov":
            moov = data[start:end]
        elif name not in _KNOWN:
            raise MediaError(f"an init segment with the box {name!r} is not MP4")
    if not moov:
        raise MediaError("the init segment has no moov box; it is not MP4 or cut short")
    return Init(data, parse_sample_table(moov))


def parse_fragment(data: bytes, init: Init, stamps: WorkerStamps | None = None) -> Fragment:
    """Read one whole fragment of the track that `init` describes; `stamps` is what was said before it."""
    moof: tuple[int, int] | None = None
    mdat_end = 0
    reference: ReferenceTime | None = None
    for name, start, end in children(data, 0, len(data)):
        if name == b"moof":
            moof = (start, end)
        elif name == b"mdat":
            mdat_end = end
        elif name == b"prft":
            reference = ReferenceTime.parse(data[start:end])
    if moof is None or not mdat_end:
        raise MediaError("a fragment lacks its moof or mdat box")
    head = 8 if data[moof[0] - 4 : moof[0]] == b"moof" else 16
    samples = parse_fragment_samples(data, moof[0], moof[1], init.table)
    first = moof[0] - head + samples.data_offset
    if first < moof[1] or first + samples.bytes > mdat_end:
        raise MediaError("a fragment says that its samples lie outside of it")
    return Fragment(
        data=data,
        decode_time=samples.decode_time,
        duration=samples.duration,
        key_frame=samples.key_frame,
        sizes=samples.sizes,
        first_sample=first,
        sequence=samples.sequence,
        utc_ns=_utc_ns(reference, samples.decode_time, init),
        offset=samples.offset,
        stamps=stamps,
    )


def _utc_ns(reference: ReferenceTime | None, decode_time: int, init: Init) -> int | None:
    if reference is None or reference.track_id != init.table.track_id:
        return None
    return reference.utc_at(decode_time, init.timescale)


def retime(fragment: Fragment, init: Init, decode_time: int, sequence: int, utc_ns: int | None = None) -> Fragment:
    """The same samples at another moment: `decode_time` (ticks, up to 64 bits) and fragment number are replaced.

    A `prft` box that the fragment had says nothing true any more: it goes, and one that says `utc_ns` comes before
    the `moof` (none without `utc_ns`).
    """
    if not 0 <= decode_time < 1 << 64:
        raise MediaError(f"media time {decode_time} does not fit an MP4 file")
    before, moof, after = _taken_apart(fragment.data)
    head = 16 if moof[:4] == b"\0\0\0\1" else 8
    samples = parse_fragment_samples(bytes(moof), head, len(moof), init.table)
    struct.pack_into(">I", moof, samples.sequence_at, sequence & 0xFFFFFFFF)
    if samples.decode_time_bytes == 8:
        struct.pack_into(">Q", moof, samples.decode_time_at, decode_time)
    else:
        _widen(moof, samples, head, decode_time)
    if utc_ns is not None:
        before += ReferenceTime(init.table.track_id, utc_ns, decode_time).pack()
    data = before + moof + after
    moved = len(data) - len(fragment.data)
    return replace(
        fragment,
        data=data,
        decode_time=decode_time,
        first_sample=fragment.first_sample + moved,
        sequence=sequence & 0xFFFFFFFF,
        utc_ns=utc_ns,
    )


def _taken_apart(data: bytes) -> tuple[bytes, bytearray, bytes]:
    """What stands before the `moof` (without `prft`), the `moof`, and what follows."""
    at = 0
    before = b""
    for name, _, end in children(data, 0, len(data)):
        if name == b"moof":
            return before, bytearray(data[at:end]), data[end:]
        if name != b"prft":
            before += data[at:end]
        at = end
    raise MediaError("a fragment lacks its moof box")


def _widen(moof: bytearray, samples: FragmentSamples, head: int, decode_time: int) -> None:
    """A 32-bit time: the box grows by four bytes, and with it everything that counts them."""
    at = samples.decode_time_at
    for size_at in (head - 8, samples.traf_at - 8, at - 12):
        (size,) = struct.unpack_from(">I", moof, size_at)
        if size < 8:
            raise MediaError("a fragment header with a 64-bit size cannot be stamped")
        struct.pack_into(">I", moof, size_at, size + 4)
    for offset_at in samples.data_offsets_at:
        (offset,) = struct.unpack_from(">i", moof, offset_at)
        struct.pack_into(">i", moof, offset_at, offset + 4)
    moof[at - 4] = 1
    moof[at : at + 4] = struct.pack(">Q", decode_time)


def index_file(path: ReadableFile, offset: int = 0, init: Init | None = None, *, salvage: bool = False) -> FileIndex:
    """Find the fragments of a segment that may still be growing; what is incomplete at its end is left for later.

    Continue with `index_file(path, index.end, index.init)`. With `salvage`, damage ends the index instead of raising
    `MediaError`: everything before it is whole.
    """
    fragments: list[Indexed] = []
    end = offset
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if init is None:
                init, offset = _read_init(file, size)
                end = offset
                if init is None:
                    return FileIndex(None, [], 0)
            for found in _walk(file, size, offset, init):
                if len(fragments) >= MAX_FRAGMENTS:
                    raise MediaError(f"a segment holds more than {MAX_FRAGMENTS} fragments; nothing honest does")
                fragments.append(found)
                end = found.offset + found.bytes
    except MediaError:
        if not salvage:
            raise
    except OSError as error:
        raise MediaError(f"the segment {path.name} cannot be read: {error.strerror}") from error
    return FileIndex(init, fragments, end)


def _read_init(file: BinaryIO, size: int) -> tuple[Init | None, int]:
    at = 0
    boxes = 0
    while True:
        head = _file_box(file, at, size)
        if head is None:
            return None, 0
        at += head[0]
        boxes = checked_boxes(boxes + 1)
        if at > MAX_HEADER_BYTES:
            raise MediaError(f"an init segment is larger than {MAX_HEADER_BYTES} bytes; nothing honest is")
        if head[1] == b"moov":
            file.seek(0)
            return parse_init(file.read(at)), at
        if head[1] in (b"moof", b"mdat"):
            raise MediaError("a segment begins without its init segment")


def _walk(file: BinaryIO, size: int, at: int, init: Init) -> Iterator[Indexed]:
    start = at
    samples: FragmentSamples | None = None
    reference: ReferenceTime | None = None
    boxes = count = 0
    while True:
        head = _file_box(file, at, size)
        if head is None:
            return
        length, name, head_bytes = head
        boxes = 0 if name == b"mdat" else checked_boxes(boxes + 1)
        if name == b"moof":
            if samples is not None:
                raise MediaError("a fragment is described twice")
            file.seek(at)
            moof = file.read(length)
            samples = parse_fragment_samples(moof, head_bytes, length, init.table)
            count = checked_samples(count + len(samples.sizes))
        elif name == b"prft":
            file.seek(at + head_bytes)
            reference = ReferenceTime.parse(file.read(length - head_bytes))
        at += length
        if name == b"mdat":
            if samples is None:
                raise MediaError("a segment has media data without its description")
            if samples.bytes > length - head_bytes:
                raise MediaError("a fragment says that its samples lie outside of it")
            from_ns = to_ns(samples.decode_time, init.timescale)
            until_ns = to_ns(samples.decode_time + samples.duration, init.timescale)
            utc_ns = _utc_ns(reference, samples.decode_time, init)
            yield Indexed(start, at - start, from_ns, until_ns, samples.key_frame, utc_ns)
            samples = reference = None
        if name == b"mdat" or (samples is None and name not in _BEFORE_FRAGMENT):
            start = at


def _file_box(file: BinaryIO, at: int, size: int) -> tuple[int, bytes, int] | None:
    file.seek(at)
    head = _box_head(file.read(16))
    return None if head is None or at + head[0] > size else head


def _box_head(data: bytes | bytearray) -> tuple[int, bytes, int] | None:
    """(size of the box, name, size of its head), or None when more bytes are needed."""
    if len(data) < 8:
        return None
    (size,) = struct.unpack_from(">I", data)
    name = bytes(data[4:8])
    if name not in _KNOWN:
        raise MediaError(f"the media has a box {name!r} where MP4 has none; restart its source")
    head = 8
    if size == 1:
        if len(data) < 16:
            return None
        (size,) = struct.unpack_from(">Q", data, 8)
        head = 16
    if not head <= size <= (MAX_BOX_BYTES if name in _LARGE else MAX_HEADER_BYTES):
        raise MediaError(f"the media has a box of {size} bytes; that is not possible")
    return size, name, head
