"""Signing the transcript: the fold of what was laid before people, who signed or refused, objections and documents.

Promises: a signature is of words, by their hash (`words_sha256`), and counts for exactly these words: after a revision
it stays in the record and counts no more, until the words are the same again. Nothing is taken back; who signs after a
refusal has signed. A verifier makes every hash again from the leaves (`false_versions`). The form of the events is in
docs/protocol.md, "The transcript".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import rfc8785

from sync.record.bodies.signing import DocumentBody, ObjectingPerson, TranscriptBody
from sync.record.event import Event
from sync.record.transcript import Transcript, Utterance

SIGN = "sign"
REFUSE = "refuse"
EXPECT = "expect"
"""This person is to sign, although neither the case nor the seats say so: a witness, say."""
ABSENT = "absent"
"""This person was not there, so is not asked."""
LISTS = {"transcript": "transcripts", "signature": "signatures", "objection": "objections", "document": "documents"}
"""The kinds of events that say it -> what a list of them is called, in an export and on a screen."""
KINDS = frozenset(LISTS)


@dataclass(frozen=True, slots=True)
class Version:
    """The words as they were laid before those who sign."""

    id: str
    version: int
    sha256: str
    lines: int
    through: int
    """The number of the last event before it: the words are the fold of the events up to that one."""
    at_utc_ns: int


@dataclass(frozen=True, slots=True)
class Signature:
    """What one person did; `strokes` are `[[x, y, ms, pressure]…]` each, x and y 0…1 of the `size` [w, h] signed on."""

    id: str
    transcript: str
    role: str
    name: str
    act: str
    reason: str
    size: list[float]
    strokes: list[list[list[float]]]
    at_utc_ns: int


@dataclass(frozen=True, slots=True)
class Objection:
    """Somebody said that a line is not what was said; the clerk played it and corrected, or refused to."""

    id: str
    line: str
    text: str
    by: ObjectingPerson
    wants: str
    outcome: str
    reason: str
    revision: str
    replayed_from_ns: int | None
    replayed_to_ns: int | None
    at_utc_ns: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was made of signed words; `file` is relative to the hearing's folder."""

    id: str
    transcript: str
    kind: str
    file: str
    bytes: int
    sha256: str
    sm3: str
    at_utc_ns: int


_Fact = TypeVar("_Fact", Version, Signature, Objection, Document)


@dataclass(slots=True)
class Signing:
    """All of it, in the order in which it happened."""

    versions: list[Version] = field(default_factory=list)
    signatures: list[Signature] = field(default_factory=list)
    objections: list[Objection] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)

    @property
    def version(self) -> Version | None:
        """The newest."""
        return self.versions[-1] if self.versions else None

    @property
    def signed(self) -> bool:
        """Whether somebody has signed the newest version."""
        version = self.version
        return version is not None and any(s.act == SIGN and s.transcript == version.sha256 for s in self.signatures)

    def apply(self, event: Event) -> None:
        """Take an event of one of `KINDS`; the same id of a kind twice is one."""
        body: Any = event.body
        at_utc_ns = event.utc_ns
        if event.kind == "transcript":
            _add(self.versions, _version(body, at_utc_ns))
        elif event.kind == "signature":
            _add(self.signatures, _signature(body, at_utc_ns))
        elif event.kind == "objection":
            _add(self.objections, _objection(body, at_utc_ns))
        elif event.kind == "document":
            _add(self.documents, _document(body, at_utc_ns))

    def documents_of(self, sha256: str) -> dict[str, Document]:
        """The newest document of each kind that was made of these words."""
        return {d.kind: d for d in self.documents if d.transcript == sha256}


def words_of(lines: Iterable[Utterance]) -> list[dict[str, Any]]:
    """What a signature covers: the lines that are there to read, struck ones as such. Room times are decimal text."""
    return [
        {
            "id": line.id,
            "seat": line.seat,
            "role": line.role,
            "start_ns": str(line.start_ns),
            "end_ns": str(line.end_ns),
            "text": line.text,
            "source": line.source,
            "struck": line.struck,
            "doubtful": line.doubtful,
        }
        for line in lines
        if not line.gone
    ]


def words_sha256(hearing: str, words: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 (hex) of the canonical JSON (RFC 8785) of `words_of` with the hearing's id: no words of another one."""
    return hashlib.sha256(rfc8785.dumps({"hearing": hearing, "lines": [dict(w) for w in words]})).hexdigest()


def false_versions(hearing: str, events: Sequence[Event]) -> list[int]:
    """The numbers of the events `transcript` that do not say the hash and the count of the words `through` theirs.

    `events` are all of the hearing by their number. `KeyError`, `TypeError` or `ValueError`: not of their form.
    """
    versions = sorted((e for e in events if e.kind == "transcript"), key=lambda e: int(e.body["through"]))
    words = iter([e for e in events if e.kind in ("utterance", "revision")])
    transcript, false, ahead = Transcript(), [], next(words, None)
    for version in versions:
        body = version.body
        while ahead is not None and ahead.number <= int(body["through"]):
            if ahead.kind == "utterance":
                transcript.utterance(ahead)
            else:
                transcript.revise(ahead)
            ahead = next(words, None)
        said = words_of(transcript.lines)
        right = (body["sha256"], body["lines"]) == (words_sha256(hearing, said), len(said))
        if not right or int(body["through"]) >= version.number:
            false.append(version.number)
    return sorted(false)


def _add(known: list[_Fact], new: _Fact) -> None:
    if all(one.id != new.id for one in known):
        known.append(new)


def _version(body: TranscriptBody, at_utc_ns: int) -> Version:
    whole = {key: int(body[key]) for key in ("version", "lines", "through")}
    return Version(id=str(body["id"]), sha256=str(body["sha256"]), at_utc_ns=at_utc_ns, **whole)


def _signature(body: Mapping[str, Any], at_utc_ns: int) -> Signature:
    said = {key: str(body.get(key, "")) for key in ("id", "transcript", "role", "name", "act", "reason")}
    strokes = [[[float(v) for v in point] for point in stroke] for stroke in body.get("strokes") or []]
    return Signature(**said, size=[float(v) for v in body.get("size") or []], strokes=strokes, at_utc_ns=at_utc_ns)


def _objection(body: Mapping[str, Any], at_utc_ns: int) -> Objection:
    said = {key: str(body.get(key, "")) for key in ("id", "line", "text", "wants", "outcome", "reason", "revision")}
    by = body.get("by") or {}
    played = [body.get("replayed_from_ns"), body.get("replayed_to_ns")]
    from_ns, to_ns = (None if at is None else int(at) for at in played)
    return Objection(
        **said,
        by={"role": str(by.get("role", "")), "name": str(by.get("name", ""))},
        replayed_from_ns=from_ns,
        replayed_to_ns=to_ns,
        at_utc_ns=at_utc_ns,
    )


def _document(body: DocumentBody, at_utc_ns: int) -> Document:
    said = {key: str(body.get(key, "")) for key in ("id", "transcript", "kind", "file", "sha256", "sm3")}
    return Document(**said, bytes=int(body["bytes"]), at_utc_ns=at_utc_ns)
