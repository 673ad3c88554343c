"""What the inner boxes of fragmented MP4 say of samples: codec and defaults from `moov`, times and sizes from `moof`.

A part of `sync.media.fmp4`, which is what others import. Positions (`*_at`) are offsets into the bytes that were given.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sync.errors import MediaError
from sync.media.access_unit import SampleRow

MAX_SAMPLES = 10_000
"""Of a whole fragment, whatever its runs say one by one. An honest one of half a second has some hundred."""
MAX_RUNS = 64
MAX_CHILDREN = 1024
"""Boxes inside one box. What is read for each costs time, and eight bytes are enough for a box."""
_NON_SYNC = 0x10000


@dataclass(frozen=True, slots=True)
class SampleTable:
    """The one track of an init segment."""

    kind: Literal["video", "audio"]
    timescale: int
    codec: str
    """RFC 6381: avc1.xxxxxx, hvc1.…, mp4a.40.x or flac."""
    config: bytes
    """What a decoder needs first: avcC, hvcC, AudioSpecificConfig, or FLAC's STREAMINFO."""
    default_duration: int
    default_size: int
    default_flags: int
    track_id: int = 1
    width: int = 0
    height: int = 0
    channels: int = 0
    rate_hz: int = 0


@dataclass(frozen=True, slots=True)
class FragmentSamples:
    """The one track fragment of a `moof`."""

    sequence: int
    sequence_at: int
    traf_at: int
    decode_time: int
    decode_time_at: int
    decode_time_bytes: int
    data_offset: int
    """Of the first sample, from the start of the moof box."""
    data_offsets_at: tuple[int, ...]
    duration: int
    sizes: tuple[int, ...]
    bytes: int
    """All samples together."""
    key_frame: bool
    offset: int = 0
    """Of the first sample: from when it is decoded to when it is shown."""


