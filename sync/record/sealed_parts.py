"""封存区段: which stretches of a hearing somebody may not see; the one judgment that room and center share.

A part is a matter of sight and of nothing else: the record keeps everything, and the ledger proves it as ever. A part
without an end goes on until somebody says that it is over. Promises: pure values, and in doubt not shown: what touches
a part by a nanosecond is within it, and an act that cannot be read seals everything for everybody. Refuses: to lift
anything; that is the archivist's act at the center.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from typing_extensions import TypedDict

from sync.record.bodies.limits import INT64
from sync.record.bodies.session import PartLevel, SealedPartBody
from sync.record.event import Event

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,95}")
PLACEHOLDER = "〔此段已封存〕"
"""What stands where words were that may not be seen."""
ENDLESS = INT64
"""The end of a part that has none yet."""
MOST_CHARS = 200
"""Of who sealed a part and why."""
UNREADABLE = "unreadable-"
"""Before the number of an event that seals something and cannot be read: the id of what it seals."""
OF_ROOM = "room:"
"""Before the id of a part that the hearing's own room has sealed, where the center names it."""


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A stretch of room time [from, to) that not everybody may see; `to_ns` None: until it is said to be over."""

    id: str
    from_ns: int
    to_ns: int | None
    level: PartLevel
    by: str = ""
    reason: str = ""
    at_utc_ns: int = 0
    """When it was said."""

    @property
    def end_ns(self) -> int:
        """Its end, `ENDLESS` for one without."""
        return ENDLESS if self.to_ns is None else self.to_ns

    @property
    def span_ns(self) -> tuple[int, int]:
        """What it covers, [from, to). Ends that were said the wrong way round, or no length, still cover what lies
        between them: nobody seals a part in order to show it."""
        if self.end_ns > self.from_ns:
            return self.from_ns, self.end_ns
        return self.end_ns, self.from_ns + 1

    def ended(self, at_ns: int) -> SealedPart:
        """The same until `at_ns`; a part that has an end keeps it, and what has been sealed stays so."""
        return self if self.to_ns is not None else replace(self, to_ns=max(at_ns, self.from_ns + 1))


class RoomParts:
    """The parts that a room itself has sealed: the fold of its events, in the order of their numbers."""

    def __init__(self) -> None:
        self._parts: dict[str, SealedPart] = {}

    def __iter__(self) -> Iterator[SealedPart]:
        """By their coming."""
        return iter(self._parts.values())

    def apply(self, event: Event) -> SealedPart | None:
        """Take a `sealed_part`; what it made of its part, None for nothing.

        Said again of a part that goes on, it ends it, never before the moment in which that was said. A room can begin
        and end a part; it cannot take one back. What cannot be read seals the whole hearing, for everybody.
        """
        said = _read(event)
        known = self._parts.get(said.id)
        if known is not None:
            if known.to_ns is not None or said.to_ns is None:
                return None
            said = known.ended(max(said.to_ns, event.room_ns))
        elif said.to_ns is not None:
            from_ns, to_ns = said.span_ns
            said = replace(said, from_ns=from_ns, to_ns=to_ns)
        self._parts[said.id] = said
        return said


def _read(event: Event) -> SealedPart:
    """The part as an event says it."""
    body = cast(SealedPartBody, event.body)
    name, from_ns, to_ns, by, reason = (body.get(key) for key in ("id", "from_ns", "to_ns", "by", "reason"))
    readable = (
        isinstance(name, str)
        and _NAME.fullmatch(name) is not None
        and "to_ns" in body
        and _is_moment(from_ns)
        and from_ns != ENDLESS
        and (to_ns is None or _is_moment(to_ns))
    )
    if not readable:
        return SealedPart(f"{UNREADABLE}{event.number}", -ENDLESS, None, "withdrawn", at_utc_ns=event.utc_ns)
    return SealedPart(
        cast(str, name),
        cast(int, from_ns),
        cast("int | None", to_ns),
        # What nobody knows is kept from everybody.
        "restricted" if body.get("level") == "restricted" else "withdrawn",
        by[:MOST_CHARS] if isinstance(by, str) else "",
        reason[:MOST_CHARS] if isinstance(reason, str) else "",
        event.utc_ns,
    )


def _is_moment(value: object) -> bool:
    return type(value) is int and -ENDLESS <= value <= ENDLESS


@dataclass(frozen=True, slots=True)
class Unseen:
    """What somebody may not see of a hearing: stretches [from, to) of room time, in order, none touching the next."""

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, parts: Iterable[SealedPart], levels: Collection[str]) -> Unseen:
        """For who may see the parts of these `levels` and no others."""
        joined: list[tuple[int, int]] = []
        for start, end in sorted(p.span_ns for p in parts if p.level not in levels):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        return cls(tuple(joined))

    def __bool__(self) -> bool:
        """Whether there is anything that may not be seen."""
        return bool(self.spans)

    def touches(self, from_ns: int, to_ns: int | None) -> bool:
        """Whether any of [from, to) may not be seen; an empty stretch is the moment at its beginning, and None for its
        end is no end."""
        end_ns = ENDLESS if to_ns is None else max(to_ns, from_ns + 1)
        # The last stretch that begins before the end is the only one that can reach into it from the left.
        place = bisect_right(self.spans, (end_ns - 1, ENDLESS)) - 1
        return place >= 0 and self.spans[place][1] > from_ns

    def at(self, moment_ns: int) -> bool:
        """Whether a moment may not be seen."""
        return self.touches(moment_ns, moment_ns + 1)

    def outside(self, from_ns: int, to_ns: int) -> Sequence[tuple[int, int]]:
        """What of [from, to) may be seen."""
        kept: list[tuple[int, int]] = []
        at_ns = from_ns
        for start, end in self.spans:
            if end <= at_ns:
                continue
            if start >= to_ns:
                break
            if start > at_ns:
                kept.append((at_ns, start))
            at_ns = end
        if at_ns < to_ns:
            kept.append((at_ns, to_ns))
        return kept


EVERYTHING_SEEN = Unseen()
EVER = ((-ENDLESS, ENDLESS),)
NOTHING_SEEN = Unseen(EVER)
"""Of who may see no moment of a hearing."""
"""The stretch of what nobody can say a time of: it touches every part."""


class UnseenSpan(TypedDict):
    """A stretch that may not be seen, as a screen gets it; `to_ns` null: without end."""

    from_ns: int
    to_ns: int | None


def spans_shown(unseen: Unseen) -> list[UnseenSpan]:
    """For a screen, in room time."""
    return [{"from_ns": start, "to_ns": None if end == ENDLESS else end} for start, end in unseen.spans]
