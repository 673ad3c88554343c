"""Who signed the words of a hearing, for the screens: that and when somebody signed, refused or objected.

The strokes of a signature are personal data: they are part of the record, of an export and of the archivist's page, and
of nothing that an inspector or a party gets. Refuses to pass on strokes unless it is told to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from typing_extensions import TypedDict

from sync.record.bodies.signing import DocumentBody, ObjectionBody, SignatureBody, TranscriptBody
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.milliseconds import to_ms
from sync.record.sealed_parts import PLACEHOLDER, Unseen
from sync.record.signing import LISTS
from sync.record.withheld import hides_line


class SaidVersion(TranscriptBody):
    """What was laid before people, and when."""

    at_utc_ns: int


class SaidSignature(SignatureBody):
    """What somebody did; `strokes` and `size` are for the archivist alone."""

    at_utc_ns: int


class SaidObjection(ObjectionBody):
    """An objection, and when."""

    at_utc_ns: int


class SaidDocument(DocumentBody):
    """A document of signed words, and when it was made."""

    at_utc_ns: int


class SignedWords(TypedDict):
    """Who signed the words of a hearing, each as its event says it."""

    transcripts: list[SaidVersion]
    signatures: list[SaidSignature]
    objections: list[SaidObjection]
    documents: list[SaidDocument]


PERSONAL = frozenset({"strokes", "size"})


def shown(event: Event) -> Event:
    """The event as everybody may see it who may see its hearing."""
    if event.kind == "signature":
        return replace(event, body=_impersonal(event.body))
    if event.kind == "sealed_part":  # why is for who may see it
        return replace(event, body={**event.body, "reason": ""})
    return event


def signing_seen(events: Iterable[Event], whole: Hearing, unseen: Unseen) -> list[Event]:
    """What of it may be told to who may not see `unseen`: an objection to a line that may not be read, or to none that
    is named, says only that there was one."""
    if not unseen:
        return list(events)
    read = {line.id for line in whole.utterances if not hides_line(line, unseen)}

    def told(event: Event) -> Event:
        if event.kind != "objection" or event.body.get("line") in read:
            return event
        return replace(event, body={**event.body, "text": PLACEHOLDER, "wants": None, "reason": None})

    return [told(event) for event in events]


def signing_of(events: Iterable[Event], *, strokes: bool) -> SignedWords:
    """What was laid before people to sign, and what they did; each with `at_utc_ms`, in the order of the events."""
    said: dict[str, list[Any]] = {name: [] for name in LISTS.values()}
    for event in events:
        name = LISTS.get(event.kind)
        if name is not None:
            body = event.body if strokes else _impersonal(event.body)
            said[name].append(to_ms({**body, "at_utc_ns": event.utc_ns}))
    return cast(SignedWords, said)


def _impersonal(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in PERSONAL}
