"""Step 10: transcript and certificate are what the leaves say; exhibits are the files that were shown.

JSON is compared by what it says, fact by fact: none may differ, lack or be added, however it is spaced or sorted. Text
and subtitles are compared by their bytes. Both are fixed by the form of the export, and step 1 stops at any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sync.errors import LedgerError
from wutong.export import forms
from wutong.export.certificate import certificate_of
from wutong.export.transcript import transcript_files
from wutong.verify.case import FOLD_ERRORS, Case
from wutong.verify.scan import scan
from wutong.verify.verdict import Reason, false

_POLICY = frozenset({"explanation_needed"})
"""Said by exports of early programs and no fact: what needs an explanation is not for the ledger to say."""


def run(case: Case) -> Iterator[Reason]:
    """Reasons `transcript`, `transcript-missing`, `certificate-json`, `exhibit-…`."""
    if case.hearing is None:
        return
    yield from _transcript(case)
    yield from _certificate(case)
    yield from _exhibits(case)


def _transcript(case: Case) -> Iterator[Reason]:
    try:
        expected = transcript_files(case.known)
    except FOLD_ERRORS as error:
        yield false("leaf-body", repr(error)[:200])
        return
    for name, data in expected.items():
        found = case.read(name)
        if found is None:
            yield false("transcript-missing", name)
        elif not (_says(found, json.loads(data)) if name.endswith(".json") else found == data):
            yield false("transcript", name)


def _certificate(case: Case) -> Iterator[Reason]:
    found = case.read(forms.CERTIFICATE)
    span = None if case.index is None else case.index.excerpt
    try:
        value: dict[str, Any] = certificate_of(case.known, case.room, case.last, case.device, span)
    except FOLD_ERRORS as error:
        yield false("leaf-body", repr(error)[:200])
        return
    if found is None or not _says(found, value, besides=_POLICY):
        yield false("certificate-json")


def _says(found: bytes, facts: dict[str, Any], *, besides: frozenset[str] = frozenset()) -> bool:
    """Whether JSON says exactly these facts; names in `besides` may stand at its top with yes or no."""
    try:
        value = forms.read_json(found)
    except LedgerError:
        return False
    if isinstance(value, dict):
        value = {k: v for k, v in value.items() if not (k in besides and isinstance(v, bool))}
    return _same(value, facts)


def _same(one: Any, other: Any) -> bool:
    """Equal, where a yes is no number; 1 and 1.0 are one number, as in a leaf."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _exhibits(case: Case) -> Iterator[Reason]:
    assert case.hearing is not None
    exhibits = {f"exhibits/{e.sha256}": e for e in case.hearing.exhibits if forms.is_path(f"exhibits/{e.sha256}")}
    facts = scan({name: case.path(name) for name in exhibits}, walk=False, sm3=True, workers=case.workers)
    for name, exhibit in exhibits.items():
        fact = facts[name]
        if fact.error:
            yield false("exhibit-missing", f"{exhibit.number} {exhibit.title}")
        elif fact.sha256 != exhibit.sha256 or (exhibit.sm3 and fact.sm3 != exhibit.sm3):
            yield false("exhibit-differs", f"{exhibit.number} {exhibit.title}")
    known = {e.id for e in case.hearing.exhibits}
    for shown in case.hearing.presentations:
        if shown.exhibit not in known and not case.is_excerpt:
            yield false("exhibit-unknown", shown.exhibit)
    listed = () if case.index is None else case.index.files
    for entry in listed:
        if entry.path.startswith("exhibits/") and entry.path not in exhibits:
            yield false("exhibit-extra", entry.path)
