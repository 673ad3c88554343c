"""Part of step 10: the PDF of the signed words carries the signature of this room's device, by the center's key.

That the file is the one of its leaf is said elsewhere; this says whose key closed it. A room that was not enrolled when
it made the file could not sign it: that is a remark, and the leaf's hash still holds. Without the center's key nothing
is said here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator

from sync.errors import LedgerError
from wutong.export import forms
from wutong.verify.case import ExportCase
from wutong.verify.verdict import Reason, false, remark


def run(case: ExportCase) -> Iterator[Reason]:
    """Reason `document-signature`; remark `document-unsigned`."""
    if case.hearing is None or case.center is None:
        return
    for document in case.hearing.signing.documents:
        path = forms.document_path(document.sha256, document.kind)
        data = case.read(path) if document.kind == "pdf" and forms.is_path(path, case.form) else None
        if data is None or hashlib.sha256(data).hexdigest() != document.sha256:
            continue  # said where files are compared with their leaves
        # What judges a PDF takes long to load, and most folders hold none.
        from wutong.verify.device_pdf import check_pdf

        at = dt.datetime.fromtimestamp(document.at_utc_ns // 1_000_000_000, dt.UTC)
        try:
            room = check_pdf(data, case.center, at=at)
        except LedgerError as error:
            yield (
                remark("document-unsigned", document.file)
                if error.code == "unsigned"
                else false("document-signature", document.file, error.message)
            )
            continue
        if room != case.room:
            yield false("document-signature", document.file, room)
