"""Looks at one untrusted file and draws its pages; run as a program of its own.

    python -m edge.exhibits.worker

Parties bring these files, and parsers of PDF and pictures have bugs: one that crashes, or eats memory or time, ends
this process and nothing else. Before it touches the file it takes its own rights away (`sync.runtime.confinement`): it
sees that file and its libraries alone, writes nothing, starts nothing, reaches nobody. Asked in lines of JSON on stdin,
it answers in lines on stdout:

    {"open": path}           -> {"media_type", "pages", "name", "converted"}
    {"page": 1, "scale": 2}  -> {"width", "height", "more", "jpeg": base64}
                             or {"code", "message"}: the file is refused
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from edge.exhibits.documents import PdfPages
from edge.exhibits.formats import DOCX_FORMAT, PDF, Format, format_of
from edge.exhibits.photos import PhotoPages
from edge.exhibits.refusal import NEEDS_OFFICE, ExhibitRefusedError, damaged, not_taken, too_many_pages
from edge.exhibits.sizes import MAX_PAGES, MOST_JPEG_BYTES
from sync.runtime.confinement.confine import ProcessLimits, confine_reader
from sync.runtime.process.processes import go_first_when_memory_is_short, weigh

MEMORY_BYTES = 1024**3
CPU_S = 1200
NICE = 10
QUALITIES = (86, 70, 50, 30)


class OpenedFile:
    """One file that is taken. `ExhibitRefusedError` if it is not."""

    def __init__(self, path: Path) -> None:
        self.format = format_of(path)
        self.pages = _pages_of(path, self.format)
        if self.pages.count > MAX_PAGES:
            raise too_many_pages(self.format, self.pages.count, MAX_PAGES)

    def said(self) -> dict[str, Any]:
        """What it is."""
        return {
            "media_type": self.format.media_type,
            "pages": self.pages.count,
            "name": self.format.name,
            "converted": self.pages.converted,
        }

    def draw(self, page: int, scale: int) -> dict[str, Any]:
        """One page."""
        try:
            image, more = self.pages.draw(page, scale)
        except MemoryError as error:
            raise damaged(self.format) from error
        jpeg = jpeg_of(image)
        return {
            "width": image.width,
            "height": image.height,
            "more": more,
            "jpeg": base64.b64encode(jpeg).decode("ascii"),
        }


def _pages_of(path: Path, found: Format) -> PdfPages | PhotoPages:
    if found.media_type == PDF:
        return PdfPages(path)
    if found.pillow:
        return PhotoPages(path, found)
    refused = not_taken(found)
    if found is DOCX_FORMAT:
        refused.code = NEEDS_OFFICE
    raise refused


def jpeg_of(image: Image.Image) -> bytes:
    """Sharp also where red meets white, as in a seal; bounded in size."""
    for quality in QUALITIES:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, subsampling=0)
        if out.tell() <= MOST_JPEG_BYTES:
            break
    return out.getvalue()


def answer(asked: dict[str, Any], opened: OpenedFile | None) -> tuple[OpenedFile | None, dict[str, Any]]:
    """What is open after a question, and the answer to it."""
    try:
        if "open" in asked:
            opened = OpenedFile(Path(asked["open"]))
            return opened, opened.said()
        assert opened is not None
        return opened, opened.draw(int(asked["page"]), int(asked["scale"]))
    except ExhibitRefusedError as refused:
        return opened, {"code": refused.code, "message": str(refused)}


def load_readers(path: Path) -> None:
    """Have all libraries in memory that this file may need: afterwards there is no way to them."""
    import pypdfium2.raw  # noqa: F401  # only its being in memory is wanted

    Image.preinit()
    importlib.import_module("encodings.gb18030")
    with path.open("rb") as file:
        if file.read(5) == b"%PDF-":  # and so it is nothing else
            return
    import pi_heif

    Image.init()
    pi_heif.register_heif_opener()


def main() -> None:
    """Entry point."""
    weigh(NICE)
    go_first_when_memory_is_short()
    # Libraries that print must not be taken for an answer.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    opened: OpenedFile | None = None
    confined = False
    with out:
        for line in sys.stdin:
            asked = json.loads(line)
            if not confined:
                load_readers(Path(asked["open"]))
                confine_reader(ProcessLimits(MEMORY_BYTES, CPU_S), [Path(asked["open"])])
                confined = True
            opened, said = answer(asked, opened)
            out.write(json.dumps(said, ensure_ascii=False) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
