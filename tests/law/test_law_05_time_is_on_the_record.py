"""5. Synchronized time is overlaid on the picture, or an equal measure protects authenticity (art. 4); both are."""

from __future__ import annotations

import io
import time

import av

from hardware import timecode
from sync.media.fmp4 import index_file
from tests.support.files.decoded_pictures import gray
from tests.support.rooms.recorder_room import RecorderRoom


async def test_every_fragment_says_its_utc_and_every_picture_shows_it(recorder: RecorderRoom) -> None:
    await recorder.until(recorder.running, "all sources run")
    recorder.say("open", case={}, seats=[], tracks=[])
    await recorder.pass_media("bench", 2)
    recorder.say("close")
    view = await recorder.closed("bench", "mics", "mix")
    now_ns = time.time_ns()
    for segment in view.segments:
        index = index_file(recorder.layout.hearing(recorder.hearing) / segment.file)
        assert index.fragments
        for fragment in index.fragments:
            assert fragment.utc_ns is not None, segment.file
            assert abs(now_ns - fragment.utc_ns) < 300 * 10**9
    path = next(recorder.layout.hearing(recorder.hearing) / s.file for s in view.segments if s.track == "bench")
    first = index_file(path).fragments[0]
    with av.open(io.BytesIO(path.read_bytes()), "r") as file:
        frame = next(file.decode(video=0))
    read = timecode.read(gray(frame))
    assert read is not None
    assert abs(read * 1_000_000 - (first.utc_ns or 0)) < 1_000_000_000
