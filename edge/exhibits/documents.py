"""A PDF as its pages: opened and drawn by PDFium, which is also what says how many pages there are.

So nothing is refused that it can draw: files that only forbid printing (an owner's password), that have something
before their first line, or whose tables are broken and can be mended. Seals, stamps and filled fields are widgets of a
form and are drawn like everything else.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from PIL import Image

from edge.exhibits.formats import PDF_FORMAT
from edge.exhibits.refusal import damaged, locked
from edge.exhibits.sizes import drawn_size, shows_more

_ERR_PASSWORD = 4


class PdfPages:
    """`ExhibitRefusedError` when it cannot be opened or has no pages."""

    def __init__(self, path: Path) -> None:
        import pypdfium2

        try:
            self._pdf = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise (locked if error.err_code == _ERR_PASSWORD else damaged)(PDF_FORMAT) from error
        _with_widgets(self._pdf)
        self.count = len(self._pdf)
        self.converted = ""
        if self.count < 1:
            raise damaged(PDF_FORMAT)

    def draw(self, page: int, scale: int) -> tuple[Image.Image, bool]:
        """The page (from 1) on white paper, and whether a greater scale would show more."""
        import pypdfium2

        try:
            sheet = self._pdf[page - 1]
            try:
                wide, high = sheet.get_size()
                width, height = drawn_size(wide, high, scale, natural=False)
                factor = min(width / wide, height / high)
                image = sheet.render(scale=factor, fill_color=(255, 255, 255, 255), rev_byteorder=True).to_pil()
            finally:
                sheet.close()
        except (pypdfium2.PdfiumError, ValueError, ZeroDivisionError) as error:
            raise damaged(PDF_FORMAT) from error
        return image.convert("RGB"), shows_more(wide, high, scale, natural=False)


def _with_widgets(pdf: Any) -> None:
    """Have widgets drawn; they are not without this, nor if a page was touched before."""
    import pypdfium2
    from pypdfium2 import raw

    # Without this a file is shown as it was before somebody filled it in, which is better than not at all.
    with contextlib.suppress(pypdfium2.PdfiumError):
        pdf.init_forms()
    if pdf.formenv is None:
        # Widgets of a file whose catalog names no form: viewers show them, pypdfium2 asks the catalog.
        config = raw.FPDF_FORMFILLINFO(version=2)
        handle = raw.FPDFDOC_InitFormFillEnvironment(pdf, config)
        if handle:
            from pypdfium2._helpers.document import PdfFormEnv

            pdf.formenv = PdfFormEnv(handle, config)
