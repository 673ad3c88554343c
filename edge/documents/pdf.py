"""The court's form as PDF: laid out row by row, everybody's signature on each page as vectors, pages counted.

The layout is made first and drawn then, so that each page can say of how many it is. Nothing is signed
here; that is `edge.documents.sign`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from functools import partial

from fpdf.enums import DocumentCompliance

from edge.documents.form import DOUBTFUL, DRAFT, STRUCK, CourtForm, Row, local, mapped
from edge.documents.strokes import pieces_of
from sync.paper.characters import printable
from sync.paper.faces import SERIF
from sync.paper.rows import broken
from sync.paper.runs import is_leftward
from sync.paper.sheet import Paper
from sync.record.signers import Signer

LEFT, RIGHT, TOP = 27.0, 185.0, 26.0
_ABOVE_STRIP = 5.0
WIDE = RIGHT - LEFT
_LONGEST_LABEL = 0.6
"""Of the width of a row."""
BODY_PT, PITCH = 14.0, 8.7
STRIP_END = 281.0
"""Where the signatures at the foot of each page end, mm."""
_STRIP_ROW = 18.0
_MM_PER_PT = 25.4 / 72
_CELL = 29.0
_WHO_PT, _WHO_PITCH = 11.0, 5.0
"""Of who signs: as many rows as it takes."""
_LEAST_PT = 4.5
"""Of what stands below a signature at the foot. The whole of it is where everybody's signatures are."""
_REASON_ROWS = 3
"""More of a reason is in the record."""
_ON_A_ROW = 10
_MOST_ROWS = 6
"""Of signatures at the foot; where more people sign than these hold, each has less room, and nobody is left out."""

Draw = Callable[["_Sheet"], None]


def pdf_of(form: CourtForm, progress: Callable[[float], None] = lambda part: None) -> bytes:
    """The whole file, not signed; `progress` is called with 0…1."""
    form = mapped(form, printable)
    sheet = _Sheet(form)
    layout = _Layout(sheet)
    layout.form(form)
    total = len(layout.pages)
    for number, page in enumerate(layout.pages, 1):
        sheet.add_page()
        sheet.watermark()
        for draw in page:
            draw(sheet)
        sheet.foot(number, total)
        if number % 10 == 0:
            progress(0.7 * number / total)
    progress(0.7)
    made = sheet.made()
    progress(1.0)
    return made


class _Sheet(Paper):
    """What draws."""

    def __init__(self, form: CourtForm) -> None:
        super().__init__(margins=(LEFT, TOP, 210 - RIGHT), bottom=10, face=SERIF, compliance=DocumentCompliance.PDFA_3B)
        self.set_auto_page_break(False)
        self._form = form
        self._strip = _strip(form)
        self.strip_top = STRIP_END - _STRIP_ROW * max(len(self._strip), 1)
        self.set_title(f"{form.case_no} {form.title}" + (f"（{DRAFT}）" if form.draft else ""))
        self.set_author(form.court)
        self.set_subject(form.hearing)
        self.set_lang("zh-CN")
        self.set_creation_date(dt.datetime.now(dt.UTC))

    def middle(self, y: float, text: str, *, size: float, strong: bool = False, gray: int = 0) -> None:
        """Text in the middle of the page."""
        wide = self.width(size)(text)
        self.put((210 - wide) / 2, y, text, size=size, strong=strong, gray=gray)

    def rule(self, x1: float, y1: float, x2: float, y2: float, width: float = 0.2) -> None:
        """A thin line."""
        self.set_draw_color(60)
        self.set_line_width(width)
        self.line(x1, y1, x2, y2)

    def signature(self, person: Signer, x: float, y: float, w: float, h: float, *, detail: float = 0.05) -> None:
        """What somebody drew, as vectors."""
        if person.signature is None:
            return
        self.set_draw_color(16, 24, 60)
        self._out("1 J 1 j")  # round ends and joints
        for piece in pieces_of(person.signature, x, y, w, h, detail=detail):
            self.set_line_width(piece.width)
            self.polyline(piece.points)
        self._out("0 J 0 j")

    def watermark(self) -> None:
        """Below the words, over the whole page: this is a draft."""
        if self._form.draft:
            wide = self.width(46)(DRAFT)
            with self.rotation(52, 105, 150):
                self.put(105 - wide / 2, 150, DRAFT, size=46, gray=222)

    def foot(self, number: int, total: int) -> None:
        """The signatures of the page, and its number."""
        self.rule(LEFT, self.strip_top, RIGHT, self.strip_top)
        self.put(LEFT, self.strip_top + 9, "签名：", size=10.5)
        for row, people in enumerate(self._strip):
            top, wide = self.strip_top + row * _STRIP_ROW, min((WIDE - 14) / len(self._strip[0]), 30.0)
            for place, person in enumerate(people):
                x = LEFT + 14 + place * wide
                if person.state == "refused":
                    self.put(x + 1, top + 8, "拒绝签名", size=8, gray=60)
                else:
                    self.signature(person, x + 1, top + 1.5, wide - 2, 10.5, detail=0.08)
                said, size = self.fitted(f"{person.role} {person.name}", 6.5, wide - 2, _LEAST_PT)
                if size == _LEAST_PT and said.endswith("…"):  # the name is what the signature is compared with
                    said, size = self.fitted(person.name, 6.5, wide - 2, _LEAST_PT)
                self.put(x + 1, top + 15.5, said, size=size, gray=80)
        self.middle(287, f"第 {number} 页　共 {total} 页", size=9, gray=60)
        said, size = self.fitted(self._form.case_no, 7.5, WIDE / 2 - 20)
        self.put(LEFT, 287, said, size=size, gray=110)


