"""What of a track is in memory: enough for the pre-roll, and never more than is said."""

from __future__ import annotations

from recorder.storage.preroll_buffer import MARGIN_NS, PreRollBuffer, buffer_bytes
from tests.support.files.made_fragments import S, fragment


def filled(seconds: int, key_every_s: int, bytes_per_s: int = 4000, preroll_s: int = 10) -> PreRollBuffer:
    buffer = PreRollBuffer(preroll_s * S)
    for quarter in range(4 * seconds):
        buffer.append(fragment(quarter / 4, quarter % (4 * key_every_s) == 0, size=bytes_per_s // 4))
        buffer.trim()
    return buffer


def held_bytes(buffer: PreRollBuffer) -> int:
    return sum(len(one.data) for one in buffer)


def test_an_empty_buffer_has_nothing_and_trims_nothing() -> None:
    buffer = PreRollBuffer(0)
    buffer.trim()
    assert buffer.newest is None
    assert buffer.first_from(0) is None
    assert buffer.since(0) == []


def test_it_begins_at_the_last_key_frame_before_a_moment_else_at_the_first_after_it() -> None:
    buffer = PreRollBuffer(10 * S)
    for quarter in range(2, 13):  # without the group that these began in
        buffer.append(fragment(quarter / 4, quarter % 4 == 0))
    begin_ns = [one.from_ns for one in buffer.since(int(2.6 * S))]
    assert begin_ns == [quarter * S // 4 for quarter in range(8, 13)]
    first = buffer.first_from(0)
    assert first is not None
    assert first.from_ns == S


def test_a_track_without_key_frame_has_nothing_to_begin_with() -> None:
    buffer = PreRollBuffer(10 * S)
    buffer.append(fragment(1, False))
    assert buffer.since(2 * S) == []


def test_only_whole_groups_of_pictures_are_dropped() -> None:
    buffer = filled(30, key_every_s=4, preroll_s=5)
    oldest, newest = next(iter(buffer)), buffer.newest
    assert newest is not None
    assert oldest.key_frame
    reach_ns = newest.to_ns - oldest.from_ns
    assert MARGIN_NS + 5 * S <= reach_ns < MARGIN_NS + 9 * S


def test_what_was_not_trimmed_is_still_there_to_be_offered() -> None:
    buffer = PreRollBuffer(0)
    for quarter in range(80):
        buffer.append(fragment(quarter / 4, quarter % 4 == 0))
    assert len(list(buffer)) == 80
    buffer.trim()
    assert next(one.from_ns for one in buffer) == 17 * S


def test_memory_holds_a_preroll_of_four_cameras_and_is_bounded() -> None:
    """1080p at 8 Mbit/s with a key frame every 10 s: the worst that a camera of this class is set to."""
    now_ns = 45 * S
    for buffer in [filled(45, key_every_s=10, bytes_per_s=1_000_000) for _ in range(4)]:
        held = buffer.since(now_ns - 10 * S)
        assert held[0].key_frame
        assert held[0].from_ns <= now_ns - 10 * S
        assert held_bytes(buffer) <= buffer_bytes(10 * S)
    assert 4 * buffer_bytes(10 * S) <= 192 * 1024 * 1024, "what docs/operations.md says of memory"
    assert held_bytes(filled(45, key_every_s=10, bytes_per_s=20_000_000)) <= buffer_bytes(10 * S)


def test_while_nobody_knows_whether_a_hearing_is_open_only_the_limit_in_bytes_counts() -> None:
    buffer = PreRollBuffer(0)
    buffer.keeps_all = True
    for quarter in range(4 * 60):
        buffer.append(fragment(quarter / 4, quarter % 4 == 0, size=1000))
        buffer.trim()
    assert buffer.since(0)[0].from_ns == 0
    buffer.append(fragment(60, True, size=buffer_bytes(0)))
    buffer.trim()
    assert held_bytes(buffer) <= buffer_bytes(0)
    buffer.append(fragment(61, True, size=1000))
    buffer.append(fragment(70, True, size=1000))
    buffer.keeps_all = False
    buffer.trim()
    assert [one.from_ns for one in buffer.since(0)] == [61 * S, 70 * S]
