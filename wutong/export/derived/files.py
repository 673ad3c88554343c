"""What of an export is made from its leaves alone, in each form: the exporter writes it, the verifier compares with it.

A form that has been given out keeps its renderers for ever (`wutong.export.forms`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.ledger.checkpoint import Checkpoint
from sync.record.event import Event
from wutong.export import forms
from wutong.export.derived import signing, transcript, transcript1
from wutong.export.derived.certificate import certificate_json, certificate_of


def derived_files(
    events: Sequence[Event],
    room: str,
    checkpoint: Checkpoint | None,
    device: bytes | None,
    span: tuple[int, int] | None = None,
    form: str = forms.FORM,
) -> dict[str, bytes]:
    """path -> bytes; `KeyError`, `TypeError` or `ValueError` when leaves are not of their form."""
    certificate = certificate_of(events, room, checkpoint, device, span, form)
    files = {forms.CERTIFICATE: certificate_json(certificate)}
    if form == forms.FIRST:
        return {**transcript1.transcript_files(events), **files}
    facts = signing.signing_facts(events, excerpt=span is not None)
    words = transcript.transcript_files(events, in_one_line=form != forms.SECOND)
    return {**words, **files, forms.SIGNING: signing.signing_json(facts)}
