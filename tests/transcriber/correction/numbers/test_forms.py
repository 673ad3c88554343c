"""Numbers take the court's form and keep their value; words with numerals in them are no numbers."""

from __future__ import annotations

import re
from fractions import Fraction

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.correction.numbers.forms import Form, in_form, rewrite
from transcriber.correction.numbers.numerals import value, whole, written

ALIKE = [
    ("三十万元", "30万元"),
    ("三万五千六百元", "35600元"),
    ("一亿两千万元", "1.2亿元"),
    ("二〇二三年六月一日", "2023年6月1日"),
    ("一九八五年三月十二日", "1985年3月12日"),
    ("年利率百分之六", "年利率6%"),
    ("百分之三点八五", "3.85%"),
    ("千分之五", "5‰"),
    ("民法典第六百七十五条", "民法典第675条"),
    ("十四时三十分", "14时30分"),
    ("三点五万元", "3.5万元"),
]
WHOLE: list[tuple[str, str, str | None]] = [
    ("2023年6月至九月", "2023年6月至9月", "二〇二三年六月至九月"),
    ("二〇二三年六月至九月", "2023年6月至9月", "二〇二三年六月至九月"),
    ("6月1号到七号", "6月1号到7号", "六月一号到七号"),
    ("六月一号到七号", "6月1号到7号", "六月一号到七号"),
    ("二〇二三年六月十五至二十日", "2023年6月15至20日", "二〇二三年六月十五至二十日"),
    ("二〇二二年三月一日、三日和八日", "2022年3月1日、3日和8日", "二〇二二年三月一日、三日和八日"),
    ("二〇二一年至二〇二三年", "2021年至2023年", "二〇二一年至二〇二三年"),
    ("3200元五角八分", "3200.58元", "三千二百元五角八分"),
    ("三千二百元五角八分", "3200.58元", "三千二百元五角八分"),
    ("三千二百元零五分", "3200.05元", "三千二百元零五分"),
    ("三十万元五角", "300000.5元", "三十万元五角"),
    ("三十到五十万元", "30到50万元", "三十到五十万元"),
    ("三到5万元", "3到5万元", "三到五万元"),
    ("三万元至五万元", "3万元至5万元", "三万元至五万元"),
    ("百分之五到百分之八", "5%到8%", "百分之五到百分之八"),
    ("百分之三十到四十", "30%到40%", "百分之三十到四十"),
    ("十四时三十分到十五时", "14时30分到15时", "十四时三十分到十五时"),
    ("三点二十分到四点半", "3点20分到4点半", "三点二十分到四点半"),
    ("第六百七十五条第二款第一项", "第675条第2款第1项", "第六百七十五条第二款第一项"),
    ("第六百七十五条、六百七十六条", "第675条、676条", "第六百七十五条、六百七十六条"),
    ("第二百九十三条之一", "第293条之一", "第二百九十三条之一"),
    ("138零零一三八零零零", "13800138000", "138零零一三八零零零"),
    ("幺三八，零零一三，八零零零", "138，0013，8000", "幺三八，零零一三，八零零零"),
    ("电话是一三八一二三四五六七八，二零二三年办的", "电话是13812345678，2023年办的", None),
    ("卡号六二二二零二零一一，二零二三年六月一日开的", "卡号622202011，2023年6月1日开的", None),
    ("身份证二三零一零三，一九八五零三一二，零零一八", "身份证230103，19850312，0018", None),
    ("总人数百分之五十", "总人数50%", "总人数百分之五十"),
    ("二〇二一年元月十五日", "2021年元月15日", "二〇二一年元月十五日"),
    ("九月八号或者九号", "9月8号或者9号", "九月八号或者九号"),
    ("六月三日还是四日", "6月3日还是4日", "六月三日还是四日"),
    ("百分之八，一三八一二三四五六七八是电话", "8%，13812345678是电话", "百分之八，一三八一二三四五六七八是电话"),
    ("二十点零五分", "20点05分", "二十点零五分"),
    ("零时零零分", "0时00分", "零时零零分"),
    ("代码九一二三零一零三MA一八", "代码91230103MA18", None),
    ("单号SF一零二三四五六七八九，", "单号SF1023456789，", None),
    ("百分之五、百分之六和百分之七", "5%、6%和7%", "百分之五、百分之六和百分之七"),
    ("这张三十万元的借条", "这张30万元的借条", "这张三十万元的借条"),
]
"""(as it was heard, in digits, in characters or None where that is as heard): it has one form from end to end."""
AS_HEARD = [
    "农历八月十五日",
    "农历二〇二三年八月十五日",
    "农历八月十五日到八月二十日",
    "阴历七月初七",
    "闰四月十五日",
    "六月三十五日",
    "二〇二三年六月至九十月",
    "三万到五万左右",
    "借款万元",
    "三十万三十万元",
    "三四十万元",
    "一万六七千元",
    "三万一天的利息",
    "三千一年",
    "三、五万元",
    "三点二十分到四点一刻",
    "六月一日至七",
    "六月一日到三号楼",
    "合同编号为二零二三零六零一号",
    "账号六二二二零二零零零零一一一一二二二二号",
    "编号一二三四五六七八点",
    "一二三四五六七八万",
    "圆周率是三点一四一五九二六五",
    "两一三八一二三四五六七",
    "三百分之一",
    "五千分之一",
    "占三百分之二的份额",
    "数百分之一",
    "百分之三十几",
    "百分之三十多",
    "百分之五点几",
    "百分之五或者六",
    "百分之五、六",
    "二〇二三年五六月份",
    "二〇二三年十二月的三十日",
    "零二年三月五日",
    "判处一年二月三日",
    "两千、三千和五千元",
    "三千或者五千元",
    "十五元八",
    "一元五",
    "周二十点三十分",
    "星期一十点三十分",
    "初二十点三十分",
    "给小三十万元",
    "付给张三十万元",
    "李四十万元",
]
"""What is not rewritten, since some of it would stay, or another calendar is meant."""
NO_NUMBERS = [
    "一份，一下，第一，万一，三番五次，十万火急",
    "他一五一十地说",
    "几万元，三十多万元，一二万元",
    "千真万确，一万年",
    "第一次庭审，第二份证据",
    "三百块",
]


