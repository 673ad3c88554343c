"""A segment's boxes, by each of the three who walk them: as a stream, as a file, and by the verifier."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sync.errors import MediaError
from sync.media.fmp4 import BoxReader, Fragment, Init, index_file, retime
from tests.fuzz.seed_media import segments
from wutong.verify.walk import FragmentWalk


def target(data: bytes) -> None:
    whole = _streamed(data, len(data) or 1)
    assert _streamed(data, 97) == whole, "the cut of a stream changes what is in it"
    walk = FragmentWalk()
    try:
        walk.feed(memoryview(data))
        walk.close()
    except MediaError:
        walk = FragmentWalk()
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        index = index_file(Path(file.name), salvage=True)
    assert index.end <= len(data)
    at = 0
    for found in index.fragments:
        assert at <= found.offset < found.offset + found.bytes <= len(data)
        at = found.offset + found.bytes
    if walk.fragments:
        assert walk.fragments == len(index.fragments), "the verifier and playback see other fragments"


def _streamed(data: bytes, step: int) -> list[object]:
    reader = BoxReader()
    found: list[object] = []
    try:
        for at in range(0, len(data), step):
            for item in reader.feed(data[at : at + step]):
                if isinstance(item, Init):
                    found.append((item.mime, item.table))
                else:
                    found.append(_moved(item, reader.init))
    except MediaError:
        found.append("refused")
    return found


def _moved(fragment: Fragment, init: Init | None) -> object:
    assert init is not None
    samples = list(fragment.samples())
    assert sum(map(len, samples)) <= len(fragment.data)
    try:
        stamped = retime(fragment, init, 1 << 40, 7, 1_795_000_000_000_000_000)
    except MediaError:
        return "not stamped"
    assert list(stamped.samples()) == samples
    return fragment.decode_time, fragment.duration, fragment.sizes


def seeds() -> Iterator[bytes]:
    yield from segments()
