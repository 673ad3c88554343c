"""`signing.json`: who signed which words, refused or objected, strokes as recorded, and the documents made of them.

A pure function of the leaves, frozen with `forms.FORM`, so that a verifier makes the same and compares. Whether a
signature is of the last words is found by making their hash again (`sync.record.signing`), not by what anybody says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sync.record.event import Event
from sync.record.nanoseconds import ns_as_text
from sync.record.signing import KINDS, LISTS, Signing, words_of, words_sha256
from wutong.export.derived.transcript import transcript_of
from wutong.export.forms import document_path


def signing_of(events: Sequence[Event]) -> Signing:
    """The fold; `KeyError`, `TypeError` or `ValueError` for bodies of another form."""
    signing = Signing()
    for event in events:
        if event.kind in KINDS:
            signing.apply(event)
    return signing


def last_words(events: Sequence[Event]) -> str:
    """The hash of the words as all these leaves leave them."""
    hearing = str(events[0].hearing) if events else ""
    return words_sha256(hearing, words_of(transcript_of(events).lines))


def signing_facts(events: Sequence[Event], *, excerpt: bool = False) -> dict[str, Any]:
    """All facts; of an excerpt no hash, because not all words are in it."""
    words = None if excerpt else last_words(events)
    facts: dict[str, Any] = {
        "hearing": events[0].hearing if events else None,
        "words_sha256": words,
        **{name: [] for name in LISTS.values()},
    }
    for event in events:
        if event.kind not in LISTS:
            continue
        said = {**ns_as_text(event.body), "number": event.number, "utc_ns": str(event.utc_ns)}
        if event.kind in ("transcript", "signature") and words is not None:
            about = event.body.get("sha256" if event.kind == "transcript" else "transcript")
            said["of_last_words"] = about == words
        if event.kind == "document":
            said["path"] = document_path(str(event.body["sha256"]), str(event.body["kind"]))
        facts[LISTS[event.kind]].append(said)
    return facts


def signing_counts(events: Sequence[Event]) -> dict[str, int]:
    """For the certificate."""
    signing = signing_of(events)
    acts = [signature.act for signature in signing.signatures]
    return {
        "transcripts": len(signing.versions),
        "signatures": acts.count("sign"),
        "refusals": acts.count("refuse"),
        "objections": len(signing.objections),
        "objections_refused": sum(objection.outcome == "refused" for objection in signing.objections),
    }


def signing_json(facts: Mapping[str, Any]) -> bytes:
    """As it is written."""
    return json.dumps(facts, ensure_ascii=False, indent=1).encode() + b"\n"
