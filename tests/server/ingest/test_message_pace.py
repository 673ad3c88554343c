"""What one room may say a second is bounded by number, and no other room pays for it."""

from __future__ import annotations

import pytest

from server.ingest.message_pace import PACES, MessagePace
from sync import topics

C03, C04 = "court1/c03", "court1/c04"


@pytest.mark.parametrize("topic", sorted(PACES))
def test_a_flood_is_dropped_and_counted_and_the_room_is_heard_again_when_it_is_over(topic: str) -> None:
    now = [0.0]
    pace = MessagePace(monotonic_s=lambda: now[0])
    per_s, burst = PACES[topic]
    assert sum(pace.take(C03, topic) for _ in range(10_000)) == burst
    assert pace.dropped_since() == {C03: 10_000 - burst}
    assert pace.dropped_since() == {}
    assert pace.take(C04, topic)
    now[0] += 1
    assert sum(pace.take(C03, topic) for _ in range(10_000)) == per_s
    now[0] += 10_000
    assert sum(pace.take(C03, topic) for _ in range(10_000)) == burst


@pytest.mark.parametrize("topic", [topics.EVENTS, topics.CHECKPOINTS, "live/bench/frag"])
def test_what_is_bounded_elsewhere_is_not_bounded_here(topic: str) -> None:
    pace = MessagePace(monotonic_s=lambda: 0.0)
    assert all(pace.take(C03, topic) for _ in range(10_000))


def test_an_honest_room_is_far_from_it() -> None:
    now = [0.0]
    pace = MessagePace(monotonic_s=lambda: now[0])
    for _ in range(3600 * 5):
        now[0] += 0.2
        assert pace.take(C03, topics.LEVELS)
        assert pace.take(C03, topics.CAPTION)
        if round(now[0] * 5) % 5 == 0:
            assert pace.take(C03, topics.STATUS)
