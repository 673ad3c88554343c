"""Step 12: who exported signed the index, and what was made for players is what they signed.

Who may sign is the room's device (by its certificate) or the center; a signature by anybody else says nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from sync.errors import LedgerError
from sync.ledger.keys import CENTER
from sync.ledger.note import Verifier, read_note, signed_by
from wutong.export import forms
from wutong.verify.case import ExportCase
from wutong.verify.scan import scan
from wutong.verify.steps.checkpoints import device_key
from wutong.verify.verdict import Reason, false, lacking


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `index-unsigned`, `index-signature`, `index-signer`, `index-hearing`, `file-differs`."""
    index = case.index
    if index is None:
        return
    if case.known and index.hearing != case.known[0].hearing:
        yield false("index-hearing")
    yield from _signature(case, index)
    entries = {f.path: f for f in index.files if f.path.startswith("play/")}
    paths = {name: case.path(name) for name in entries if os.path.lexists(case.path(name))}
    facts = scan(paths, walk=False, sm3=False, progress=case.progress, workers=case.workers)
    for name, fact in facts.items():
        if fact.error or fact.sha256 != entries[name].sha256:
            yield false("file-differs", name)


def _signature(case: ExportCase, index: forms.Index) -> Iterator[Reason]:
    data = case.read(forms.SIGNATURE, 64 * 1024)
    if data is None:
        yield lacking("index-unsigned")
        return
    digest = hashlib.sha256(case.read(forms.INDEX) or b"").hexdigest()
    try:
        note = read_note(data.decode())
        if note.text != forms.note_text(index.room, index.hearing, digest):
            raise LedgerError("it is over another index", code="signature")
        verifiers = [Verifier(case.room, key) for key in [device_key(case)] if key is not None]
        if case.center is not None:
            verifiers.append(Verifier(CENTER, case.center))
        signed = [signed_by(note, verifier) for verifier in verifiers]  # all of them: none may be false
        if all(at is None for at in signed):
            # A room that was never enrolled signs with a key that no certificate names.
            unknown = device_key(case) is None and any(name == case.room for name, _ in note.lines)
            yield lacking("index-unsigned") if unknown or not verifiers else false("index-signer")
    except (LedgerError, ValueError):
        yield false("index-signature")
