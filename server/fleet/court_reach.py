"""Whose rooms an administrator manages: those of the court of their post, and of all below it."""

from __future__ import annotations

from typing import Protocol

from sync.http.rights.people import Session


class CourtReach(Protocol):
    """What is asked of the courts."""

    def of(self, session: Session) -> frozenset[str] | None:
        """The courts that somebody reaches; None: every one."""

    def has(self, court: str) -> bool:
        """Whether a room may be added at this court."""

    def name_of(self, court: str) -> str:
        """What a court is called; empty where that is not known."""


class EveryCourt:
    """Where no courts are known: whoever manages reaches all of them, and a room names its court itself."""

    def of(self, session: Session) -> frozenset[str] | None:
        """Every court."""
        return None

    def has(self, court: str) -> bool:
        """Every court."""
        return True

    def name_of(self, court: str) -> str:
        """Nothing is known."""
        return ""
