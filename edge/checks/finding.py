"""What the checks read and what they say.

A check is `find(lines, facts) -> findings`: pure, so that the same words always give the same findings. A finding's id
is made of its kind, its line and the words that it is about: one that the clerk let stand stays so until they change.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edge.state.shown import FindingKind, ShownFinding
from sync.text.names import split_names

NAME: Final = "name"
AMOUNT: Final = "amount"
DATE: Final = "date"
STATUTE: Final = "statute"
PAIR: Final = "pair"
DOUBLED: Final = "doubled"
BLANK: Final = "blank"
NOTICE: Final = "notice"
PROPOSAL: Final = "proposal"


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line as the checks read it."""

    id: str
    role: str
    text: str
    seat: str = ""
    start_ns: int = 0
    end_ns: int = 0
    proposals: tuple[tuple[int, int, str, str, str], ...] = ()
    """(at, length, from, to, why) of what the corrector would change."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the case beside what is said in it."""

    names: tuple[tuple[str, str], ...] = ()
    """(role, name) of the parties and of the court, one person or organization each."""
    known: frozenset[str] = frozenset()
    """Other words of this case (its vocabulary, exhibits): not to be taken for a wrong name."""
    roles: frozenset[str] = frozenset()
    """Of the seats and of the docket."""
    bench: frozenset[str] = frozenset()
    """Roles of the court in this kind of case."""
    notices: tuple[tuple[str, ...], ...] = ()
    """What this kind of case wants said: of each, one of these wordings."""
    today: dt.date | None = None
    """Of the opening, in the room's zone."""


@dataclass(frozen=True, slots=True)
class TextPlace:
    """Characters of a line."""

    line: str
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. `to` is what accepting it writes instead; None where only a person can say."""

    kind: FindingKind
    line: str
    at: int
    length: int
    words: str
    why: str
    to: str | None = None
    also: TextPlace | None = None
    """The other place of a contradiction."""
    other: str = ""
    """The words there."""

    def to_json(self, name: str, ignored: bool) -> ShownFinding:
        """As the screens get it (docs/protocol.md)."""
        also = self.also
        return {
            "id": name,
            "kind": self.kind,
            "line": self.line,
            "at": self.at,
            "length": self.length,
            "from": self.words,
            "to": self.to,
            "why": self.why,
            "also": None if also is None else {"line": also.line, "at": also.at, "length": also.length},
            "ignored": ignored,
        }


_ASIDE: Final = re.compile(r"[（(][^）)]*[）)]")

Check = Callable[[Sequence[CheckedLine], Facts], Iterable[Finding]]


def named(findings: Iterable[Finding]) -> list[tuple[str, Finding]]:
    """Findings with their ids; the same words twice in a line are two findings."""
    seen: dict[str, int] = {}
    out = []
    for finding in findings:
        said = "\n".join((finding.kind, finding.line, finding.words, finding.to or "", finding.other))
        nth = seen[said] = seen.get(said, -1) + 1
        out.append((hashlib.sha256(f"{said}\n{nth}".encode()).hexdigest()[:16], finding))
    return out


def facts_of(
    case: Mapping[str, Any], seats: Sequence[Mapping[str, Any]], exhibits: Sequence[str], today: dt.date | None
) -> Facts:
    """The facts of a hearing as its `open` event and its exhibits have them."""
    parties = dict(case.get("parties", {}))
    names = [(str(role), one) for role, said in parties.items() for one in split_names(_ASIDE.sub("", str(said)))]
    vocabulary: Mapping[str, Any] = case.get("vocabulary") or {}
    names += [("", str(name)) for name in vocabulary.get("person", []) if str(name) not in {n for _, n in names}]
    known = {str(term) for terms in vocabulary.values() for term in terms} | {*exhibits, str(case.get("cause", ""))}
    roles = {str(role) for seat in seats for role in seat.get("roles") or [seat.get("role", "")]} | parties.keys()
    return Facts(
        tuple(dict.fromkeys(names)),
        frozenset(known - {""}),
        frozenset(roles - {""}),
        frozenset(case.get("bench") or ()),
        tuple(tuple(wordings) for wordings in case.get("notices") or () if wordings),
        today,
    )
