"""Files of terms: the court's terms that come with the product, and those that a court writes itself.

Promises: a file is UTF-8, several terms a line parted by blanks, `#` begins a remark and `[…]` a section whose name is
told as the reason of a correction; anything else is refused with `ConfigError` that names the line. Terms keep the
order of the file, none comes twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from sync.errors import ConfigError
from sync.runtime.files.handwritten import read_text

LONGEST = 40
"""Characters in a term; what is longer is a text, not a term."""
MOST = 20_000
"""Terms in a file."""
_COURT = "庭审用语"


@dataclass(frozen=True, slots=True)
class Term:
    """A term as it is written."""

    text: str
    kind: str = _COURT
    """What it is, as the reason of a correction says it: the section of its file, or 姓名, 地名, 证据 … of the case."""
    of_case: bool = False
    """It was told by the docket: it will be said, and said again."""


def ideographs(text: str) -> str:
    """Return the Chinese characters of `text` alone."""
    return "".join(c for c in text if is_ideograph(c))


def is_ideograph(character: str) -> bool:
    """Whether a character is one that has a Mandarin reading."""
    return "\u4e00" <= character <= "\u9fff" or "\u3400" <= character <= "\u4dbf" or character == "〇"


def parse(text: str, name: str) -> list[Term]:
    """Read the terms in the text of a file, which errors call `name`."""
    kind, terms, seen = _COURT, list[Term](), set[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.split("#", 1)[0].strip().lstrip("\ufeff")
        if line.startswith("["):
            if not line.endswith("]") or not line[1:-1].strip():
                raise ConfigError(f"line {number} of {name} begins a section and does not end it; write [名称]")
            kind = line[1:-1].strip()
            continue
        for word in line.split():
            if len(word) > LONGEST:
                raise ConfigError(
                    f"line {number} of {name} has a term of {len(word)} characters; at most {LONGEST},"
                    " part terms by blanks"
                )
            if word not in seen and len(ideographs(word)) >= 2:
                seen.add(word)
                terms.append(Term(word, kind))
    if len(terms) > MOST:
        raise ConfigError(f"{name} has {len(terms)} terms; at most {MOST} are used")
    return terms


def read(path: Path) -> list[Term]:
    """Read the terms of a court's own file. Raises `ConfigError` when it cannot be read."""
    return parse(read_text(path, "the file of terms"), str(path))


@cache
def court_terms() -> tuple[Term, ...]:
    """Return the terms that come with the product."""
    file = resources.files(__package__) / "court_terms.txt"
    return tuple(parse(file.read_text(encoding="utf-8"), "court_terms.txt"))


def merged(*lists: Iterable[Term]) -> list[Term]:
    """Join lists so that each term comes once; where several lists have it, the first decides what it is."""
    found: dict[str, Term] = {}
    for terms in lists:
        for term in terms:
            found.setdefault(term.text, term)
    return list(found.values())
