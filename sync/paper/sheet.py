"""The sheet that every PDF of the product is drawn on: A4, fonts inside of the file, each character in one that has it.

Imported only where a PDF is made. Only the characters that are used get into a file, and a fallback font is opened when
the first character needs it. Text goes through `sync.paper.characters` before it is drawn, so nothing on a paper is
blank in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any, cast

from fpdf import FPDF
from fpdf.enums import DocumentCompliance, TextDirection, TextMode

from sync.paper.characters import clusters, printable
from sync.paper.faces import SANS, SERIF, Face, font, located
from sync.paper.rows import broken
from sync.paper.runs import Run, is_leftward, runs

_REFERENCE_PT = 100.0


class Paper(FPDF):
    """A4 with the plain layout of a court's paper, in one Chinese font (`cjk`) and what stands behind it."""

    def __init__(
        self,
        *,
        margins: tuple[float, float, float] = (22, 20, 22),
        bottom: float = 20,
        face: Face = SANS,
        compliance: DocumentCompliance | None = None,
    ) -> None:
        """`margins` (left, top, right) and `bottom` in mm; `ConfigError` when the system has no Chinese font."""
        super().__init__(format="A4", enforce_compliance=compliance)
        self._main = face
        self._added: set[str] = set()
        self._wide: dict[str, float] = {}
        file, number = font(face)
        self.add_font("cjk", fname=file, collection_font_number=number)
        self.set_margins(*margins)
        self.set_auto_page_break(True, bottom)
        self.set_creator("Wutong")

    def banner(self, text: str, size: float = 20) -> None:
        """The title, in the middle."""
        words = printable(text)
        width_of = self.width(size)
        wide = self.w - self.l_margin - self.r_margin
        for row in broken(words, wide, wide, width_of):
            x = (self.w - width_of(row)) / 2
            self.put(x, self.y + 7 + size * 0.3 / self.k, row, size=size, leftward=is_leftward(words))
            self.set_xy(self.l_margin, self.y + size * 0.5)
        self.set_xy(self.l_margin, self.y + 17 - size * 0.5)

    def width(self, size: float) -> Callable[[str], float]:
        """How wide (mm) printable text is."""

        def of(text: str) -> float:
            return sum(map(self._width_of, _pieces(text))) * size

        return of

    def put(
        self, x: float, y: float, text: str, *, size: float, strong: bool = False, gray: int = 0, leftward: bool = False
    ) -> None:
        """Printable text with its base line at y; `strong` is drawn a little wider: one font in the file is enough.

        `leftward`: its paragraph is read from right to left.
        """
        self.set_text_color(gray)
        if strong:
            self.set_draw_color(gray)
            self.set_line_width(size * 0.008)
            self.text_mode = TextMode.FILL_STROKE
        for run in runs(text, self._main, leftward=leftward):
            self._use(run.face, size)
            if run.shaped:
                x += self._shaped(x, y, run, size, gray)
            else:
                self.text(x, y, run.text)
                x += self.get_string_width(run.text)
        if strong:
            self.text_mode = TextMode.FILL
            self._out("0 Tr")  # the library leaves it as it was for what follows

    def fitted(self, text: str, size: float, wide: float, least: float = 5.0) -> tuple[str, float]:
        """Printable text for one row of `wide` mm, and its size in points: smaller if it must be, then cut with …."""
        needs = self.width(1)(text)
        if needs * size <= wide:
            return text, size
        if needs * least <= wide:
            return text, wide / needs
        width_of = self.width(least)
        kept = broken(text, wide - width_of("…"), wide, width_of)[0]
        return kept + "…", least

    def paragraph(self, text: str, *, size: float, pitch: float, gray: int = 0) -> None:
        """Text from here to the right margin in rows of `pitch` mm, on the next page where this one is full."""
        left, words = self.x, printable(text)
        wide = self.w - self.r_margin - left
        leftward = is_leftward(words)
        for row in broken(words, wide, wide, self.width(size)):
            if self.will_page_break(pitch):
                self.add_page()
            self.put(left, self.y + pitch * 0.5 + size * 0.3 / self.k, row, size=size, gray=gray, leftward=leftward)
            self.set_xy(left, self.y + pitch)
        self.set_x(self.l_margin)

    def made(self) -> bytes:
        """The whole file."""
        return bytes(self.output())

    def _use(self, face: Face, size: float) -> None:
        if face in (SANS, SERIF):
            self.set_font("cjk", size=size)
            return
        if face.key not in self._added:
            found = located(face)
            assert found is not None  # it was asked which characters it has
            self.add_font(face.key, fname=found[0], collection_font_number=found[1])
            self._added.add(face.key)
        self.set_font(face.key, size=size)

    def _width_of(self, piece: str) -> float:
        """In mm, of a size of one point."""
        known = self._wide.get(piece)
        if known is None:
            known = 0.0
            for run in runs(piece, self._main):
                self._use(run.face, _REFERENCE_PT)
                if run.shaped:
                    known += sum(glyph["x_advance"] for glyph in self._glyphs(run, _REFERENCE_PT)) * self._unit(1)
                else:
                    known += self.get_string_width(run.text) / _REFERENCE_PT
            self._wide[piece] = known
        return known

    def _unit(self, size: float) -> float:
        """How many mm a unit of the current font is."""
        return cast(float, cast(Any, self.current_font).scale) * size / 1000 / self.k

    def _glyphs(self, run: Run, size: float) -> list[dict[str, Any]]:
        way = TextDirection.LTR if run.rightward else TextDirection.RTL
        shape = {"features": {}, "fragment_direction": way}
        return list(cast(Any, self.current_font).shape_text(run.text, size, shape))

    def _shaped(self, x: float, y: float, run: Run, size: float, gray: int) -> float:
        """Each glyph where HarfBuzz puts it, with the words for whoever searches; how wide it is, in mm."""
        self.text(x, y, "")  # it has the page know the font
        unit, wide = self._unit(size), 0.0
        drawn = []
        for glyph in self._glyphs(run, size):
            if glyph["mapped_char"] is not None:
                at_x = (x + wide + glyph["x_offset"] * unit) * self.k
                at_y = (self.h - y + glyph["y_offset"] * unit) * self.k
                code = cast(Any, self.current_font).escape_text(chr(glyph["mapped_char"]))
                drawn.append(f"1 0 0 1 {at_x:.2f} {at_y:.2f} Tm ({code}) Tj")
            wide += glyph["x_advance"] * unit
        mode = f"{self.text_mode.value} Tr {self.line_width:.2f} w " if self.text_mode is not TextMode.FILL else ""
        text = f"q {gray / 255:.3f} g BT {mode}{' '.join(drawn)} ET Q"
        if run.rightward and max(run.text) <= "\uffff":
            # Readers turn leftward text round by themselves, and some know no pairs here: they get the glyphs' own.
            said = run.text.encode("utf-16-be").hex().upper()
            text = f"/Span <</ActualText <FEFF{said}>>> BDC {text} EMC"
        self._out(text)
        return wide


def _pieces(text: str) -> list[str]:
    """What is measured once and remembered: single characters, and whole stretches whose letters touch."""
    if not any(map(_touches, text)):
        return list(text)
    found: list[str] = []
    for touching, group in groupby(clusters(text), key=lambda one: any(map(_touches, one))):
        units = list(group)
        found += ["".join(units)] if touching else units
    return found


def _touches(c: str) -> bool:
    """A character whose width may depend on its neighbors."""
    return c >= "\u0300" and not (
        "\u2000" <= c <= "\u200b"
        or "\u2010" <= c <= "\u2027"
        or "\u2030" <= c <= "\ua4cf"
        or "\uac00" <= c <= "\ufaff"
        or "\uff00" <= c <= "\uffef"
        or "\U00020000" <= c <= "\U0003ffff"
        or "\u0370" <= c <= "\u052f"
    )