@pytest.mark.parametrize(("chinese", "arabic"), ALIKE)
def test_a_number_is_written_in_the_form_that_the_court_chose(chinese: str, arabic: str) -> None:
    assert in_form(f"即{chinese}，", "arabic") == f"即{arabic}，"
    spoken = chinese.replace("两", "二")
    assert value(written(10)) == 10
    assert in_form(f"即{arabic}，", "chinese").replace("一点二亿", "一亿二千万").replace(
        "三万五千六百", "三万五千六百"
    ) == (f"即{spoken}，")


@pytest.mark.parametrize(("heard", "digits", "characters"), WHOLE)
def test_an_expression_is_rewritten_whole(heard: str, digits: str, characters: str | None) -> None:
    assert in_form(f"即{heard}，", "arabic") == f"即{digits}，"
    assert in_form(f"即{heard}，", "chinese") == f"即{characters or heard}，"


@pytest.mark.parametrize("text", AS_HEARD)
def test_an_expression_that_cannot_be_rewritten_whole_stays_as_it_was_heard(text: str) -> None:
    assert in_form(f"即{text}，", "arabic") == f"即{text}，"


def test_the_civil_date_beside_another_calendars_is_rewritten() -> None:
    text = "农历八月十五日，即二〇二三年九月二十九日"
    assert in_form(text, "arabic") == "农历八月十五日，即2023年9月29日"
    assert in_form("农历8月15日", "chinese") == "农历八月十五日"


@pytest.mark.parametrize(
    "before",
    [
        "收回历年",
        "他返回历城区是在",
        "张闰土在",
        "华夏历史馆于",
        "收藏历时三年，到",
        "古老历史街区自",
        "撤回历次起诉后于",
    ],
)
def test_words_that_hold_the_name_of_a_calendar_name_none(before: str) -> None:
    assert in_form(f"{before}二〇二三年六月一日", "arabic") == f"{before}2023年6月1日"


@pytest.mark.parametrize("named", ["回历", "旧历", "老历", "夏历", "藏历", "伊斯兰历", "农历闰", "今年闰"])
def test_a_date_of_a_named_calendar_stays(named: str) -> None:
    for month in ("四月十五日", "四月初五到八月二十日"):
        assert in_form(named + month, "arabic") == named + month


def test_a_range_does_not_reach_over_another_thing() -> None:
    assert in_form("借款三十万元到二〇二三年六月一日归还", "arabic") == "借款30万元到2023年6月1日归还"
    assert in_form("还了三十万元一分不少", "arabic") == "还了30万元一分不少"


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_idioms_and_vague_numbers_stay(text: str) -> None:
    assert in_form(text, "arabic") == text


@pytest.mark.parametrize("text", ["￥35,600.00元", "(2026)黑05民初123号", "电话13812345678", "A4纸", "GB/T 15835-2011"])
def test_names_made_of_digits_stay(text: str) -> None:
    assert in_form(text, "chinese") == text


def test_each_number_says_what_it_is() -> None:
    found = rewrite("二零二二年六月一日借款三十万元，年利率百分之六", "arabic")
    assert [(r.old, r.new, r.why) for r in found] == [
        ("二零二二年六月一日", "2022年6月1日", "日期"),
        ("三十万元", "30万元", "金额"),
        ("百分之六", "6%", "比率"),
    ]


