"""Whether an object is what its kind says, looked at once, when it arrives.

A segment is walked within the budgets of `sync.media.budgets`; a page is a JPEG; an exhibit has the first bytes of what
rooms take. What the room recorded or was handed is never refused for what is in it: it is stored, and marked with a
fault that people are told. A page is drawn by the room itself, so one that is no JPEG is something else, and refused.
"""

from __future__ import annotations

import struct
from pathlib import Path

from sync.errors import MediaError, WutongError
from sync.media.fmp4 import FileIndex, index_file

NO_MEDIA = "no-video"
"""A segment of which nothing can be played."""
DAMAGED = "damaged"
"""A segment that can be played up to somewhere."""
CUT_SHORT = "cut-short"
FORMAT = "format"
FAULTS = frozenset({NO_MEDIA, DAMAGED, CUT_SHORT, FORMAT})
"""Why a stored object cannot be shown as what it is."""

MAX_PAGE_BYTES = 64 * 1024 * 1024
MAX_PAGE_PIXELS = 100_000_000
_HEAD_BYTES = 1024 * 1024
"""Before the size of a picture there may be a profile of its colors and what a camera says."""
_PDF_WITHIN = 1024
_EXHIBITS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF87a", b"GIF89a", b"BM",
             b"PK\x03\x04")  # fmt: skip
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that say height and width."""


def look(kind: str, path: Path) -> tuple[str, FileIndex | None]:
    """(fault or "", of a segment what it holds); `WutongError` "invalid" for what is not kept. Blocks."""
    if kind == "segment":
        return _segment(path)
    return fault_of(kind, path), None


def fault_of(kind: str, path: Path) -> str:
    """One of `FAULTS`, or "" for what can be shown; `WutongError` "invalid" for a page that is no picture. Blocks."""
    if kind == "segment":
        return _segment(path)[0]
    if kind == "page":
        return _page(path)
    if kind == "exhibit":
        return _exhibit(path)
    return ""


def _segment(path: Path) -> tuple[str, FileIndex | None]:
    try:
        index = index_file(path)
    except MediaError:
        index = index_file(path, salvage=True)
        return (DAMAGED if index.fragments else NO_MEDIA), index
    # Bytes after the last whole fragment: the room lost power while it wrote them. What comes before is whole.
    return ("" if index.fragments else NO_MEDIA), index


def _page(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(max(0, size - 2))
        end = file.read(2)
    pixels = jpeg_pixels(head)
    if not head.startswith(b"\xff\xd8\xff") or pixels is None or size > MAX_PAGE_BYTES or pixels > MAX_PAGE_PIXELS:
        raise WutongError(
            "页图必须是 JPEG 图片，本次上传未被接收 (the picture of a page must be a JPEG; this one was not taken)",
            code="invalid",
        )
    return "" if end == b"\xff\xd9" else CUT_SHORT


def jpeg_pixels(head: bytes) -> int | None:
    """Width times height as the beginning of a JPEG says it; None when it says none, or nothing."""
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:  # a fill byte before the marker
            at += 1
            continue
        if marker in _SIZES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return int(height) * int(width) or None
        (length,) = struct.unpack_from(">H", head, at + 2)
        if length < 2 or marker in (0xD9, 0xDA):
            return None
        at += 2 + length
    return None


def _exhibit(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_PDF_WITHIN + 5)
    known = (
        head.startswith(_EXHIBITS)
        or b"%PDF-" in head
        or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")
        or head[4:8] == b"ftyp"  # HEIC and AVIF
    )
    return "" if known else FORMAT
