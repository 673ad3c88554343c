"""The statutes that courts cite, and how many articles each has.

Promises: the file `statutes.txt` alone says what is known; a statute that is not in it is unknown, not wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from sync.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Statute:
    """A law or judicial interpretation in force."""

    title: str
    articles: int
    """The number of its last article."""
    short: tuple[str, ...] = ()
    """What it is called in speech."""


@cache
def statutes() -> tuple[Statute, ...]:
    """Return all statutes that are known."""
    file = resources.files(__package__) / "statutes.txt"
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            title, articles, *short = line.split("\t")
            found.append(Statute(title, int(articles), tuple(" ".join(short).split())))
        except ValueError:
            raise ConfigError(f"line {number} of statutes.txt is not: title, tab, number of articles") from None
    return tuple(found)


def statute(name: str) -> Statute | None:
    """Find the statute with this title or short name, with or without 《》."""
    plain = name.strip("《》〈〉 ")
    return next((s for s in statutes() if plain == s.title or plain in s.short), None)
