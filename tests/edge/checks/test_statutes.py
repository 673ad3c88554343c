"""Statutes that do not exist, have no such article, or are no longer in force."""

from __future__ import annotations

import pytest

from edge.checks.statutes import known
from tests.support.words.said import COUNSEL, found, words
from transcriber.correction.vocabulary.statutes import statutes


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("根据民法典第一千三百条", "民法典第一千三百条", None),
        ("《中华人民共和国民法典》第1261条", "《中华人民共和国民法典》第1261条", None),
        ("依据《民事诉讼法》第三百零七条", "《民事诉讼法》第三百零七条", None),
        ("民法典第五百七十七条、第一千三百条", "第一千三百条", None),
        ("依据民间借贷司法解释第三十五条", "民间借贷司法解释第三十五条", None),
        ("根据民法典合同编第一千九百条", "民法典合同编第一千九百条", None),
        ("根据合同法第二百条", "合同法", None),
        ("《中华人民共和国婚姻法》第二十四条", "中华人民共和国婚姻法", None),
        ("根据民法点第六百条", "民法点", "民法典"),
        ("民事诉公法第六十七条", "民事诉公法", "民事诉讼法"),
        ("依据借贷法第五条", "借贷法", None),
        ("《中华人民共和国买卖合同法》第五条", "中华人民共和国买卖合同法", None),
    ],
)
def test_a_citation_that_cannot_be_right_is_found(text: str, wrong: str, right: str | None) -> None:
    assert words((COUNSEL, text)) == [("statute", wrong, right)]


@pytest.mark.parametrize(
    "text",
    [
        "根据民法典第六百七十五条、第六百七十六条之规定",
        "依照《中华人民共和国民事诉讼法》第六十七条第一款、第一百四十五条",
        "适用原合同法第五十二条",
        "根据劳动合同法第四十七条",
        "《海商法》第二百条",  # in force, its articles not counted here
        "刑法第一百三十三条之一",
        "根据该法第五条和本办法第三条",
        "合同第五条约定，协议第二条没有约定",
        "依据最高人民法院关于审理民间借贷案件适用法律若干问题的规定第二十五条",
        "当时还没有民法典，适用合同法的规定",  # no article: speech about a law
    ],
)
def test_citations_that_are_right_or_cannot_be_judged_are_left_alone(text: str) -> None:
    assert words((COUNSEL, text)) == []


def test_a_repealed_law_says_since_when_and_what_stands_in_its_place() -> None:
    (one,) = found((COUNSEL, "根据物权法第九条"))
    assert "2021 年 1 月 1 日" in one.why
    assert "民法典物权编" in one.why


def test_every_law_that_the_engine_knows_is_known_here_with_the_same_count() -> None:
    for law in statutes():
        one = known()[law.title.removeprefix("中华人民共和国")]
        assert (one.articles, one.since) == (law.articles, "")


def test_what_is_said_to_be_repealed_or_counted_here_names_its_source() -> None:
    counted_elsewhere = {statute.title.removeprefix("中华人民共和国") for statute in statutes()}
    for law in known().values():
        if law.since or (law.articles is not None and law.title not in counted_elsewhere):
            assert law.source, law.title
    [finding] = found((COUNSEL, "根据合同法第二百条"))
    assert "民法典第一千二百六十条" in finding.why
