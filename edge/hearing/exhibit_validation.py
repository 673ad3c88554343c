"""Looks at one untrusted exhibit file and prints what it is; run as a program of its own.

Parties bring these files, and parsers of PDF and images have bugs: this runs in a process with limits of memory and
time, isolated from the edge, and its one line of JSON is all that the edge believes. It imports nothing of Wutong.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from pathlib import Path

MAX_PAGES = 3000
MAX_PIXELS = 64_000_000
MEMORY_BYTES = 2 * 1024**3
CPU_S = 30

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"


class ExhibitRefusedError(Exception):
    """The file is not acceptable; `code` is the screens' key."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def media_type_of(head: bytes) -> str | None:
    """What the first bytes say, whatever the name says."""
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    return None


def _pages_of_pdf(path: Path) -> int:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(path, strict=False)
        if reader.is_encrypted:
            raise ExhibitRefusedError(
                "exhibit-encrypted", "PDF 已加密，请先解除密码 (the PDF is encrypted; remove its password)"
            )
        pages = len(reader.pages)
        for number in range(min(pages, 1)):
            _ = reader.pages[number].mediabox
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        raise ExhibitRefusedError(
            "exhibit-broken", "PDF 已损坏，无法读取页面 (the PDF is damaged; its pages cannot be read)"
        ) from error
    if pages < 1:
        raise ExhibitRefusedError("exhibit-broken", "PDF 没有页面 (the PDF has no pages)")
    if pages > MAX_PAGES:
        raise ExhibitRefusedError(
            "exhibit-pages", f"PDF 超过 {MAX_PAGES} 页，请拆分 (more than {MAX_PAGES} pages; split it)"
        )
    return pages


def _check_image(path: Path, media_type: str) -> None:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(path, formats=["PNG" if media_type == PNG else "JPEG"]) as image:
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ExhibitRefusedError(
            "exhibit-pixels", "图片像素过多，请缩小 (the image has too many pixels; make it smaller)"
        ) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ExhibitRefusedError(
            "exhibit-broken", "图片已损坏，无法解码 (the image is damaged and cannot be decoded)"
        ) from error


def check(path: Path) -> dict[str, object]:
    """`{"media_type", "pages"}` or `{"code", "message"}`."""
    try:
        with path.open("rb") as file:
            media_type = media_type_of(file.read(16))
        if media_type is None:
            raise ExhibitRefusedError("exhibit-type", "仅接受 PDF、PNG 或 JPEG (only PDF, PNG and JPEG are accepted)")
        if media_type == PDF:
            return {"media_type": media_type, "pages": _pages_of_pdf(path)}
        _check_image(path, media_type)
        return {"media_type": media_type, "pages": 1}
    except ExhibitRefusedError as refused:
        return {"code": refused.code, "message": str(refused)}


def main() -> None:
    """Entry point: one path in, one line of JSON out."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    print(json.dumps(check(Path(sys.argv[1]))))  # noqa: T201 (its answer)


if __name__ == "__main__":
    main()
