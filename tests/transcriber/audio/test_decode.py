"""The microphones' segments on disk give back every sample, also while they grow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.rooms.transcriber_room import HEARING, TranscriberRoom, hearing_civil
from transcriber.audio.decode import Block, KeptAudio

FROM_NS = 500 * 10**9


def joined(blocks: list[Block]) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.concatenate([b.samples for b in blocks])


def read_all(kept: KeptAudio, position_ns: int) -> list[Block]:
    blocks: list[Block] = []
    while found := kept.read(position_ns):
        blocks += found
        position_ns = blocks[-1].to_ns
    return blocks


def test_every_sample_comes_back_across_segments(make_room: Callable[[int], TranscriberRoom]) -> None:
    room, pcm = make_room(4), hearing_civil(0, 7)
    room.keep(pcm, FROM_NS, segment_s=3)
    blocks = read_all(KeptAudio(room.layout.track(HEARING, "mics")), FROM_NS - 10**9)
    assert blocks[0].from_ns == FROM_NS
    assert np.array_equal(joined(blocks), pcm)


def test_reading_may_begin_anywhere(make_room: Callable[[int], TranscriberRoom]) -> None:
    room, pcm = make_room(4), hearing_civil(0, 7)
    room.keep(pcm, FROM_NS, segment_s=3)
    blocks = read_all(KeptAudio(room.layout.track(HEARING, "mics")), FROM_NS + 5 * 10**9)
    assert blocks[0].from_ns <= FROM_NS + 5 * 10**9 < blocks[0].to_ns
    assert np.array_equal(joined(blocks), pcm[-len(joined(blocks)) :])


def test_a_growing_segment_gives_only_whole_fragments(make_room: Callable[[int], TranscriberRoom]) -> None:
    room, pcm = make_room(4), hearing_civil(0, 4)
    room.keep(pcm, FROM_NS, segment_s=60)
    segment = room.layout.track(HEARING, "mics") / "00000.mp4"
    whole = segment.read_bytes()
    segment.write_bytes(whole[: len(whole) // 2])
    kept = KeptAudio(segment.parent)
    blocks = read_all(kept, FROM_NS)
    assert 0 < len(joined(blocks)) < len(pcm)
    segment.write_bytes(whole)
    blocks += read_all(kept, blocks[-1].to_ns)
    assert np.array_equal(joined(blocks), pcm)


def test_nothing_on_disk_is_no_sound(make_room: Callable[[int], TranscriberRoom]) -> None:
    room = make_room(1)
    assert KeptAudio(room.layout.track(HEARING, "mics")).read(0) == []