def test_spoken_short_forms_have_their_value() -> None:
    assert [whole(t) for t in ("三百五", "两万三", "一百零五", "十", "二十")] == [350, 23000, 105, 10, 20]
    assert [whole(t) for t in ("三五", "十百", "万", "零三十零")] == [None, None, None, None]


@given(st.integers(0, 10**12 - 1))
def test_a_numeral_is_read_as_it_was_written(number: int) -> None:
    assert value(written(number)) == number


@given(st.integers(0, 10**8 - 1))
def test_numerals_are_written_as_others_write_them(number: int) -> None:
    assert int(cn2an.cn2an(written(number), "normal")) == number


@given(st.integers(1, 10**9), st.sampled_from(["arabic", "chinese"]))
def test_an_amount_keeps_its_value_in_both_forms(number: int, form: Form) -> None:
    for text in (f"借款{written(number)}元。", f"借款{number}元。"):
        there = in_form(text, form)
        assert in_form(there, form) == there
        digits = in_form(there, "arabic").removeprefix("借款").removesuffix("元。")
        assert _worth(digits) == number


def _worth(digits: str) -> int:
    for name, size in (("亿", 10**8), ("万", 10**4)):
        if digits.endswith(name):
            return round(float(digits.removesuffix(name)) * size)
    return int(digits)


@given(st.text("一二三四五六七八九十百千万亿零两第几年月日元条点分之份下，。0123456789%", max_size=20))
def test_any_text_has_a_form_that_stays(text: str) -> None:
    for form in ("arabic", "chinese"):
        once = in_form(text, form)
        assert in_form(once, form) == once


@pytest.mark.parametrize(
    "row", ["一", "十", "万", "一万", "一十", "一千零", "百分之一", "第一", "二点五", "9", "1,234"]
)
def test_a_long_row_of_numerals_takes_no_longer_than_it_is(row: str) -> None:
    for form in ("arabic", "chinese"):
        once = in_form(row * 1000 + "。", form)
        assert in_form(once, form) == once


def test_two_long_numbers_read_out_together_are_digits() -> None:
    assert in_form("二三零一零三一九八五零三一二零零一八六二二二零二零二零零一一二二三三四四五", "arabic") == (
        "2301031985031200186222020200112233445"
    )


_PARTS = (
    *("六月", "6月", "七号", "7号", "二〇二三年", "2023年", "三千元", "3000元", "五角", "八分", "三十", "30", "万元"),
    *("万", "百分之五", "5%", "十四时", "14时", "三十分", "第六条", "第二款", "八八八八", "8888"),
)
_PART = st.sampled_from(_PARTS)
_MIXED = re.compile(r"\d(?P<unit>[年月日号时点分元角条款])(?:至|到)[零一二三四五六七八九十百千]+(?P=unit)")


@given(st.lists(st.tuples(_PART, st.sampled_from(["", "至", "到", "、", "，", "和"])), max_size=6))
def test_no_rewriting_leaves_a_range_half_done(parts: list[tuple[str, str]]) -> None:
    text = "即" + "".join(a + b for a, b in parts) + "。"
    there = in_form(text, "arabic")
    assert in_form(there, "arabic") == there
    for found in _MIXED.finditer(there):
        assert found.group() in text, "what is half in digits was heard so"


@given(st.integers(1, 10**8), st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_an_amount_with_its_parts_keeps_its_value(yuan: int, jiao: int, fen: int, in_digits: bool) -> None:
    parts = (f"{written(jiao)}角" if jiao else "") + (("" if jiao else "零") + f"{written(fen)}分" if fen else "")
    there = (
        in_form(f"付{yuan if in_digits else written(yuan)}元{parts}。", "arabic")
        .removeprefix("付")
        .removesuffix("元。")
    )
    assert value(there) == yuan + Fraction(10 * jiao + fen, 100)


@pytest.mark.parametrize("text", ["万", "亿", "百", "千", "十百", "", "点五"])
def test_what_says_no_number_is_not_0(text: str) -> None:
    assert value(text) is None


def test_a_number_is_read_in_every_way_it_is_written() -> None:
    assert value("一万亿") == 10**12
    assert value("一万三千亿") == 13 * 10**11
    assert value("壹佰贰拾萬") == 1_200_000
    assert value("1.2亿") == 120_000_000
    assert value("二零二二") == 2022


@pytest.mark.parametrize("number", [100_001_000, 500_006_920, 83_700_004_486])
def test_an_empty_ten_thousand_is_said(number: int) -> None:
    assert "亿零" in written(number)
    assert value(written(number)) == number
