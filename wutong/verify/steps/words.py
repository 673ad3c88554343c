"""Step 10: transcript, signatures and certificate are what the leaves say; exhibits and documents are the files of
their leaves; what was laid before people to sign were the words of that moment.

JSON is compared by what it says, fact by fact: none may differ, lack or be added, however it is spaced or sorted. Text
and subtitles are compared by their bytes. All is fixed by the form of the export, and step 1 stops at one unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sync.errors import LedgerError
from sync.record.event import Event
from sync.record.signing import KINDS as SIGNING
from sync.record.signing import Document
from sync.record.timeline import Exhibit
from wutong.export import forms
from wutong.export.derived.files import derived_files
from wutong.verify.case import FOLD_ERRORS, ExportCase
from wutong.verify.scan import scan
from wutong.verify.steps import papers, signed
from wutong.verify.verdict import Reason, false

_POLICY = frozenset({"explanation_needed"})
"""Said by exports of early programs and no fact: what needs an explanation is not for the ledger to say."""


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `transcript`, `transcript-missing`, `signing`, `certificate-json`, `exhibit-…`, `document-…`,
    `form-too-old`, and those of `signed` and `papers`."""
    if case.hearing is None:
        return
    yield from _derived(case)
    if case.form != forms.FIRST:
        yield from signed.run(case)
    elif any(_is_newer(event) for event in case.known):
        yield false("form-too-old", case.form)  # it would leave out who signed, and who did not
    yield from _exhibits(case)
    yield from _documents(case)
    yield from papers.run(case)


def _derived(case: ExportCase) -> Iterator[Reason]:
    span = None if case.index is None else case.index.excerpt
    try:
        expected = derived_files(case.known, case.room, case.last, case.device, span, case.form)
    except FOLD_ERRORS as error:
        yield false("leaf-body", repr(error)[:200])
        return
    for name, data in expected.items():
        found = case.read(name)
        besides = _POLICY if name == forms.CERTIFICATE else frozenset()
        if name.startswith("transcript.") and found is None:
            yield false("transcript-missing", name)
        elif found is None or not _is(found, data, name, besides):
            codes = {forms.CERTIFICATE: "certificate-json", forms.SIGNING: "signing"}
            yield false(codes[name]) if name in codes else false("transcript", name)


def _is_newer(event: Event) -> bool:
    """Whether the first form has no word for this."""
    return event.kind in SIGNING or (event.kind == "revision" and "changes" in event.body)


def _is(found: bytes, data: bytes, name: str, besides: frozenset[str]) -> bool:
    # What is compared with was made here a moment ago; only what was found comes from outside.
    return _says(found, json.loads(data), besides=besides) if name.endswith(".json") else found == data


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


def _exhibits(case: ExportCase) -> Iterator[Reason]:
    assert case.hearing is not None
    exhibits = {f"exhibits/{e.sha256}": e for e in case.hearing.exhibits if forms.is_path(f"exhibits/{e.sha256}")}
    names = {path: f"{e.number} {e.title}" for path, e in exhibits.items()}
    yield from _files(case, "exhibit", exhibits, names)
    known = {e.id for e in case.hearing.exhibits}
    for shown in case.hearing.presentations:
        if shown.exhibit not in known and not case.is_excerpt:
            yield false("exhibit-unknown", shown.exhibit)


def _documents(case: ExportCase) -> Iterator[Reason]:
    assert case.hearing is not None
    documents = {forms.document_path(d.sha256, d.kind): d for d in case.hearing.signing.documents}
    documents = {path: d for path, d in documents.items() if forms.is_path(path, case.form)}
    yield from _files(case, "document", documents, {path: d.file for path, d in documents.items()})


def _files(
    case: ExportCase, kind: str, wanted: Mapping[str, Exhibit | Document], names: Mapping[str, str]
) -> Iterator[Reason]:
    """Files that their leaves name by hash: each is here and is that, and none is beside them."""
    facts = scan({path: case.path(path) for path in wanted}, walk=False, sm3=True, workers=case.workers)
    for path, said in wanted.items():
        fact = facts[path]
        if fact.error:
            yield false(f"{kind}-missing", names[path])
        elif fact.sha256 != said.sha256 or (said.sm3 and fact.sm3 != said.sm3):
            yield false(f"{kind}-differs", names[path])
    for entry in () if case.index is None else case.index.files:
        if entry.path.startswith(f"{kind}s/") and entry.path not in wanted:
            yield false(f"{kind}-extra", entry.path)
