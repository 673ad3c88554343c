"""Senders take turns by bytes; who floods loses its own."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sync.runtime.bounds.fair_inbox import MESSAGE_BYTES, MOST_BYTES, QUANTUM_BYTES, FairInbox

LARGEST = 8_500_000

puts = st.lists(
    st.tuples(st.sampled_from("abcde"), st.one_of(st.integers(0, 5000), st.integers(0, LARGEST))), max_size=200
)


def emptied(inbox: FairInbox[int], most_bytes: int = 1) -> list[tuple[str, int]]:
    taken: list[tuple[str, int]] = []
    more = True
    while more:
        some, more = inbox.take(most_bytes)
        taken += some
    return taken


@given(puts, st.integers(1, 2_000_000))
def test_nothing_is_lost_or_changes_its_order_within_a_sender(sent: list[tuple[str, int]], most_bytes: int) -> None:
    inbox = FairInbox[int](most_bytes=1 << 40)
    began = [inbox.put(sender, number, size) for number, (sender, size) in enumerate(sent)]
    assert began == [True] * bool(sent) + [False] * (len(sent) - 1), "who takes is called once"
    taken = emptied(inbox, most_bytes)
    for sender in "abcde":
        assert [n for s, n in taken if s == sender] == [n for n, (s, _) in enumerate(sent) if s == sender]
    assert inbox.dropped == 0
    assert len(inbox) == 0


@given(puts)
def test_who_waits_is_served_as_many_bytes_as_anybody_else(sent: list[tuple[str, int]]) -> None:
    inbox = FairInbox[int](most_bytes=1 << 40)
    for number, (sender, size) in enumerate(sent):
        inbox.put(sender, number, size)
    left = Counter(sender for sender, _ in sent)
    served: Counter[str] = Counter()
    for sender, number in emptied(inbox):
        served[sender] += sent[number][1] + MESSAGE_BYTES
        left[sender] -= 1
        for other in (s for s, count in left.items() if count):
            ahead = served[sender] - served[other]
            assert ahead <= 2 * QUANTUM_BYTES + LARGEST + MESSAGE_BYTES, "a turn, and one message that overdraws it"


@given(puts)
def test_all_of_it_is_bounded_and_the_fattest_pays(sent: list[tuple[str, int]]) -> None:
    most = 2_000_000
    inbox = FairInbox[int](most_bytes=most)
    for number, (sender, size) in enumerate(sent):
        inbox.put(sender, number, size)
        assert sum(one.cost for one in inbox._waiting.values()) == inbox._cost <= most
    taken = emptied(inbox)
    assert len(taken) + inbox.dropped == len(sent)


def test_a_flood_costs_an_honest_sender_nothing() -> None:
    inbox = FairInbox[int]()
    inbox.put("honest", 0, 400)
    for number in range(10 * MOST_BYTES // LARGEST):
        inbox.put("flood", number, LARGEST)
    for number in range(20 * MOST_BYTES // MESSAGE_BYTES):
        inbox.put("drops", number, 0)
    inbox.put("honest", 1, 400)
    taken, _ = inbox.take(1)
    assert taken == [("honest", 0)]
    assert ("honest", 1) in emptied(inbox)
    assert inbox.dropped > 0


def test_what_could_never_be_held_is_dropped_at_once() -> None:
    inbox = FairInbox[int](most_bytes=10_000)
    assert not inbox.put("a", 1, 10_000)
    assert inbox.dropped == 1
    assert len(inbox) == 0
    assert inbox.put("a", 2, 100)
