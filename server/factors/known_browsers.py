"""By what a browser is known in which somebody has signed in before: a cookie that names up to five persons.

Guesses from such a browser are counted by the browser, so nobody who guesses elsewhere keeps its person out. It opens
nothing by itself. Each entry is the person's id and a random name, marked by the center.
"""

from __future__ import annotations

import re
import secrets

from server.factors.center_seal import CenterSeal

MOST_PERSONS = 5
"""Of one browser: those who signed in last."""
MOST_CHARS = 1000
_ENTRY = re.compile(r"(?P<told>(?P<person>[0-9a-f]{16})\.[0-9a-f]{16})\.(?P<mark>[0-9a-f]{64})")
_BETWEEN = "~"


class KnownBrowsers:
    """Reads and writes the cookie."""

    def __init__(self, seal: CenterSeal) -> None:
        self._seal = seal

    def key_for(self, cookie: str, person: str) -> str:
        """What this browser's guesses at a person are counted by; empty when that person was never signed in here."""
        return next((f"browser {told}" for told, whose in self._entries(cookie) if whose == person), "")

    def with_person(self, cookie: str, person: str) -> str:
        """The cookie's value once this person has signed in."""
        others = [told for told, whose in self._entries(cookie) if whose != person]
        mine = next((told for told, whose in self._entries(cookie) if whose == person), "")
        kept = [mine or f"{person}.{secrets.token_hex(8)}", *others][:MOST_PERSONS]
        return _BETWEEN.join(f"{told}.{self._seal.mark(told)}" for told in kept)

    def _entries(self, cookie: str) -> list[tuple[str, str]]:
        if len(cookie) > MOST_CHARS:
            return []
        found = (_ENTRY.fullmatch(entry) for entry in cookie.split(_BETWEEN)[:MOST_PERSONS])
        return [(m["told"], m["person"]) for m in found if m is not None and self._seal.is_marked(m["told"], m["mark"])]
