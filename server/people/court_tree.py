"""The tree of courts: which court lies below which, and what a post at one of them reaches.

A tree has no circles and at most `DEEPEST` courts above one another. Who asks of a court that is not there is told
that it reaches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

DEEPEST: Final = 6
"""Courts on the way from the top to the lowest, both counted."""
Level = Literal["supreme", "province", "city", "district", ""]
LEVELS: Final[tuple[Level, ...]] = ("supreme", "province", "city", "district", "")
"""最高、高级、中级、基层; empty where it is none of these."""


@dataclass(frozen=True, slots=True)
class Court:
    """A court by its slug, which is the first part of its rooms' addresses; `parent` is the slug of the one above."""

    slug: str
    name: str
    level: str
    parent: str | None


class CourtTree:
    """Some courts at one moment; it never changes."""

    def __init__(self, courts: Iterable[Court]) -> None:
        self.courts: Mapping[str, Court] = {court.slug: court for court in courts}
        self._below: dict[str | None, list[Court]] = {}
        for court in sorted(self.courts.values(), key=lambda court: (court.name, court.slug)):
            above = court.parent if court.parent in self.courts else None
            self._below.setdefault(above, []).append(court)
        self._reach: dict[str, frozenset[str]] = {}

    @property
    def tops(self) -> list[Court]:
        """Courts above which there is none."""
        return list(self._below.get(None, []))

    def reach(self, slug: str) -> frozenset[str]:
        """A court and all below it."""
        if slug not in self.courts:
            return frozenset()
        known = self._reach.get(slug)
        if known is None:
            known = self._reach[slug] = frozenset(court.slug for court, _ in self.walk(slug))
        return known

    def walk(self, slug: str | None = None) -> Iterator[tuple[Court, int]]:
        """(court, how deep) from a court, or from the top, down: each behind the one above it."""
        start = [self.courts[slug]] if slug is not None else self.tops
        waiting = [(court, 1) for court in reversed(start)]
        seen: set[str] = set()
        while waiting:
            court, depth = waiting.pop()
            if court.slug in seen:
                continue
            seen.add(court.slug)
            yield court, depth
            waiting += [(one, depth + 1) for one in reversed(self._below.get(court.slug, []))]

    def above(self, slug: str | None) -> list[str]:
        """A court and those above it, up to the top."""
        way: list[str] = []
        while slug is not None and slug in self.courts and slug not in way:
            way.append(slug)
            slug = self.courts[slug].parent
        return way

    def height(self, slug: str) -> int:
        """How many courts lie on the way from this one down to the lowest, both counted."""
        return max((depth for _, depth in self.walk(slug)), default=0) if slug in self.courts else 1

    def refuses(self, slug: str, parent: str | None) -> str:
        """Why a court cannot lie below `parent`, in words; nothing when it can."""
        if parent is None:
            return ""
        if parent not in self.courts:
            return "上级法院不存在 (there is no such court above it)"
        if parent in self.reach(slug) or parent == slug:
            return "上级法院不能是它自己或它的下级 (a court cannot lie below itself)"
        if len(self.above(parent)) + self.height(slug) > DEEPEST:
            return f"法院层级最多 {DEEPEST} 级 (courts lie at most {DEEPEST} deep)"
        return ""
