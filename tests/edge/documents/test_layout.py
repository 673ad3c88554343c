"""Whatever is said and however long it is, it stands inside the margins of the paper, whole, and over nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import pypdfium2
import pytest

from edge.documents.form import form_of
from edge.documents.pdf import LEFT, RIGHT, pdf_of
from sync.record.hearing import Hearing
from tests.support.words.signed_hearing import HEARING, PARTIES, S, Story, drawn
from wutong.export.pdf import explanation_pdf

pytestmark = pytest.mark.process  # fontconfig is asked for the fonts

_MM_PER_PT = 25.4 / 72
LONG_ROLE = "第三人委托诉讼代理人兼法定代理人之近亲属暨翻译人员某某公司法务部负责"
SAYINGS = {
    "no mark in it": "甲" * 3000 + "终",
    "one Latin word": "A" * 1200 + "END",
    "an address": "https://example.test/" + "a1b2-" * 200 + "END",
    "only closing marks": "，。！？" * 300 + "终",
    "only opening brackets": "（《" * 300 + "终",
    "a row of dashes": "—" * 900 + "终",
    "leftward": "نص طويل جدا " * 100 + "终",
    "both ways": "他说 ئۇيغۇر تىلى 的意思是 " * 40 + "终",
    "no blank between words": "ภาษาไทย" * 120 + "终",
    "combining": "e\u0301a\u0308" * 200 + "终",
    "a variant": "葛\U000e0100城" * 60 + "终",
    "a paragraph each": "一\n" * 120 + "终",
}


class Letter(NamedTuple):
    page: int
    left: float
    right: float
    base: float
    top: float
    """Each in mm; `base` and `top` from the foot of the page."""

    def over(self, other: Letter) -> bool:
        """Whether the two stand on each other, and not only close."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.top, other.top) - max(self.base, other.base)
        return self.page == other.page and wide > 0.4 and high > 0.4


def letters(pdf: bytes) -> Iterator[Letter]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        for number, page in enumerate(document):
            text = page.get_textpage()
            for i in range(text.count_chars()):
                left, bottom, right, top = (at * _MM_PER_PT for at in text.get_charbox(i))
                if right - left > 0.1:
                    yield Letter(number, left, right, bottom, top)
            text.close()
            page.close()
    finally:
        document.close()


def words_in(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "".join("".join(page.get_textpage().get_text_range().split()) for page in document)
    finally:
        document.close()


def inside(pdf: bytes) -> bool:
    # A closing mark may hang out of a row by its own width.
    return all(one.left > LEFT - 1 and one.right < RIGHT + 6 and 6 < one.base < 280 for one in letters(pdf))


def of(story: Story, court: str = "尖山区人民法院") -> bytes:
    return pdf_of(form_of(story.hearing, court_name=court, room_name="第三法庭"))


def with_case(**changed: object) -> Story:
    story = Story(5)
    opening = story.events[0].body
    case = {**opening["case"], **changed}
    story.events[0] = story.events[0].__class__(1, HEARING, "open", 100 * S, 0, {**opening, "case": case})
    story.hearing = Hearing.of(HEARING, story.events)
    return story


@pytest.mark.parametrize("said", SAYINGS.values(), ids=SAYINGS)
def test_what_is_said_stays_inside(said: str) -> None:
    story = Story(5)
    story.revise("u0", text=said, role="证人")
    made = of(story)
    assert inside(made)
    assert said[-1] in words_in(made)
    # Two thousand characters fill less than four pages, and nothing here is longer than three times that.
    assert max(one.page for one in letters(made)) < 6


def test_long_roles_names_and_courts_are_whole_and_inside() -> None:
    parties = {
        LONG_ROLE: "阿卜杜热西提·买买提艾力、" + "欧阳娜仁托娅" * 6,
        "证人": "周某",
        "审判长": "赵敏",
        "书记员": "孙丽",
    }
    story = with_case(
        parties=parties, case_no="(2026)黑龙江省齐齐哈尔市铁锋区人民法院互联网法庭民事第一审普通程序123号"
    )
    story.revise("u0", text="我同意调解。", role=LONG_ROLE)
    court = "黑龙江省齐齐哈尔市铁锋区人民法院" * 5
    made = of(story, court)
    assert inside(made)
    words = words_in(made)
    assert court in words
    assert words.count(LONG_ROLE) == 1 + 2 + 2, "who was there, who spoke, and who signs"
    assert "欧阳娜仁托娅" * 6 in words


def test_when_somebody_signed_stands_clear_of_who_it_was() -> None:
    name = "阿卜杜热西提·买买提艾力"
    story = with_case(parties={**PARTIES, "法定代理人": name}).sign()
    who = {"id": "s9", "transcript": story.hearing.signing.versions[-1].sha256, "role": "法定代理人", "name": name}
    story.say("signature", story.end_s + 90, **who, act="sign", reason="", size=[900, 300], strokes=drawn(1))
    made = of(story)
    assert f"法定代理人：{name}" in words_in(made)
    shown = list(letters(made))
    assert len(shown) > 300
    assert not any(one.over(other) for one, other in combinations(shown, 2))


def test_an_explanation_stays_inside() -> None:
    text = "关于录音录像中断的说明\n" + "因" * 900 + "\n" + "x" * 700 + "\n\n" + "——" * 300
    made = explanation_pdf(text)
    assert all(one.left > 20 and one.right < 194 for one in letters(made))
