"""The file of set phrases: what it may say, and the line of what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.phrases.fields import BLANK, fields_of, fill, kind_of, speaker_of
from edge.phrases.file import CASES, Phrase, PhraseFileError, parse
from edge.phrases.store import PhraseStore, default_text
from sync.errors import HearingError

CASE = {
    "case_no": "(2026)黑05民初123号",
    "cause": "民间借贷纠纷",
    "title": "张伟明诉李建国民间借贷纠纷一案",
    "parties": {"审判长": "赵敏", "原告": "张伟明", "被告": "李建国", "第三人": ""},
    "public": True,
    "procedure": "simplified",
}
ONE = '[[phrase]]\ngroup = "宣布开庭"\ntitle = "开庭"\ntext = "现在开庭。"\n'


def test_the_products_phrases_cover_all_kinds_of_cases_and_fill_in() -> None:
    phrases = parse(default_text())
    titles = " ".join(phrase.title for phrase in phrases)
    for needed in [
        "法庭纪律",
        "核对当事人",
        "权利义务告知",
        "回避告知",
        "虚假诉讼告知",
        "证人具结",
        "休庭",
        "闭庭",
        "核对笔录告知",
        "最后陈述",
    ]:
        assert needed in titles
    for case in CASES:
        assert sum(not phrase.cases or case in phrase.cases for phrase in phrases) >= 25
    known = fields_of(CASE, court_name="尖山区人民法院", room_name="第三法庭", opened_utc_ns=1)
    opening = next(phrase for phrase in phrases if phrase.title == "宣布开庭")
    filled = fill(opening, known)
    assert filled.missing == []
    assert "尖山区人民法院第三法庭今天依法公开开庭审理原告张伟明诉被告李建国民间借贷纠纷一案" in filled.text


def test_what_the_case_does_not_say_is_a_blank_and_is_named() -> None:
    phrase = Phrase("p", "g", "t", "审判长", (), "由{审判长}、{第三人}和{第三人}审理，{程序}")
    known = fields_of(CASE, court_name="", room_name="", opened_utc_ns=0)
    filled = fill(phrase, known)
    assert filled.text == f"由赵敏、{BLANK}和{BLANK}审理，简易程序"
    assert filled.missing == ["第三人"]
    assert "".join(part["text"] for part in filled.parts) == filled.text
    assert [part.get("field") for part in filled.parts if part.get("missing")] == ["第三人", "第三人"]
    assert "日期" not in known


def test_names_with_braces_are_words_not_fields() -> None:
    known = {"原告": "{被告}", "被告": "乙"}
    assert fill(Phrase("p", "g", "t", "审判长", (), "{原告}诉{被告}"), known).text == "{被告}诉乙"


@pytest.mark.parametrize(
    ("number", "cause", "kind"),
    [
        ("(2026)黑05民初123号", "", "民事"),
        ("（2025）沪0115刑初88号", "", "刑事"),
        ("(2024)京行终3号", "", "行政"),
        ("第5号", "民间借贷纠纷", "民事"),
        ("第5号", "故意伤害罪", "刑事"),
        ("第5号", "", ""),
    ],
)
def test_the_kind_of_procedure_is_read_from_the_number_or_the_cause(number: str, cause: str, kind: str) -> None:
    assert kind_of({"case_no": number, "cause": cause}) == kind


def test_who_presides_says_what_the_presiding_judge_says() -> None:
    seats = [{"id": "judge", "roles": ["审判员"]}, {"id": "clerk", "roles": ["书记员"]}]
    assert speaker_of("审判长", seats, {}) == ("审判员", "judge")
    assert speaker_of("审判长", seats, {"审判长": "赵敏"}) == ("审判长", "judge")
    assert speaker_of("书记员", seats, {}) == ("书记员", "clerk")
    assert speaker_of("证人", seats, {}) == ("证人", "")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a = 1\n", 1, "不认识“a”"),
        ("", 1, "没有一条"),
        (ONE + '\n[[phrase]]\ngroup = "甲"\ntitle = "乙', 8, "格式"),
        (ONE + '[[phrase]]\ngroup = "甲"\ntitle = "乙"\ntext = """\n第一行\n{原告}{某人}\n"""\n', 10, "{某人}"),
        (ONE + '[[phrase]]\ngroup = "甲"\ntitle = "乙"\n', 5, "没有 text"),
        (ONE + ONE, 7, "已有"),
        (ONE + '[[phrase]]\ngroup = "甲"\ntitle = "乙"\ncases = ["民商"]\ntext = "丙"\n', 8, "cases"),
        (ONE + '[[phrase]]\ngroup = "甲"\ntitle = "乙"\ntext = "{原告"\n', 8, "花括号"),
        (ONE + '[[phrase]]\ngroup = "甲"\ntitle = "乙"\ntxt = "丙"\n', 8, "txt"),
        (ONE + '[[phrase]]\ngroup = "甲"\ntitle = 5\ntext = "丙"\n', 7, "title"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(PhraseFileError) as caught:
        parse(text)
    assert caught.value.line == line
    assert says in caught.value.message


def test_a_head_inside_of_a_text_is_no_head() -> None:
    text = (
        '[[phrase]]\ngroup = "甲"\ntitle = "乙"\ntext = """\n[[phrase]]\n"""\n[[phrase]]\ngroup = "甲"\ntitle = "丙"\n'
    )
    with pytest.raises(PhraseFileError) as caught:
        parse(text)
    assert caught.value.line == 7


def test_a_rooms_own_roles_are_fields() -> None:
    text = ONE.replace("现在", "{调解员}现在")
    with pytest.raises(PhraseFileError):
        parse(text)
    assert parse(text, frozenset({"调解员"}))[0].text == "{调解员}现在开庭。"


def test_the_courts_own_file_wins_and_the_previous_one_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "own" / "phrases.toml"
    book = PhraseStore(path, frozenset())
    before = book.shelf()
    assert (before.own, before.text) == (False, default_text())
    first = book.save(ONE, before.version)
    assert (first.own, [phrase.title for phrase in first.phrases]) == (True, ["开庭"])
    book.save(ONE.replace("现在", "今天"), first.version)
    assert path.with_name("phrases.toml.previous").read_text(encoding="utf-8") == ONE
    with pytest.raises(HearingError, match="changed meanwhile"):
        book.save(ONE, first.version)
    with pytest.raises(PhraseFileError):
        book.save("[[phrase", None)
    assert book.shelf().phrases[0].text == "今天开庭。"


def test_a_file_that_was_broken_by_hand_is_said_and_the_products_phrases_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "phrases.toml"
    path.write_text(ONE + "[[phrase]]\n", encoding="utf-8")
    shelf = PhraseStore(path, frozenset()).shelf()
    assert shelf.error is not None
    assert shelf.error.line == 5
    assert shelf.own
    assert shelf.text.startswith(ONE)
    assert len(shelf.phrases) > 50
    path.write_bytes(b"\xff\xfe")
    assert PhraseStore(path, frozenset()).shelf().error is not None


@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_a_file_in_another_encoding_is_named_and_its_bytes_are_kept(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "phrases.toml"
    path.write_bytes(ONE.encode(encoding))
    book = PhraseStore(path, frozenset())
    shelf = book.shelf()
    assert shelf.error is not None
    assert "另存为" in shelf.error.message
    book.save(ONE, shelf.version)
    assert path.with_name("phrases.toml.previous").read_bytes() == ONE.encode(encoding)


def test_a_file_with_the_mark_and_line_ends_of_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "phrases.toml"
    path.write_bytes(ONE.replace("\n", "\r\n").encode("utf-8-sig"))
    shelf = PhraseStore(path, frozenset()).shelf()
    assert (shelf.own, shelf.error, [phrase.title for phrase in shelf.phrases]) == (True, None, ["开庭"])
