"""What a camera says of its H.264: parameter sets, descriptions of a decoder, and pictures cut into units."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sync.errors import MediaError
from sync.media.access_unit import StageStamps, WorkerStamps
from sync.media.h264_config import H264Config
from sync.media.h264_sps import parse_sps, without_reordering
from sync.media.nal_units import annex_b_units, length_prefixed, prefixed_units
from tests.support.files.parameter_sets import BASELINE, HIGH, MAIN, SetWriter


def target(data: bytes) -> None:
    _set(data)
    try:
        config = H264Config.parse(data)
        assert config.pack() == bytes([*data[:5], 0xE0 | data[5] & 31, *data[6:]])
        assert 1 <= config.length_bytes <= 4
    except MediaError:
        pass
    units = annex_b_units(data)
    try:
        assert list(prefixed_units(length_prefixed(data), 4)) == units
    except MediaError:
        assert not units
    assert sum(map(len, prefixed_units(data, 2))) <= len(data)
    StageStamps.of(data)
    with contextlib.suppress(MediaError):
        WorkerStamps.parse(data)


def _set(data: bytes) -> None:
    try:
        said = parse_sps(data)
        rewritten = without_reordering(data)
    except MediaError:
        return
    if said.reordered_frames is not None:
        assert rewritten is None
        return
    assert rewritten is not None
    after = parse_sps(rewritten)
    assert after.reordered_frames == 0
    assert (after.profile, after.reference_frames, after.pic_order_type, after.vui_at) == (
        said.profile,
        said.reference_frames,
        said.pic_order_type,
        said.vui_at,
    )
    assert annex_b_units(b"\0\0\1" + rewritten) == [rewritten], "a start code inside of a set"


def seeds() -> Iterator[bytes]:
    yield from (BASELINE, MAIN, HIGH, SetWriter(profile=100, vui=True, reordered=2).unit())
    yield H264Config(b"\1\x42\xc0\x1e\xff", (BASELINE,), b"\1\0\4\x68\xce\x3c\x80").pack()
    yield b"".join(b"\0\0\0\1" + unit for unit in (BASELINE, b"\x68\xce\x3c\x80", b"\x65\x88\x80\x10"))
    yield WorkerStamps(1, 2, 3).pack()
    yield StageStamps(1, 2).pack()
