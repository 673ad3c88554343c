"""The court's form as DOCX, for a court that keeps its files so: the same words as in the PDF, to be edited on.

Only the PDF carries the device's signature; a change of this file shows only against its hash in the
ledger. Signatures are pictures (300 dpi) of the strokes, at the end and at the foot of each page.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from edge.documents.form import DOUBTFUL, DRAFT, STRUCK, CourtForm, Row, local, mapped
from edge.documents.strokes import picture_of
from sync.paper.characters import writable
from sync.record.signers import Signer

BODY, HEADING, LATIN = "仿宋", "黑体", "Times New Roman"
"""Names of fonts that court machines have; a reader without them takes its own for East Asian text."""
_FOOT_MM = (20.0, 9.0)
_END_MM = (50.0, 16.0)
_ON_A_ROW = 7
"""Signatures beside each other at the foot; more make it higher."""
_LONGEST_FIELD = 255
"""Characters of what a file says about itself."""
_GRAY = RGBColor(0x55, 0x55, 0x55)
_WATERMARK = """
<w:pict xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"
 xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w10="urn:schemas-microsoft-com:office:word">
<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" path="m@7,l@8,m@5,21600l@6,21600e">
<v:path textpathok="t" o:connecttype="rect"/><v:textpath on="t" fitshape="t"/></v:shapetype>
<v:shape id="draft" o:spid="_x0000_s2049" type="#_x0000_t136" fillcolor="silver" stroked="f"
 style="position:absolute;margin-left:0;margin-top:0;width:440pt;height:62pt;rotation:315;z-index:-251658752;
