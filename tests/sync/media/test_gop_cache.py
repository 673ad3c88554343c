"""What is held for newcomers begins with a key frame, is never more than the bounds, and is never nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sync.media.envelope import HEADER_BYTES, Envelope
from sync.media.gop_cache import FRESH_S, MAX_GOP_NS, GopCache, GopStart
from tests.support.peers.live_line import INIT, fragment

LIMIT = 20_000
TOTAL = 30_000


def cache(*tracks: str) -> GopCache:
    made = GopCache(LIMIT, TOTAL)
    for track in tracks:
        made.init(track, Envelope.unpack(INIT), INIT)
    return made


def put(gops: GopCache, track: str, message: bytes) -> None:
    gops.fragment(track, Envelope.unpack(message), message)


def numbers(start: GopStart) -> list[int]:
    return [Envelope.unpack(message).sequence for message in start.fragments]


def test_beyond_its_bound_a_track_keeps_its_key_frame_until_the_next() -> None:
    gops = cache("bench")
    put(gops, "bench", fragment(1, key=True, size=1000))
    for sequence in range(2, 40):
        put(gops, "bench", fragment(sequence, size=1000))
    assert (numbers(gops.since_key_frame("bench")), gops.since_key_frame("bench").whole) == ([1], False)
    put(gops, "bench", fragment(40, key=True))
    put(gops, "bench", fragment(41))
    assert (numbers(gops.since_key_frame("bench")), gops.since_key_frame("bench").whole) == ([40, 41], True)


def test_what_began_too_long_ago_leaves_its_key_frame_until_the_next() -> None:
    def at(sequence: int, room_ns: int, *, key: bool = False) -> bytes:
        return replace(Envelope.unpack(fragment(sequence, key=key)), room_ns=room_ns).pack()

    gops = cache("bench")
    put(gops, "bench", at(1, 0, key=True))
    put(gops, "bench", at(2, MAX_GOP_NS))
    assert gops.since_key_frame("bench").whole
    put(gops, "bench", at(3, MAX_GOP_NS + 1))
    assert (numbers(gops.since_key_frame("bench")), gops.since_key_frame("bench").whole) == ([1], False)
    put(gops, "bench", at(4, MAX_GOP_NS + 2, key=True))
    put(gops, "bench", at(5, 2 * MAX_GOP_NS))
    assert (numbers(gops.since_key_frame("bench")), gops.since_key_frame("bench").whole) == ([4, 5], True)


def test_after_a_loss_the_key_frame_stays_and_what_follows_it_goes() -> None:
    gops = cache("bench")
    for sequence in (1, 2, 3):
        put(gops, "bench", fragment(sequence, key=sequence == 1))
    gops.interrupted("bench")
    put(gops, "bench", fragment(5))
    assert (numbers(gops.since_key_frame("bench")), gops.since_key_frame("bench").whole) == ([1], False)


def test_what_nobody_may_see_any_more_is_forgotten_with_its_key_frame() -> None:
    gops = cache("bench")
    put(gops, "bench", fragment(1, key=True))
    gops.interrupted("bench")
    gops.forget("bench")
    assert gops.since_key_frame("bench") == GopStart()


def test_in_sum_the_track_that_holds_most_gives_way() -> None:
    gops = cache("bench", "parties")
    put(gops, "bench", fragment(1, key=True))
    put(gops, "parties", fragment(1, key=True))
    for sequence in range(2, 20):
        put(gops, "bench", fragment(sequence, size=900))
    for sequence in range(2, 17):
        put(gops, "parties", fragment(sequence, size=900))
    assert not gops.since_key_frame("bench").whole
    assert gops.since_key_frame("parties").whole


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 9000)), max_size=80))
def test_no_order_of_fragments_breaks_the_bounds(pieces: list[tuple[str, bool, int]]) -> None:
    gops = cache("a", "b", "c")
    for sequence, (track, key, size) in enumerate(pieces):
        put(gops, track, fragment(sequence, key=key, size=size))
        starts = [gops.since_key_frame(name) for name in "abc"]
        assert sum(start.size for start in starts) <= TOTAL
        for start in starts:
            assert start.size <= LIMIT + HEADER_BYTES
            keys = [Envelope.unpack(message).key_frame for message in start.fragments]
            assert keys[:1] in ([], [True])
            assert not any(keys[1:])


def test_nobody_begins_with_a_picture_of_a_track_that_has_stopped() -> None:
    now_s = 100.0
    gops = GopCache(LIMIT, TOTAL, monotonic=lambda: now_s)
    gops.init("bench", Envelope.unpack(INIT), INIT)
    put(gops, "bench", fragment(1, key=True))
    put(gops, "bench", fragment(2))
    now_s += FRESH_S
    assert numbers(gops.since_key_frame("bench")) == [1, 2]
    now_s += 1
    assert gops.since_key_frame("bench") == GopStart()
    put(gops, "bench", fragment(3))
    assert gops.since_key_frame("bench") == GopStart(), "it cannot be decoded without the key frame"
    put(gops, "bench", fragment(4, key=True))
    assert numbers(gops.since_key_frame("bench")) == [4]
    assert gops.init_of("bench") == INIT
