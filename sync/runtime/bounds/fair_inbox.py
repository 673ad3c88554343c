"""What has come and is not handled yet: a queue for each sender, emptied in turns by bytes (deficit round robin).

Promises: each sender's messages keep their order; in a round each sender that waits gives at most `QUANTUM_BYTES` and
one message more, whatever another has sent; all of it is bounded in bytes, and what is too much is taken from whoever
has the most waiting, the oldest first. So who floods the center loses messages of its own and makes nobody wait for
longer than a turn of each other sender. (Shreedhar and Varghese, Efficient Fair Queuing Using Deficit Round Robin,
1995; longest queue drop: Suter and others, 1999.)

It may be filled by one thread while another empties it.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

QUANTUM_BYTES = 64 * 1024
MESSAGE_BYTES = 1024
"""What a message costs beside its own bytes: to look at many small ones is work, too."""
MOST_NAMED = 10_000
"""Senders of whom it is known that something was dropped."""
MOST_BYTES = 64 * 1024 * 1024
"""Of all senders together, as they are counted."""


@dataclass(slots=True)
class _SenderQueue(Generic[T]):
    messages: deque[tuple[T, int]] = field(default_factory=deque)
    cost: int = 0
    deficit: int = 0


class FairInbox(Generic[T]):
    """`put` and `take` may be called from different threads."""

    def __init__(self, *, most_bytes: int = MOST_BYTES, quantum_bytes: int = QUANTUM_BYTES) -> None:
        self._most = most_bytes
        self._quantum = quantum_bytes
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, _SenderQueue[T]] = OrderedDict()
        """The senders of whom something waits, in the order of their turns."""
        self._cost = 0
        self.dropped = 0
        """Messages that had no room."""
        self._dropped_of: Counter[str] = Counter()

    def dropped_since(self) -> dict[str, int]:
        """How many messages of each sender had no room since this was last asked."""
        with self._lock:
            dropped = dict(self._dropped_of)
            self._dropped_of.clear()
            return dropped

    def __len__(self) -> int:
        with self._lock:
            return sum(len(one.messages) for one in self._waiting.values())

    def put(self, sender: str, message: T, size: int) -> bool:
        """Add a message of `size` bytes; True when nothing waited before, so that somebody must begin to `take`."""
        cost = size + MESSAGE_BYTES
        with self._lock:
            was_empty = not self._waiting
            if cost > self._most:
                self._note_drop(sender)
                return False
            one = self._waiting.get(sender)
            if one is None:
                one = self._waiting[sender] = _SenderQueue()
            one.messages.append((message, cost))
            one.cost += cost
            self._cost += cost
            while self._cost > self._most:
                self._drop_one()
            return was_empty

    def take(
        self, most_bytes: int, may: Callable[[str], bool] = lambda sender: True
    ) -> tuple[list[tuple[str, T]], bool]:
        """(sender, message) in the order of the turns, up to `most_bytes` in cost and one more; whether more waits.

        Where more waits, whoever takes must come again: no `put` asks for it. `may(sender)`: whether anything of it is
        taken now; what is not taken waits on, in its bounds.
        """
        taken: list[tuple[str, T]] = []
        spent = 0
        with self._lock:
            held = {sender for sender in self._waiting if not may(sender)}
            while len(self._waiting) > len(held) and spent < most_bytes:
                sender, one = next(iter(self._waiting.items()))
                if sender in held:
                    self._waiting.move_to_end(sender)
                    continue
                if one.deficit <= 0:
                    one.deficit += self._quantum
                while one.messages and one.deficit > 0 and spent < most_bytes:
                    message, cost = one.messages.popleft()
                    one.cost -= cost
                    one.deficit -= cost
                    self._cost -= cost
                    spent += cost
                    taken.append((sender, message))
                if not one.messages:
                    del self._waiting[sender]
                elif one.deficit <= 0:
                    self._waiting.move_to_end(sender)
            return taken, bool(self._waiting)

    def clear(self) -> None:
        """Let go of all that waits."""
        with self._lock:
            self.dropped += sum(len(one.messages) for one in self._waiting.values())
            self._waiting.clear()
            self._cost = 0

    def _drop_one(self) -> None:
        sender, fattest = max(self._waiting.items(), key=lambda entry: entry[1].cost)
        _, cost = fattest.messages.popleft()
        fattest.cost -= cost
        self._cost -= cost
        self._note_drop(sender)
        if not fattest.messages:
            del self._waiting[sender]

    def _note_drop(self, sender: str) -> None:
        self.dropped += 1
        if sender in self._dropped_of or len(self._dropped_of) < MOST_NAMED:
            self._dropped_of[sender] += 1