mso-position-horizontal:center;mso-position-horizontal-relative:margin;mso-position-vertical:center;
mso-position-vertical-relative:margin"><v:fill opacity=".4"/>
<v:textpath style="font-family:'黑体';font-size:1pt" string="{text}"/></v:shape></w:pict>
"""


def docx_of(form: CourtForm, progress: Callable[[float], None] = lambda part: None) -> bytes:
    """The whole file; `progress` is called with 0…1."""
    form = mapped(form, writable)
    document = Document()
    section = document.sections[0]
    more = (_FOOT_MM[1] + 1) / 10 * (max(len(form.on_each_page) - 1, 0) // _ON_A_ROW)
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin, section.right_margin = Cm(2.7), Cm(2.5)
    section.top_margin, section.bottom_margin = Cm(2.6), Cm(3.4 + more)
    section.footer_distance = Cm(0.9)
    _style(document)
    about = document.core_properties
    title = f"{form.case_no} {form.title}".strip()
    about.title, about.author, about.subject = (one[:_LONGEST_FIELD] for one in (title, form.court, form.hearing))
    about.comments = ""  # of the template
    about.language, about.created = "zh-CN", dt.datetime.now(dt.UTC).replace(tzinfo=None)
    _head(section.header, form)
    _foot(section.footer, form)
    _opening(document, form)
    for number, row in enumerate(form.rows):
        _row(document.add_paragraph(), row)
        if number % 200 == 0:
            progress(0.8 * number / len(form.rows))
    for text in [*form.objections, *form.closing]:
        _indented(document.add_paragraph(), text)
    _people(document, [p for p in form.people if p.state != "absent"])
    _small(document, form)
    out = io.BytesIO()
    document.save(out)
    progress(1.0)
    return out.getvalue()


def _style(document: Any) -> None:
    style = document.styles["Normal"]
    style.font.name, style.font.size = LATIN, Pt(14)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), BODY)
    language = OxmlElement("w:lang")
    language.set(qn("w:eastAsia"), "zh-CN")
    style.element.rPr.append(language)
    style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.line_spacing = Pt(25)


def _font(run: Run, face: str, size: float | None = None, color: RGBColor | None = None) -> Run:
    run.font.name = LATIN
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
    if size is not None:
        run.font.size = Pt(size)
    if color is not None:
        run.font.color.rgb = color
    return run


def _opening(document: Any, form: CourtForm) -> None:
    for text, size in ((form.court, 18), (form.title, 22)):
        at = document.add_paragraph()
        at.alignment = WD_ALIGN_PARAGRAPH.CENTER
        at.paragraph_format.line_spacing = 1.3
        _font(at.add_run(text), "宋体", size).bold = True
    for label, text in form.heads:
        at = document.add_paragraph()
        at.paragraph_format.left_indent, at.paragraph_format.first_line_indent = Cm(2.6), Cm(-2.6)
        at.paragraph_format.tab_stops.add_tab_stop(Cm(2.6))
        _font(at.add_run(f"{label}：\t"), HEADING, 12)
        _font(at.add_run(text), BODY, 12)
    _line_below(at)


def _line_below(paragraph: Paragraph) -> None:
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    for key, value in (("val", "single"), ("sz", "8"), ("space", "6"), ("color", "404040")):
        bottom.set(qn(f"w:{key}"), value)
    borders.append(bottom)
    # Word takes the parts of a paragraph's form in one order only.
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _row(paragraph: Paragraph, row: Row) -> None:
    if not row.role:
        _indented(paragraph, row.text)
        return
    _font(paragraph.add_run(f"{row.role}："), HEADING)
    said = _font(paragraph.add_run((STRUCK if row.struck else "") + row.text), BODY)
    said.font.strike = row.struck or None
    if row.doubtful:
        _font(paragraph.add_run(DOUBTFUL), HEADING, 10.5, _GRAY)


def _indented(paragraph: Paragraph, text: str) -> None:
    paragraph.paragraph_format.first_line_indent = Pt(28)
    _font(paragraph.add_run(text), BODY)


def _people(document: Any, people: list[Signer]) -> None:
    table = document.add_table(rows=(len(people) + 1) // 2, cols=2)
    for place, person in enumerate(people):
        cell = table.cell(place // 2, place % 2)
        at = cell.paragraphs[0]
        at.paragraph_format.keep_with_next = True
        _font(at.add_run(f"{person.role}：{person.name}"), HEADING, 11)
        at = cell.add_paragraph()
        if person.state == "refused":
            _font(at.add_run(f"拒绝签名。理由：{person.reason}"), BODY, 10.5)
        elif person.signature is not None:
            at.paragraph_format.line_spacing = 1.0
            at.add_run().add_picture(io.BytesIO(picture_of(person.signature, *_END_MM)), width=Cm(_END_MM[0] / 10))
        else:
            _font(at.add_run("（未签名）"), BODY, 10.5, _GRAY)
        if person.at_utc_ns is not None:
            when = f"{local(person.at_utc_ns):%Y-%m-%d %H:%M:%S}"
            _font(cell.add_paragraph().add_run(when), BODY, 9, _GRAY)


def _small(document: Any, form: CourtForm) -> None:
    said = [f"庭审编号：{form.hearing}"]
    if form.version is not None:
        said.append(f"笔录第 {form.version.version} 版，{form.counted}，文字校验值（SHA-256）：{form.version.sha256}")
    if not form.draft:
        said.append("本文件是同一笔录 PDF 文件的可编辑副本，设备数字签名在 PDF 文件上。")
    for text in said:
        at = document.add_paragraph()
        at.paragraph_format.line_spacing = 1.1
        _font(at.add_run(text), HEADING, 8.5, _GRAY)


def _head(header: Any, form: CourtForm) -> None:
    if not form.draft:
        return
    at = header.paragraphs[0]
    at.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _font(at.add_run(DRAFT), HEADING, 11, RGBColor(0xB0, 0x20, 0x20))
    at.add_run()._element.append(parse_xml(_WATERMARK.format(text=DRAFT)))


def _foot(footer: Any, form: CourtForm) -> None:
    at = footer.paragraphs[0]
    at.paragraph_format.line_spacing = 1.0
    _font(at.add_run("签名："), BODY, 10.5)
    for person in form.on_each_page:
        if person.signature is not None and person.state == "signed":
            at.add_run().add_picture(io.BytesIO(picture_of(person.signature, *_FOOT_MM)), width=Cm(_FOOT_MM[0] / 10))
        else:
            _font(at.add_run(f"（{person.role}拒绝签名）"), BODY, 8, _GRAY)
        at.add_run(" ")
    at = footer.add_paragraph()
    at.paragraph_format.line_spacing = 1.0
    at.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _font(at.add_run("第 "), HEADING, 9)
    _field(at, "PAGE")
    _font(at.add_run(" 页　共 "), HEADING, 9)
    _field(at, "NUMPAGES")
    _font(at.add_run(" 页"), HEADING, 9)


def _field(paragraph: Paragraph, code: str) -> None:
    """A number that the reader fills in."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    run = OxmlElement("w:r")
    properties, size, text = OxmlElement("w:rPr"), OxmlElement("w:sz"), OxmlElement("w:t")
    size.set(qn("w:val"), "18")
    properties.append(size)
    text.text = "1"
    run.append(properties)
    run.append(text)
    field.append(run)
    paragraph._p.append(field)
