"""Paper: what every PDF of the product shares: the Chinese font inside of the file, A4, margins, and a foot.

Imported only where a PDF is made. The fonts are the system's Noto CJK (Debian: fonts-noto-cjk), found by their place or
by fontconfig; only the characters that are used get into a file.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTCollection, TTLibError
from fpdf import FPDF
from fpdf.enums import DocumentCompliance, XPos, YPos

from sync.errors import ConfigError

SANS = "Noto Sans CJK SC"
SERIF = "Noto Serif CJK SC"
_PLACES = {
    SANS: (
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    ),
    SERIF: (
        "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
        "/usr/share/fonts/noto-cjk/NotoSerifCJK-Regular.ttc",
    ),
}


class Paper(FPDF):
    """A4 with the plain layout of a court's paper, in one Chinese font (`cjk`)."""

    def __init__(
        self,
        *,
        margins: tuple[float, float, float] = (22, 20, 22),
        bottom: float = 20,
        face: str = SANS,
        compliance: DocumentCompliance | None = None,
    ) -> None:
        """`margins` (left, top, right) and `bottom` in mm; `ConfigError` when the system has no Chinese font."""
        super().__init__(format="A4", enforce_compliance=compliance)
        file, number = font(face)
        self.add_font("cjk", fname=file, collection_font_number=number)
        self.set_margins(*margins)
        self.set_auto_page_break(True, bottom)
        self.set_creator("Wutong")

    def banner(self, text: str, size: float = 20) -> None:
        """The title, in the middle."""
        self.set_font("cjk", size=size)
        self.cell(0, 14, text, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)

    def made(self) -> bytes:
        """The whole file."""
        return bytes(self.output())


@cache
def font(face: str = SANS) -> tuple[str, int]:
    """File and number of a face; the sans where the serif is missing; `ConfigError` when the system has neither."""
    for place in [*_PLACES[face], *_asked(face)]:
        if not Path(place).is_file():
            continue
        try:
            with TTCollection(place, lazy=True) as collection:
                for number, one in enumerate(collection.fonts):
                    if one["name"].getDebugName(4) in (face, f"{face} Regular"):
                        return place, number
        except (TTLibError, OSError):
            continue
    if face != SANS:
        return font(SANS)
    raise ConfigError(
        "the font Noto Sans CJK is missing, and what is to be written is Chinese: apt install fonts-noto-cjk"
    )


def clean(text: str) -> str:
    """Text without what cannot be printed."""
    return "".join(c if c.isprintable() or c == "\u3000" else " " for c in text)


def _asked(face: str) -> list[str]:
    try:
        found = subprocess.run(
            ["fc-match", "-f", "%{file}", face], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [found.stdout.strip()]
