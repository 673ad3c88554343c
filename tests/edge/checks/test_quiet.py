"""No false alarms: correct words of other kinds of hearings, and the product's own phrases, raise nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from edge.checks.finding import facts_of
from edge.phrases.fields import fields_of, fill
from edge.phrases.file import parse
from edge.phrases.store import default_text
from tests.support.words.said import CASE, FACTS, SEATS, words

LABOR = """
审判员：现在核对当事人身份。原告，请说明你的姓名和住址。
原告：我叫周利，住本市岭东区，一九九零年二月二十八日出生。
审判员：被告，请说明单位名称和法定代表人。
被告代理人：被告是双鸭山市宏达建材有限公司，法定代表人高明，职务经理。
审判员：请原告陈述诉讼请求。
原告：第一，请求判令被告支付二零二五年三月至八月的工资三万六千元，每月六千元。第二，支付经济补偿金一万八千元。共计五万四千元。
审判员：请被告答辩。
被告代理人：原告每月工资四千五百元，不是六千元。三月份已经发了四千五百元，四月份发了三千元。我们对对方说的加班也不认可。
审判员：原告，被告说已经发了部分工资，是否属实？
原告：三月份的收到了，四月份的没有收到。后来我还还了他们两千元的借款。
审判员：双方对劳动关系的起止时间有无异议？
原告：没有异议，是二零二一年六月一日入职，二零二五年九月三十日离职。
被告代理人：没有异议。
审判员：下面由原告举证。
原告：证据一，劳动合同，证明约定月工资六千元。证据二，银行流水，证明二零二五年三月三十一日发了四千五百元。
审判员：请被告质证。
被告代理人：真实性、合法性没有异议，证明目的有异议，不能证明月工资为六千元，合同里写的是基本工资四千元加绩效。
审判员：根据劳动合同法第四十六条、第四十七条，经济补偿按工作年限支付。双方是否愿意调解？
原告：可以，可以，少一点也行。
被告代理人：愿意调解，最多给三万元。
审判员：原告的意见呢？
原告：三万五我就同意。
审判员：请双方庭后商量商量。今天的庭审到此结束。
"""
CRIMINAL = """
审判长：被告人，说明你的姓名、出生日期和文化程度。
被告人：王志强，一九七八年十二月三十一日出生，初中文化。
审判长：被告人王志强，是否申请回避？
被告人：不申请。
审判长：请公诉人宣读起诉书。
公诉人：二零二四年二月二十九日二十二时许，被告人王志强在本市某小区盗窃电动自行车一辆，价值人民币二千三百元。同年三月五日，又盗窃手机一部，价值一千八百元。盗窃金额共计四千一百元。
审判长：被告人，对起诉书指控的犯罪事实有什么意见？
被告人：没有意见，我认罪认罚，我对不起被害人。
审判长：控辩双方有无新的证据提交？
公诉人：没有。
辩护人：没有新的证据。
审判长：现在进行法庭辩论。
公诉人：被告人的行为触犯了《中华人民共和国刑法》第二百六十四条，应当以盗窃罪追究刑事责任。依据刑事诉讼法第十五条、第二百零一条，建议判处有期徒刑六个月，并处罚金二千元。
辩护人：被告人系初犯、偶犯，已退赔被害人一千八百元，依法可以从轻处罚。
审判长：被告人，你有最后陈述的权利。
被告人：请求从轻处罚。
审判长：现在休庭。
"""


def dialogue(text: str) -> list[tuple[str, str]]:
    """`role：words` lines."""
    return [(role, said) for role, said in (line.split("：", 1) for line in text.strip().splitlines())]


def test_a_labor_case_as_it_is_said_raises_nothing() -> None:
    parties = {"审判员": "赵敏", "原告": "周丽", "被告": "双鸭山市宏达建材有限公司"}
    facts = facts_of({"cause": "劳动争议", "parties": parties}, SEATS, [], dt.date(2026, 11, 22))
    said = [(role, text.replace("周利", "周丽")) for role, text in dialogue(LABOR)]
    assert words(*said, facts=facts) == []
    assert words(*dialogue(LABOR), facts=facts) == [("name", "周利", "周丽")]


def test_a_criminal_case_as_it_is_said_raises_nothing() -> None:
    parties = {"审判长": "钱进", "公诉人": "吴刚", "被告人": "王志强", "辩护人": "冯超"}
    seats = [{"id": "a", "roles": ["公诉人"]}, {"id": "b", "roles": ["被告人", "辩护人"]}]
    facts = facts_of({"cause": "盗窃罪", "parties": parties}, seats, [], dt.date(2026, 11, 22))
    assert words(*dialogue(CRIMINAL), facts=facts) == []


def test_the_products_own_phrases_raise_nothing() -> None:
    known = fields_of(CASE, court_name="尖山区人民法院", room_name="第三法庭", opened_utc_ns=1_790_000_000_000_000_000)
    for phrase in parse(default_text()):
        text = fill(phrase, known).text
        assert words((phrase.role, text), facts=FACTS) == [("blank", "____", None)] * text.count("____"), phrase.title


@pytest.mark.parametrize(
    "said", ["《第一条", "的", "一", "1", "一元、", "借款一元", "二零二二年六月一日", "法第一条", "一（"]
)
def test_no_words_keep_the_checks_busy(said: str) -> None:
    text = said * (4000 // len(said))
    for kind, found, _ in words(("审判长", text), ("原告", text)):
        assert found in text, kind