def children(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, start of content, end) of each box between two positions."""
    at = start
    count = 0
    while at < end:
        count += 1
        if count > MAX_CHILDREN:
            raise MediaError(f"an MP4 box holds more than {MAX_CHILDREN} others; nothing honest does")
        if end - at < 8:
            raise MediaError("an MP4 box is cut short")
        (size,) = struct.unpack_from(">I", data, at)
        head = 8
        if size == 1:
            if end - at < 16:
                raise MediaError("an MP4 box is cut short")
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        if not head <= size <= end - at:
            raise MediaError(f"an MP4 box says {size} bytes where {end - at} are left")
        yield data[at + 4 : at + 8], at + head, at + size
        at += size


def _one(data: bytes, start: int, end: int, *path: bytes) -> tuple[int, int]:
    """Content of the box at `path`, each of which must be there once."""
    for name in path:
        start, end = _sole(_by_name(data, start, end), name)
    return start, end


def _by_name(data: bytes, start: int, end: int) -> dict[bytes, list[tuple[int, int]]]:
    """(start of content, end) of the boxes between two positions, by their names, each in their order."""
    boxes: dict[bytes, list[tuple[int, int]]] = {}
    for name, at, until in children(data, start, end):
        boxes.setdefault(name, []).append((at, until))
    return boxes


def _sole(boxes: Mapping[bytes, list[tuple[int, int]]], name: bytes) -> tuple[int, int]:
    """The content of the one box of this name."""
    found = boxes.get(name, [])
    if len(found) != 1:
        raise MediaError(f"an MP4 file needs exactly one {name.decode()} box here and has {len(found)}")
    return found[0]


def _u32(data: bytes, at: int, end: int) -> int:
    if at < 0 or at + 4 > end:
        raise MediaError("an MP4 box is shorter than what it must hold")
    (value,) = struct.unpack_from(">I", data, at)
    return int(value)


def _signed(value: int) -> int:
    return value - (value >> 31 << 32)


def parse_sample_table(moov: bytes) -> SampleTable:
    """Read the content of a `moov` box."""
    end = len(moov)
    mdia = _one(moov, 0, end, b"trak", b"mdia")
    mdhd = _one(moov, *mdia, b"mdhd")
    version = moov[mdhd[0]] if mdhd[1] > mdhd[0] else 0
    timescale = _u32(moov, mdhd[0] + (20 if version == 1 else 12), mdhd[1])
    if not timescale:
        raise MediaError("an MP4 track counts no time")
    trex = _one(moov, 0, end, b"mvex", b"trex")
    track_id, duration, size, flags = (_u32(moov, trex[0] + at, trex[1]) for at in (4, 12, 16, 20))
    stsd = _one(moov, *mdia, b"minf", b"stbl", b"stsd")
    entries = list(children(moov, stsd[0] + 8, stsd[1]))
    if len(entries) != 1:
        raise MediaError("an MP4 track needs exactly one sample description")
    name, start, stop = entries[0]
    if name in (b"avc1", b"avc3", b"hvc1", b"hev1"):
        if stop - start < 78:
            raise MediaError("an MP4 picture description is cut short")
        width, height = struct.unpack_from(">HH", moov, start + 24)
        h264 = name.startswith(b"avc")
        config_at = _one(moov, start + 78, stop, b"avcC" if h264 else b"hvcC")
        config = moov[config_at[0] : config_at[1]]
        if len(config) < (7 if h264 else 23):
            raise MediaError(f"an H.26{4 if h264 else 5} description is cut short")
        codec = f"{name.decode()}.{config[1:4].hex() if h264 else _h265(config)}"
        return SampleTable("video", timescale, codec, config, duration, size, flags, track_id, width, height)
    if name not in (b"mp4a", b"fLaC"):
        raise MediaError(f"the codec {name!r} is none of H.264, H.265, AAC and FLAC; set the camera to H.264")
    if stop - start < 28:
        raise MediaError("an MP4 sound description is cut short")
    channels, rate_hz = struct.unpack_from(">H6xH", moov, start + 16)
    codec, config = _sound(moov, name, start + 28, stop)
    rate_hz = rate_hz or timescale  # above 65,535 Hz the field does not hold it
    return SampleTable(
        "audio", timescale, codec, config, duration, size, flags, track_id, channels=channels, rate_hz=rate_hz
    )


def _h265(config: bytes) -> str:
    """What RFC 6381 wants of an hvcC behind `hvc1.` (ISO/IEC 14496-15, annex E)."""
    space = ("", "A", "B", "C")[config[1] >> 6]
    compatible = int(f"{int.from_bytes(config[2:6], 'big'):032b}"[::-1], 2)
    tier = "H" if config[1] & 0x20 else "L"
    constraints = [f".{byte:x}" for byte in config[6:12].rstrip(b"\0")]
    return f"{space}{config[1] & 31}.{compatible:x}.{tier}{config[12]}" + "".join(constraints)


def _sound(moov: bytes, name: bytes, start: int, stop: int) -> tuple[str, bytes]:
    if name == b"fLaC":
        at, end = _one(moov, start, stop, b"dfLa")
        # version and flags, then metadata blocks: type, 24 bits of length, content
        if _u32(moov, at + 4, end) != 34 and _u32(moov, at + 4, end) != 0x80000022:
            raise MediaError("a FLAC track does not begin with its STREAMINFO")
        config = moov[at + 8 : at + 42]
        if at + 42 > end:
            raise MediaError("a FLAC description is cut short")
        return "flac", config
    at, end = _one(moov, start, stop, b"esds")
    return _aac(moov[at + 4 : end])


def _aac(descriptors: bytes) -> tuple[str, bytes]:
    """Walk ES -> DecoderConfig -> DecoderSpecificInfo."""
    at, end = 0, len(descriptors)
    while at < end:
        tag = descriptors[at]
        at += 1
        size = 0
        for _ in range(4):
            if at >= end:
                raise MediaError("an AAC description is cut short")
            byte = descriptors[at]
            at += 1
            size = size << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == 0x03:
            if at + 3 > end:
                break
            flags = descriptors[at + 2]
            at += 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
            if flags & 0x40 and at < end:
                at += 1 + descriptors[at]
        elif tag == 0x04:
            if at >= end or descriptors[at] != 0x40:
                raise MediaError("a sound track is not AAC")
            at += 13
        elif tag == 0x05:
            config = descriptors[at : at + size]
            if size < 2 or len(config) != size:
                break
            kind = config[0] >> 3
            if kind == 31:
                kind = 32 + ((config[0] & 7) << 3 | config[1] >> 5)
            return f"mp4a.40.{kind}", config
        else:
            at += size
    raise MediaError("an AAC description is cut short")


def parse_fragment_samples(
    data: bytes, start: int, end: int, table: SampleTable, rows: list[SampleRow] | None = None
) -> FragmentSamples:
    """Read the content of a `moof` box, `data[start:end]`. `rows`: where each sample is noted as well."""
    boxes = _by_name(data, start, end)
    mfhd = _sole(boxes, b"mfhd")
    sequence = _u32(data, mfhd[0] + 4, mfhd[1])
    traf = _sole(boxes, b"traf")
    boxes = _by_name(data, *traf)
    tfhd = _sole(boxes, b"tfhd")
    flags = _u32(data, tfhd[0], tfhd[1]) & 0xFFFFFF
    at = tfhd[0] + 8
    if flags & 0x1:
        raise MediaError("a fragment counts from the start of its file; only fragments that stand alone can be cut")
    at += 4 if flags & 0x2 else 0
    defaults = [table.default_duration, table.default_size, table.default_flags]
    for index, bit in enumerate((0x8, 0x10, 0x20)):
        if flags & bit:
            defaults[index] = _u32(data, at, tfhd[1])
            at += 4
    tfdt = _sole(boxes, b"tfdt")
    wide = _u32(data, tfdt[0], tfdt[1]) >> 24 == 1
    decode_time = _u32(data, tfdt[0] + 4, tfdt[1])
    if wide:
        decode_time = decode_time << 32 | _u32(data, tfdt[0] + 8, tfdt[1])
    runs = boxes.get(b"trun", [])
    if not runs:
        raise MediaError("a fragment has no samples")
    if len(runs) > MAX_RUNS:
        raise MediaError(f"a fragment has {len(runs)} runs of samples and may have {MAX_RUNS}")
    read = _Runs(defaults, rows)
    for run in runs:
        read.take(data, *run)
    if not read.sizes:
        raise MediaError("a fragment has no samples")
    return FragmentSamples(
        sequence=sequence,
        sequence_at=mfhd[0] + 4,
        traf_at=traf[0],
        decode_time=decode_time,
        decode_time_at=tfdt[0] + 4,
        decode_time_bytes=8 if wide else 4,
        data_offset=read.data_offset,
        data_offsets_at=tuple(read.offsets_at),
        duration=read.duration,
        sizes=tuple(read.sizes),
        bytes=read.bytes,
        key_frame=table.kind == "audio" or not read.first_flags & _NON_SYNC,
        offset=read.first_offset,
    )


class _Runs:
    """Adds up the `trun` boxes of a fragment."""

    def __init__(self, defaults: list[int], rows: list[SampleRow] | None) -> None:
        self._duration, self._size, self._flags = defaults
        self._rows = rows
        self.sizes: list[int] = []
        self.bytes = 0
        self.duration = 0
        self.first_flags = self._flags
        self.first_offset = 0
        self.data_offset = 0
        self.offsets_at: list[int] = []

    def take(self, data: bytes, start: int, end: int) -> None:
        flags = _u32(data, start, end) & 0xFFFFFF
        count = _u32(data, start + 4, end)
        at = start + 8
        if not flags & 0x1:
            raise MediaError("a fragment does not say where its samples are")
        offset = struct.unpack(">i", _u32(data, at, end).to_bytes(4, "big"))[0]
        if not self.offsets_at:
            self.data_offset = offset
        elif offset != self.data_offset + self.bytes:
            raise MediaError("the samples of a fragment do not follow each other")
        self.offsets_at.append(at)
        at += 4
        first_flags: int | None = None
        if flags & 0x4:
            first_flags = _u32(data, at, end)
            at += 4
        fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
        if len(self.sizes) + count > MAX_SAMPLES:
            raise MediaError(f"a fragment announces more than {MAX_SAMPLES} samples; nothing honest does")
        if at + 4 * len(fields) * count > end:
            raise MediaError("a fragment announces more samples than it describes")
        if count and not fields:
            self._alike(count, first_flags)
            return
        if not count:
            return
        said = struct.unpack_from(f">{len(fields) * count}I", data, at)
        of = {bit: said[place :: len(fields)] for place, bit in enumerate(fields)}
        sizes = of.get(0x200) or (self._size,) * count
        if not all(sizes):
            raise MediaError("a fragment announces a sample without a byte")
        first = first_flags if first_flags is not None else of[0x400][0] if 0x400 in of else self._flags
        if not self.sizes:
            self.first_flags = first
            self.first_offset = _signed(of[0x800][0]) if 0x800 in of else 0
        if self._rows is not None:
            durations = of.get(0x100) or (self._duration,) * count
            flags_of = (first, *(of[0x400][1:] if 0x400 in of else (self._flags,) * (count - 1)))
            offsets = map(_signed, of[0x800]) if 0x800 in of else (0,) * count
            self._rows += map(SampleRow, durations, sizes, flags_of, offsets)
        self.duration += sum(of[0x100]) if 0x100 in of else count * self._duration
        self.sizes.extend(sizes)
        self.bytes += sum(sizes)

    def _alike(self, count: int, first_flags: int | None) -> None:
        """Samples of which nothing is said one by one."""
        if not self._size:
            raise MediaError("a fragment announces a sample without a byte")
        if not self.sizes:
            self.first_flags = first_flags if first_flags is not None else self._flags
        if self._rows is not None:
            flags = [self._flags if first_flags is None else first_flags, *[self._flags] * (count - 1)]
            self._rows += [SampleRow(self._duration, self._size, one, 0) for one in flags]
        self.duration += count * self._duration
        self.sizes.extend([self._size] * count)
        self.bytes += count * self._size