class _Layout:
    """Puts what is to be drawn on pages, from top to bottom."""

    def __init__(self, sheet: _Sheet) -> None:
        self._sheet = sheet
        self.pages: list[list[Draw]] = [[]]
        self._y = TOP

    def form(self, form: CourtForm) -> None:
        """All of it."""
        for name in broken(form.court, WIDE, WIDE, self._sheet.width(17)):
            self._draw(9, partial(_titled, name))
        self._draw(15, lambda s, y: s.middle(y, "　".join(form.title), size=22, strong=True))
        if form.draft:
            self._draw(8, lambda s, y: s.middle(y, DRAFT, size=11, gray=90))
        self._draw(5, lambda s, y: None)
        for label, text in form.heads:
            self._labeled(f"{label}：", text, size=12, pitch=7.4, hang=27)
        self._draw(6, lambda s, y: s.rule(LEFT, y - 3, RIGHT, y - 3, 0.4))
        for row in form.rows:
            self._row(row)
        self._draw(4, lambda s, y: None)
        for text in form.objections:
            self._prose(text, size=12, pitch=7.6)
        for text in form.closing:
            self._prose(text, size=BODY_PT, pitch=PITCH)
        self._people([p for p in form.people if p.state != "absent"])
        self._small(form)

    def _row(self, row: Row) -> None:
        if not row.role:
            self._prose(row.text, size=12.5, pitch=PITCH, indent=2)
            return
        text = row.text + (DOUBTFUL if row.doubtful else "")
        if row.struck:
            text = STRUCK + text
        self._labeled(f"{row.role}：", text, size=BODY_PT, pitch=PITCH, hang=0, struck=row.struck)

    def _labeled(self, label: str, text: str, *, size: float, pitch: float, hang: float, struck: bool = False) -> None:
        """A label and what it says; the rows after the first begin at `hang` mm."""
        width_of = self._sheet.width(size)
        if width_of(label) > WIDE * _LONGEST_LABEL:  # a label that leaves no room has rows of its own
            for part in broken(label, WIDE, WIDE, width_of):
                self._draw(pitch, partial(_put, part, LEFT, size, 0, False, strong=True))
            label, hang = "", max(hang, 2 * width_of("国"))
        begin = max(width_of(label), hang)
        leftward = is_leftward(text)
        for number, row in enumerate(broken(text, WIDE - begin, WIDE - hang, width_of)):
            x = LEFT + (begin if number == 0 else hang)
            end = x + width_of(row)

            def draw(s: _Sheet, y: float, row: str = row, x: float = x, end: float = end, first: int = number) -> None:
                if first == 0 and label:
                    s.put(LEFT, y, label, size=size, strong=True)
                s.put(x, y, row, size=size, gray=90 if struck else 0, leftward=leftward)
                if struck:
                    s.rule(x, y - size * _MM_PER_PT * 0.33, end, y - size * _MM_PER_PT * 0.33)

            self._draw(pitch, draw)

    def _prose(self, text: str, *, size: float, pitch: float, indent: int = 2, gray: int = 0) -> None:
        width_of = self._sheet.width(size)
        room = indent * width_of("国")
        for number, row in enumerate(broken(text, WIDE - room, WIDE, width_of)):
            x = LEFT + (room if number == 0 else 0)
            self._draw(pitch, partial(_put, row, x, size, gray, is_leftward(text)))

    def _people(self, people: list[Signer]) -> None:
        """Two beside each other: who, what they drew, when."""
        for at in range(0, len(people), 2):
            pair = people[at : at + 2]
            rows = [_who(person, self._sheet) for person in pair]
            high = (max(map(len, rows)) - 1) * _WHO_PITCH
            self._draw(_CELL + high, partial(_cells, pair, rows, high))

    def _small(self, form: CourtForm) -> None:
        said = [f"庭审编号：{form.hearing}"]
        if form.version is not None:
            laid = f"{local(form.version.at_utc_ns):%Y-%m-%d %H:%M:%S}"
            said.append(f"笔录第 {form.version.version} 版，{laid} 提交核对，{form.counted}；校验值（SHA-256）：")
            said.append(form.version.sha256)
        if not form.draft:
            said.append(form.device or "本文件没有设备数字签名：法庭设备尚未在中心登记，没有证书。")
        self._draw(3, lambda s, y: None)
        for text in said:
            self._prose(text, size=8.5, pitch=4.8, indent=0, gray=70)

    def _draw(self, high: float, draw: Callable[[_Sheet, float], None]) -> None:
        """Something `high` mm, on the next page where this one is full; it is given its base line."""
        if self._y + high > self._sheet.strip_top - _ABOVE_STRIP and self.pages[-1]:
            self.pages.append([])
            self._y = TOP
        self._y += high
        y = self._y
        self.pages[-1].append(lambda s: draw(s, y))


