"""The court's form and what is made of it: PDF, Word, subtitles, JSON; drafts say so, refusals and objections stand."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from edge.documents.docx import docx_of
from edge.documents.form import CourtForm, form_of
from edge.documents.pdf import pdf_of
from edge.documents.plain import json_of, srt_of, vtt_of
from edge.documents.strokes import picture_of, pieces_of
from edge.documents.unprinted import unprinted
from tests.support.words.signed_hearing import SAID, S, Story, drawn

DRAFT = "草稿，未经核对签名"


def form(story: Story, **more: Any) -> CourtForm:
    return form_of(story.hearing, court_name="尖山区人民法院", room_name="第三法庭", **more)


def text_of(pdf: bytes, folder: Path) -> list[str]:
    """The words of each page, without blanks."""
    (folder / "a.pdf").write_bytes(pdf)
    found = subprocess.run(["pdftotext", "-raw", str(folder / "a.pdf"), "-"], capture_output=True, check=True)
    return ["".join(page.split()) for page in found.stdout.decode().split("\f") if page.strip()]


@pytest.fixture(scope="module")
def signed() -> Story:
    return Story().sign()


def test_the_form_has_heads_lines_and_notes_where_they_happened(signed: Story) -> None:
    made = form(signed)
    heads = dict(made.heads)
    assert (made.draft, made.case_no) == (False, "(2026)黑05民初123号")
    assert heads["审判人员"] == "审判长 赵敏"
    assert heads["到庭人员"] == "原告 张伟明；被告 李建国"
    assert heads["未到庭退庭"] == "证人 周某（作证后已离庭）"
    assert heads["是否公开"] == "公开审理"
    texts = [row.text for row in made.rows]
    assert texts[3] == "（出示证据 1：《借条》第 1、2 页）"
    assert SAID[3][1] not in texts  # struck
    assert [row.doubtful for row in made.rows if row.text == SAID[4][1]] == [True]
    assert sum("休庭）" in text for text in texts) == 1
    assert any(row.struck for row in form(signed, show_struck=True).rows)


def test_a_draft_becomes_the_transcript_only_for_the_words_that_were_signed() -> None:
    story = Story()
    assert form(story).draft
    assert not form(story.sign()).draft
    story.revise("u0", text="请起立。")
    again = form(story)
    assert again.draft
    assert {person.state for person in again.people if person.role != "证人"} == {"waiting"}


def test_every_page_of_the_pdf_has_its_number_and_the_signatures_as_vectors(tmp_path: Path) -> None:
    pdf = pdf_of(form(Story(60).sign()))
    pages = text_of(pdf, tmp_path)
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert f"第{number}页共{len(pages)}页" in page
        assert "草稿" not in page
        assert "拒绝签名" in page
        assert "审判长赵敏" in page
    assert "不予补正，理由：回放与笔录一致" in pages[-1]
    assert "理由：补正申请未获准许" in pages[-1]
    fonts = subprocess.run(["pdffonts", str(tmp_path / "a.pdf")], capture_output=True, check=True).stdout.decode()
    assert all(re.search(r"yes +yes +yes", line) for line in fonts.splitlines()[2:])  # embedded, a subset, readable
    pictures = subprocess.run(["pdfimages", "-list", str(tmp_path / "a.pdf")], capture_output=True, check=True).stdout
    assert len(pictures.decode().splitlines()) == 2  # its heading: there are none


def test_the_paper_says_who_did_not_sign_and_how_many_struck_lines_it_leaves_out(signed: Story, tmp_path: Path) -> None:
    assert "除拒绝签名者外，签名如下" in form(signed).closing[0]
    assert "其中 1 行已删除" in form(signed).counted
    assert "已删除" not in form(signed, show_struck=True).counted
    assert "其中1行已删除" in text_of(pdf_of(form(signed)), tmp_path)[-1]
    assert "其中 1 行已删除" in docx_of_text(form(signed))
    story = Story().sign()
    sha256 = story.hearing.signing.versions[-1].sha256
    again = {"id": "s9", "transcript": sha256, "role": "被告", "name": "李建国", "act": "sign", "reason": ""}
    story.say("signature", story.end_s + 90, **again, size=[900, 300], strokes=drawn(9))
    assert "并签名如下" in form(story).closing[0]


def test_fourteen_people_all_stand_at_the_foot_of_each_page(tmp_path: Path) -> None:
    story = Story(60).sign()
    sha256 = story.hearing.signing.versions[-1].sha256
    for number in range(10):
        who = {
            "id": f"w{number}",
            "transcript": sha256,
            "role": "被告",
            "name": f"被告{'甲乙丙丁戊己庚辛壬癸'[number]}",
        }
        story.say(
            "signature", story.end_s + 90 + number, **who, act="sign", reason="", size=[900, 300], strokes=drawn(1)
        )
    made = form(story)
    assert len(made.on_each_page) == 14
    for page in text_of(pdf_of(made), tmp_path)[:-1]:
        foot = page[page.rindex("签名：") :]
        assert [foot.count(name) for name in ("被告甲", "被告癸", "审判长赵敏", "书记员孙丽")] == [1, 1, 1, 1]
    read = Document(io.BytesIO(docx_of(made)))
    assert read.sections[0].footer._element.xml.count("<pic:pic") == 13
    few = Document(io.BytesIO(docx_of(form(Story().sign()))))
    margin, margin_of_few = read.sections[0].bottom_margin, few.sections[0].bottom_margin
    assert margin is not None
    assert margin_of_few is not None
    assert margin > margin_of_few


def docx_of_text(made: CourtForm) -> str:
    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(docx_of(made))).paragraphs)


def test_every_page_of_a_draft_says_so(tmp_path: Path) -> None:
    parts: list[float] = []
    pages = text_of(pdf_of(form(Story(60)), parts.append), tmp_path)
    assert all(DRAFT in page for page in pages)
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


def test_the_word_file_opens_again_with_its_words_fonts_numbers_and_signatures(signed: Story) -> None:
    read = Document(io.BytesIO(docx_of(form(signed))))
    words = [paragraph.text for paragraph in read.paragraphs]
    assert "法庭笔录" in words
    assert f"{SAID[2][0]}：{SAID[2][1]}" in words
    assert len(read.inline_shapes) == 3  # who signed, at the end
    assert "拒绝签名。理由：补正申请未获准许" in "".join(cell.text for cell in read.tables[0]._cells)
    foot = read.sections[0].footer._element.xml
    assert "PAGE" in foot
    assert "NUMPAGES" in foot
    assert foot.count("<pic:pic") == 3  # and on each page
    assert 'w:eastAsia="仿宋"' in read.styles.element.xml
    assert DRAFT not in read.sections[0].header.paragraphs[0].text
    assert DRAFT in Document(io.BytesIO(docx_of(form(Story())))).sections[0].header.paragraphs[0].text


def test_subtitles_and_json_have_the_words_in_time(signed: Story) -> None:
    made = form(signed)
    srt = srt_of(signed.hearing, made).decode()
    assert srt.startswith("1\n00:00:02,000 --> 00:00:05,000\n书记员：请全体起立。\n")
    assert SAID[3][1] not in srt
    vtt = vtt_of(signed.hearing, made).decode()
    assert vtt.startswith("WEBVTT\n\n00:00:02.000")
    assert "<v 被告>我实际收到二十七万元，&lt;后来&gt;还过&amp;五万元。" in vtt
    value = json.loads(json_of(signed.hearing, made))
    assert value["lines"][3]["struck"] is True
    assert value["lines"][0]["start_ms"] == 2000
    assert value["signatures"][0]["strokes"] != []
    assert [one["outcome"] for one in value["objections"]] == ["refused"]
    assert DRAFT in vtt_of(signed.hearing, form(Story())).decode()


def test_a_line_that_takes_no_time_is_still_shown_for_a_moment() -> None:
    story = Story()
    new = {"id": "n1", "after": "u0", "role": "书记员", "start_ns": 106 * S, "end_ns": 106 * S, "text": "（出示借条）"}
    changes = [{"new": {**new, "seat": "", "voice": "", "source": "typed"}}]
    story.say("revision", story.end_s + 5, id="i1", act="insert", by="clerk", changes=changes)
    assert "00:00:06,000 --> 00:00:07,000\n书记员：（出示借条）" in srt_of(story.hearing, form(story)).decode()
    assert "00:00:06.000 --> 00:00:07.000\n<v 书记员>（出示借条）" in vtt_of(story.hearing, form(story)).decode()


def test_a_signature_keeps_its_shape_and_fits_its_box(signed: Story) -> None:
    signature = next(s for s in signed.hearing.signing.signatures if s.strokes)
    pieces = pieces_of(signature, 10, 20, 50, 15)
    points = [point for piece in pieces for point in piece.points]
    assert all(9.99 <= x <= 60.01 and 19.99 <= y <= 35.01 for x, y in points)
    assert len(points) < sum(len(stroke) for stroke in signature.strokes)
    png = picture_of(signature, 50, 16)
    assert png.startswith(b"\x89PNG")


def test_documents_are_made_of_whatever_was_let_in_once(tmp_path: Path) -> None:
    """A hearing of an earlier version may hold controls, and what was signed with them is printed all the same."""
    story = Story(20)
    story.hearing.case["case_no"] = "(2026)\x0b黑05民初\x00123号\ufeff" + "长" * 300
    for number, c in enumerate(
        ["\x0b", "\x00", "\u200b", "\ufeff", "\u202e", "\ufffe", "\U000f0000", "\x85", "\u2028"]
    ):
        story.revise(f"u{number + 5}", text=f"前{c}后", role=f"原{c}告")
    made = form(story.sign())
    pages = "".join(text_of(pdf_of(made), tmp_path))
    assert "前后" in pages
    assert "前〓(U+F0000)后" in pages
    assert "前\U000f0000后" in docx_of_text(made)
    for subtitles in (srt_of(story.hearing, made), vtt_of(story.hearing, made)):
        assert not any(c in subtitles.decode() for c in "\x0b\x00\u200b\ufeff\u2028")
    assert json.loads(json_of(story.hearing, made))["lines"][5]["text"] == "前\x0b后"


def test_characters_that_the_paper_will_not_have_are_named_with_their_places() -> None:
    story = Story()
    assert unprinted(story.hearing, court_name="尖山区人民法院", room_name="第三法庭") == []
    story.revise("u2", text="我叫张\ue000三，𨰿。")
    story.revise("u6", text="\ue000\U000f0001")
    story.hearing.case["cause"] = "\ue000"
    first, second = unprinted(story.hearing, court_name="尖山区人民法院", room_name="第三法庭")
    assert (first["code"], second["code"]) == ("U+E000", "U+F0001")
    assert [(one["line"], one["label"]) for one in first["places"]] == [("", "案由"), ("u2", "原告"), ("u6", "原告")]
    assert [one["line"] for one in second["places"]] == ["u6"]
    for number in range(8):
        story.revise(f"u{number}", text="\ue000")
    [one] = unprinted(story.hearing, court_name="尖山区人民法院", room_name="第三法庭")
    assert (len(one["places"]), one["more"]) == (5, 4)
