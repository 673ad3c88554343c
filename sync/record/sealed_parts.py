"""封存区段: which stretches of a hearing somebody may not see; the one judgment that room and center share.

A part is a matter of sight and of nothing else: the record keeps everything, and the ledger proves it as ever. A part
without an end goes on until somebody says that it is over. Promises: pure values, and in doubt not shown: what touches
a part by a nanosecond is within it. Refuses: to lift anything; that is the archivist's act at the center.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from typing_extensions import TypedDict

from sync.record.bodies.limits import INT64
from sync.record.bodies.session import PartLevel, SealedPartBody
from sync.record.event import Event

PLACEHOLDER = "〔此段已封存〕"
"""What stands where words were that may not be seen."""
ENDLESS = INT64
"""The end of a part that has none yet."""


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
        and end a part; it cannot take one back.
        """
        body = cast(SealedPartBody, event.body)
        name, to_ns = str(body["id"]), body.get("to_ns")
        known = self._parts.get(name)
        if known is not None:
            if known.to_ns is not None or to_ns is None:
                return None
            said = known.ended(max(int(to_ns), event.room_ns))
        else:
            from_ns = int(body["from_ns"])
            if to_ns is not None and int(to_ns) <= from_ns:
                return None
            said = SealedPart(
                name,
                from_ns,
                None if to_ns is None else int(to_ns),
                # What nobody knows is kept from everybody.
                "restricted" if body.get("level") == "restricted" else "withdrawn",
                str(body.get("by", "")),
                str(body.get("reason", "")),
                event.utc_ns,
            )
        self._parts[name] = said
        return said


@dataclass(frozen=True, slots=True)
class Unseen:
    """What somebody may not see of a hearing: stretches [from, to) of room time, in order, none touching the next."""

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, parts: Iterable[SealedPart], levels: Collection[str]) -> Unseen:
        """For who may see the parts of these `levels` and no others."""
        joined: list[tuple[int, int]] = []
        for start, end in sorted((p.from_ns, p.end_ns) for p in parts if p.level not in levels):
            if end <= start:
                continue
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
"""The stretch of what nobody can say a time of: it touches every part."""


class UnseenSpan(TypedDict):
    """A stretch that may not be seen, as a screen gets it; `to_ns` null: without end."""

    from_ns: int
    to_ns: int | None


def spans_shown(unseen: Unseen) -> list[UnseenSpan]:
    """For a screen, in room time."""
    return [{"from_ns": start, "to_ns": None if end == ENDLESS else end} for start, end in unseen.spans]
