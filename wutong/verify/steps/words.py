"""Step 10: transcript and certificate are what the leaves say, to the byte; exhibits are the files that were shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wutong.export import forms
from wutong.export.certificate import certificate_json, certificate_of
from wutong.export.transcript import transcript_files
from wutong.verify.case import FOLD_ERRORS, Case
from wutong.verify.scan import scan
from wutong.verify.verdict import Reason, false


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
        elif found != data:
            yield false("transcript", name)


def _certificate(case: Case) -> Iterator[Reason]:
    found = case.read(forms.CERTIFICATE)
    span = None if case.index is None else case.index.excerpt
    try:
        value: dict[str, Any] = certificate_of(case.known, case.room, case.last, case.device, span)
    except FOLD_ERRORS as error:
        yield false("leaf-body", repr(error)[:200])
        return
    if found != certificate_json(value):
        yield false("certificate-json")


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