def _strip(form: CourtForm) -> list[list[Signer]]:
    """Who stands at the foot of each page, row by row: everybody who signed or refused."""
    people = form.on_each_page
    if not people:
        return []
    rows = min(math.ceil(len(people) / _ON_A_ROW), _MOST_ROWS)
    on_each = math.ceil(len(people) / rows)
    return [people[at : at + on_each] for at in range(0, len(people), on_each)]


def _titled(name: str, sheet: _Sheet, y: float) -> None:
    sheet.middle(y, name, size=17, strong=True)


def _put(
    row: str, x: float, size: float, gray: int, leftward: bool, sheet: _Sheet, y: float, *, strong: bool = False
) -> None:
    sheet.put(x, y, row, size=size, gray=gray, leftward=leftward, strong=strong)


def _who(person: Signer, sheet: _Sheet) -> list[str]:
    return broken(f"{person.role}：{person.name}", WIDE / 2 - 8, WIDE / 2 - 8, sheet.width(_WHO_PT))


def _cells(pair: list[Signer], who: list[list[str]], high: float, sheet: _Sheet, y: float) -> None:
    """`who`: the rows that say who signs; `high`: what the most of them need beyond one, in mm."""
    wide = WIDE / 2
    for place, person in enumerate(pair):
        x, top = LEFT + place * wide, y - _CELL
        for row, text in enumerate(who[place]):
            sheet.put(x, top + 7 - high + row * _WHO_PITCH, text, size=_WHO_PT, strong=True)
        sheet.rule(x, top + 24.5, x + wide - 8, top + 24.5)
        if person.state == "refused":
            said = broken(f"拒绝签名。理由：{person.reason}", wide - 10, wide - 10, sheet.width(9))
            for row, text in enumerate(said[:_REASON_ROWS]):
                more = "……" if row == _REASON_ROWS - 1 < len(said) - 1 else ""
                sheet.put(x, top + 12 + row * 4, text[: -len(more) or None] + more, size=9)
        elif person.signature is not None:
            sheet.signature(person, x + 4, top + 8.6, wide - 16, 15.0, detail=0.02)
        else:
            sheet.put(x, top + 20, "（未签名）", size=9, gray=130)
        if person.at_utc_ns is not None:
            at = local(person.at_utc_ns)
            sheet.put(x + wide - 36, top + 27.8, f"{at:%Y-%m-%d %H:%M:%S}", size=7.5, gray=90)
