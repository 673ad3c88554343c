"""A new act of listening is audited once, however many pieces it has, and who is noted takes bounded memory."""

from __future__ import annotations

from server.playback.solo_queue import MAX_SAID, SAID_AGAIN_S, SoloQueue


def test_the_pieces_that_follow_within_minutes_are_no_new_act() -> None:
    now = [0.0]
    queue = SoloQueue(monotonic_s=lambda: now[0])
    assert queue.begins("a", "h1/1")
    for _ in range(10):
        now[0] += SAID_AGAIN_S - 1
        assert not queue.begins("a", "h1/1")  # it goes on for longer than the rest: each piece counts from the last
    assert queue.begins("a", "h1/2")
    assert queue.begins("b", "h1/1")
    now[0] += SAID_AGAIN_S + 1
    assert queue.begins("a", "h1/1")


def test_of_many_the_oldest_are_forgotten() -> None:
    queue = SoloQueue(monotonic_s=lambda: 0.0)
    for number in range(MAX_SAID + 1):
        assert queue.begins(number, "h1/1")
    assert not queue.begins(1, "h1/1")
    assert queue.begins(0, "h1/1")
