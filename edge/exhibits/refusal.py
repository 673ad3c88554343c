"""How a file is refused: a code for the screens, the format that was found, and the way out, in both languages."""

from __future__ import annotations

from edge.exhibits.formats import Format

TAKEN = "PDF、PNG、JPEG、HEIC、WebP、TIFF、BMP"

NEEDS_OFFICE = "exhibit-office"
"""The code of a document that could be shown if an office program made a PDF of it."""


REFUSALS = frozenset(
    {"exhibit-type", "exhibit-broken", "exhibit-encrypted", "exhibit-pages", "exhibit-pixels", NEEDS_OFFICE}
)
"""All codes with which a reader refuses a file."""


class ExhibitRefusedError(Exception):
    """The file is not acceptable; `code` is the screens' key."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def not_taken(found: Format) -> ExhibitRefusedError:
    """Of a format that nobody here can draw."""
    return ExhibitRefusedError(
        "exhibit-type",
        f"这是{found.name}，不能直接展示。{found.way_out}；可以直接添加的有 {TAKEN}。"
        f" (This is: {found.name_en}. It cannot be shown as it is: {found.way_out_en}.)",
    )


def damaged(found: Format) -> ExhibitRefusedError:
    """It says what it is, and cannot be read."""
    return ExhibitRefusedError(
        "exhibit-broken",
        f"这是{found.name}，但已损坏，无法读取。请换一份，或在能打开它的程序里另存为 PDF 后再添加。"
        f" ({found.name_en}, but damaged. Take another copy, or save it as PDF where it still opens.)",
    )


def locked(found: Format) -> ExhibitRefusedError:
    """It needs a password to be read at all."""
    return ExhibitRefusedError(
        "exhibit-encrypted",
        f"这份{found.name}设有打开密码。请先输入密码打开，打印或另存为不加密的 PDF 后再添加。"
        f" ({found.name_en} that asks for a password; open it, print or save it as PDF without one, then add that.)",
    )


def too_many_pages(found: Format, pages: int, most: int) -> ExhibitRefusedError:
    """More pages than are looked at in a hearing."""
    return ExhibitRefusedError(
        "exhibit-pages",
        f"这份{found.name}有 {pages} 页，超过 {most} 页。请拆分后再添加。"
        f" ({found.name_en} of {pages} pages, more than {most}; split it.)",
    )


def too_many_pixels(found: Format) -> ExhibitRefusedError:
    """Larger than what can be decoded beside a recording."""
    return ExhibitRefusedError(
        "exhibit-pixels",
        f"这份{found.name}的像素过多。请用看图程序缩小后另存为 JPEG 再添加。"
        f" ({found.name_en} of too many pixels; make it smaller, save it as JPEG, then add that.)",
    )
