"""Which checkpoints wait to be judged: of each hearing the newest and a few before it, and rooms take turns.

Promises: of a hearing at most `KEPT_HEADS` wait, the largest trees; of a room at most `HEARINGS` hearings; a room's
hearings are judged one after the other, and after each it is the next room's turn, so that nobody who asks much makes
another wait for longer than one hearing. What was superseded by a larger tree, or had no room, is given back to whoever
put it, so that its room can be told. What waits for events that are missing is parked beside, and woken when they come.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from sync.ledger.checkpoint import Checkpoint
from sync.ledger.note import Note

KEPT_HEADS = 4
"""A room asks for the newest head of a hearing and for those of its seals; what is smaller is asked for again."""
HEARINGS = 256
"""Of one room: a center that was away for weeks finds the seals of all its hearings."""
PARKED_HEARINGS = 16
"""Of one room: those of which events are missing."""
PARKED_IN_ALL = 4096


@dataclass(frozen=True, slots=True)
class AskedHead:
    """A checkpoint that a room wants to have countersigned."""

    room: str
    note: Note
    head: Checkpoint

    @property
    def hearing(self) -> str:
        """Whose tree it is the head of."""
        return self.head.hearing


@dataclass(frozen=True, slots=True)
class JudgedTurn:
    """The heads of one hearing that are judged together, the smallest tree first."""

    room: str
    hearing: str
    heads: tuple[AskedHead, ...]


_Heads = dict[tuple[int, str], AskedHead]
"""(size, whole note) -> the head: two notes of one size are two questions, one of them perhaps a fork."""


class WaitingHeads:
    """All methods belong to one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, OrderedDict[str, _Heads]] = {}
        self._parked: OrderedDict[tuple[str, str], _Heads] = OrderedDict()
        self._turns: OrderedDict[str, None] = OrderedDict()
        """Rooms of which something waits and nothing is being judged, in the order of their turns."""
        self._busy: set[str] = set()

    def put(self, asked: AskedHead) -> list[AskedHead]:
        """Let it wait; what gave way to it, or it itself when there is no room."""
        hearings = self._waiting.setdefault(asked.room, OrderedDict())
        if asked.hearing not in hearings and len(hearings) >= HEARINGS:
            return [asked]
        if asked.room not in self._busy:
            self._turns.setdefault(asked.room)
        return _join(hearings.setdefault(asked.hearing, {}), [asked])

    def take(self) -> JudgedTurn | None:
        """The next room's next hearing; nothing else of that room is given out until it is `done`."""
        if not self._turns:
            return None
        room, _ = self._turns.popitem(last=False)
        self._busy.add(room)
        hearing, heads = self._waiting[room].popitem(last=False)
        if not self._waiting[room]:
            del self._waiting[room]
        return JudgedTurn(room, hearing, tuple(heads[key] for key in sorted(heads)))

    def done(self, room: str) -> None:
        """What was taken of this room is answered: its next turn comes after those of the others."""
        self._busy.discard(room)
        if room in self._waiting:
            self._turns[room] = None

    def park(self, room: str, hearing: str, heads: list[AskedHead]) -> list[AskedHead]:
        """Keep what nobody can judge before more events come; what had no room."""
        given_back = _join(self._parked.setdefault((room, hearing), {}), heads)
        self._parked.move_to_end((room, hearing))
        mine = [key for key in self._parked if key[0] == room]
        for key in mine[: max(0, len(mine) - PARKED_HEARINGS)]:
            given_back += self._parked.pop(key).values()
        while len(self._parked) > PARKED_IN_ALL:
            _, heads_of_another = self._parked.popitem(last=False)
            given_back += heads_of_another.values()
        return given_back

    def wake(self, room: str, hearing: str) -> list[AskedHead]:
        """Events of this hearing have come: what was parked waits again; what had no room."""
        parked = self._parked.pop((room, hearing), {})
        return [one for asked in parked.values() for one in self.put(asked)]

    def __len__(self) -> int:
        """How many heads wait to be judged; those that wait for events are not among them."""
        return sum(len(heads) for hearings in self._waiting.values() for heads in hearings.values())

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be taken now."""
        return not self._turns


def _join(heads: _Heads, more: list[AskedHead]) -> list[AskedHead]:
    """Add to the heads of a hearing; those that are too many, the smallest trees."""
    for asked in more:
        heads[asked.head.size, asked.note.to_text()] = asked
    return [heads.pop(key) for key in sorted(heads)[: max(0, len(heads) - KEPT_HEADS)]]
