"""The maker of documents with a defect in one of its libraries: the PDF raises, or ends the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import edge.documents.pdf
from edge.documents.form import CourtForm
from edge.documents.worker import main


def defect(form: CourtForm, progress: Callable[[float], None] = lambda part: None) -> bytes:
    if os.environ["WUTONG_BROKEN_MAKER"] == "exit":
        os._exit(7)
    raise IndexError("a defect of a library")


if __name__ == "__main__":
    edge.documents.pdf.pdf_of = defect
    sys.exit(main())
