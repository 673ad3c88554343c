"""Who has to sign a transcript, and how far they are: from the parties of the case, its kind, the seats and who spoke.

Parties are those of the docket with their names; of the seats, the bench and the clerk always, and every other role
that spoke. The bench and the clerk have to sign; anybody else signs, refuses with a reason, or was not there. A person
may be added (`expect`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from sync.record.signing import ABSENT, EXPECT, REFUSE, SIGN, Signature
from sync.text.characters import clean_line
from sync.text.equal import fold
from sync.text.names import clean_name, same_name, split_names

if TYPE_CHECKING:
    from sync.record.hearing import Hearing

BENCH = ("审判长", "独任审判员", "审判员", "代理审判员", "人民陪审员", "法官助理", "书记员")
"""In the order in which they sign, after everybody else."""
_OTHERS = (
    "公诉人",
    "原告",
    "上诉人",
    "申请人",
    "被告",
    "被上诉人",
    "被告人",
    "第三人",
    "辩护人",
    "证人",
    "鉴定人",
    "翻译人",
)
SignerState = Literal["waiting", "signed", "refused", "absent"]
_STATE: Mapping[str, SignerState] = {SIGN: "signed", REFUSE: "refused", ABSENT: "absent"}


class ShownSigner(TypedDict):
    """Somebody who signs, and what they did about the words that were laid before them, without the strokes."""

    role: str
    name: str
    bench: bool
    """A judge or the clerk: has to sign."""
    state: SignerState
    reason: str
    at_utc_ms: float | None
    signature: str | None


@dataclass(slots=True)
class Signer:
    """Somebody who signs."""

    role: str
    name: str
    bench: bool
    state: SignerState = "waiting"
    reason: str = ""
    at_utc_ns: int | None = None
    signature: Signature | None = None
    """The one that counts for the words in question."""

    def to_json(self) -> ShownSigner:
        """For the screens."""
        return {
            "role": self.role,
            "name": self.name,
            "bench": self.bench,
            "state": self.state,
            "reason": self.reason,
            "at_utc_ms": None if self.at_utc_ns is None else self.at_utc_ns / 1_000_000,
            "signature": None if self.signature is None else self.signature.id,
        }


def people_of(hearing: Hearing, sha256: str | None) -> list[Signer]:
    """Everybody, in the order of signing, with what they did about the words of that hash."""
    bench = bench_of(hearing.case)
    people = [Signer(role, name, role in bench) for role, name in _asked(hearing)]
    for said in hearing.signing.signatures:
        person = _find(people, said.role, said.name)
        if person is None:
            role = clean_line(said.role)
            person = Signer(role, clean_name(said.name), role in bench)
            people.append(person)
        elif not person.name:
            person.name = clean_name(said.name)
        if said.act == EXPECT:
            if person.state == "absent":
                _set(person, "waiting", None)
        elif said.act == ABSENT or said.transcript == sha256:
            _set(person, _STATE[said.act], said)
    order = _said(hearing.case, "roles")
    return sorted(people, key=lambda person: _place(person, bench, order))


def is_complete(people: Iterable[Signer]) -> bool:
    """Whether nobody is waited for any more, and the bench and the clerk that were there have signed."""
    all_of_them = list(people)
    done = {"signed", "absent"}
    return any(p.state == "signed" for p in all_of_them) and all(
        p.state in done or (p.state == "refused" and not p.bench) for p in all_of_them
    )


def _asked(hearing: Hearing) -> list[tuple[str, str]]:
    parties = hearing.case.get("parties")
    named = [
        (clean_line(str(role)), name)
        for role, names in (parties.items() if isinstance(parties, dict) else ())
        for name in split_names(str(names))
    ]
    seated = [str(role) for seat in hearing.seats for role in [seat.get("role", ""), *(seat.get("roles") or [])]]
    roles = [role for role in map(clean_line, seated) if role in bench_of(hearing.case)]
    roles += [clean_line(line.role) for line in hearing.transcript if line.source == "speech" and not line.struck]
    taken = {role for role, _ in named}
    return [*named, *((role, "") for role in dict.fromkeys(roles) if role and role not in taken)]


def _find(people: list[Signer], role: str, name: str) -> Signer | None:
    same = [p for p in people if fold(p.role) == fold(role)]
    exact = next((p for p in same if same_name(p.name, name)), None)
    return exact or next((p for p in same if not p.name), None)


def _set(person: Signer, state: SignerState, said: Signature | None) -> None:
    person.state = state
    person.signature = said
    person.reason = "" if said is None else said.reason
    person.at_utc_ns = None if said is None else said.at_utc_ns


def bench_of(case: Mapping[str, Any]) -> tuple[str, ...]:
    """Whose roles in this case are the court's, in the order in which they sign; `BENCH` where its kind says none."""
    return tuple(_said(case, "bench")) or BENCH


def _said(case: Mapping[str, Any], key: str) -> list[str]:
    """Roles that the kind of a case said when it was opened; none in a hearing of before there were kinds."""
    said = case.get(key)
    return [clean_line(role) for role in said if isinstance(role, str)] if isinstance(said, list) else []


def _place(person: Signer, bench: Sequence[str], order: Sequence[str]) -> tuple[bool, int]:
    if person.bench:
        return True, bench.index(person.role)
    if order:
        return False, order.index(person.role) if person.role in order else len(order)
    return False, next((i for i, known in enumerate(_OTHERS) if person.role.startswith(known)), len(_OTHERS))
