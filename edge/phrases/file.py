"""The file of set phrases (TOML): what it may say, and the line and column of what is wrong with it.

Promises: `parse` takes a whole file or none of it; every error names its line, counted from 1, in words that the person
who edits the file understands. Refuses: fields that no case has, two phrases of one name, and files beyond `MAX_BYTES`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

from sync.errors import HearingError
from sync.runtime.files.handwritten import HandwrittenError, toml_of
from sync.text.characters import clean_line, clean_words

MAX_BYTES: Final = 256 * 1024
MAX_PHRASES: Final = 500
MAX_TEXT: Final = 4000
"""Characters of one phrase."""
CASES: Final = ("民事", "刑事", "行政")
OF_CASE: Final = ("法院", "法庭", "案号", "案由", "案件", "日期", "程序", "公开")
_ROLE_WORDS: Final = (
    "审判长 审判员 法官 人民陪审员 法官助理 书记员 法警 原告 被告 第三人 原告代理人 被告代理人 第三人代理人 "
    "原告诉讼代理人 被告诉讼代理人 法定代理人 上诉人 被上诉人 申请人 被申请人 公诉人 自诉人 被告人 被害人 辩护人 "
    "证人 鉴定人 翻译人员 有专门知识的人"
)
ROLES: Final = frozenset(_ROLE_WORDS.split())
"""Whose names a phrase may ask for, beside the roles of the room's own seats."""
FIELD: Final = re.compile(r"\{([^{}]*)\}")
_KEYS: Final = ("group", "title", "role", "cases", "text")


class PhraseFileError(HearingError):
    """A file of set phrases that cannot be used; says where."""

    code = "invalid"

    def __init__(self, what: str, english: str, *, line: int, column: int = 1) -> None:
        super().__init__(f"第 {line} 行：{what} (line {line}: {english})")
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase as the court wrote it."""

    id: str
    group: str
    title: str
    role: str
    cases: tuple[str, ...]
    """民事, 刑事, 行政; empty: all of them."""
    text: str
    """With its fields in braces."""


def parse(text: str, roles: frozenset[str] = frozenset()) -> list[Phrase]:
    """Read a file; `roles` are those of the room beside the usual ones. `PhraseFileError` says what is wrong where."""
    if len(text.encode()) > MAX_BYTES:
        raise PhraseFileError("文件太大", f"the file is larger than {MAX_BYTES // 1024} KiB", line=1)
    try:
        raw = toml_of(text)
    except HandwrittenError as error:
        raise PhraseFileError(error.what, error.english, line=error.line, column=error.column) from error
    heads = _heads(text)
    strange = sorted(raw.keys() - {"phrase"})
    if strange:
        line = _line_of(text, rf"^\s*\[*\s*{re.escape(strange[0])}\b")
        raise PhraseFileError(f"不认识“{strange[0]}”，每条用语以 [[phrase]] 开头", "not known here", line=line)
    entries = raw.get("phrase", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PhraseFileError("每条用语以 [[phrase]] 开头", "phrases begin with [[phrase]]", line=1)
    if not entries:
        raise PhraseFileError("文件里没有一条用语", "the file has no phrase", line=1)
    if len(entries) > MAX_PHRASES:
        raise PhraseFileError(f"用语超过 {MAX_PHRASES} 条", "too many phrases", line=1)
    found: dict[str, Phrase] = {}
    for number, entry in enumerate(entries):
        where = _Entry(text, heads, number)
        phrase = _phrase(entry, where, roles)
        if phrase.id in found:
            what = f"“{phrase.group}”组里已有“{phrase.title}”，换一个名称"
            raise PhraseFileError(what, "this name is taken in its group", line=where.line("title"))
        found[phrase.id] = phrase
    return list(found.values())


class _Entry:
    """Where an entry and its keys are in the text."""

    def __init__(self, text: str, heads: list[int], number: int) -> None:
        lines = text.split("\n")
        self.first = heads[number] if number < len(heads) else 1
        last = heads[number + 1] - 1 if number + 1 < len(heads) else len(lines)
        self._lines = lines[self.first - 1 : last]

    def line(self, key: str) -> int:
        """The line of a key; that of the entry's head where it has none."""
        return self._first(lambda line: re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line) is not None)

    def holding(self, words: str) -> int:
        """The first line that has these words."""
        return self._first(lambda line: words in line)

    def _first(self, fits: Any) -> int:
        return next((self.first + i for i, line in enumerate(self._lines) if fits(line)), self.first)


def _phrase(entry: dict[str, Any], where: _Entry, roles: frozenset[str]) -> Phrase:
    for key in entry:
        if key not in _KEYS:
            raise PhraseFileError(f"不认识“{key}”，可用的是 {' '.join(_KEYS)}", "not known", line=where.line(key))
    words = {key: _words(entry, key, where, most) for key, most in (("group", 20), ("title", 30), ("text", MAX_TEXT))}
    role = _words({"role": "审判长", **entry}, "role", where, 40)
    cases = entry.get("cases", [])
    if not isinstance(cases, list) or any(case not in CASES for case in cases):
        what = f"cases 应为 {'、'.join(CASES)} 中的若干个"
        raise PhraseFileError(what, "cases are not what they can be", line=where.line("cases"))
    text = "".join(line.strip() for line in words["text"].splitlines())
    for name in FIELD.findall(text):
        if name not in OF_CASE and name not in ROLES and name not in roles:
            what = f"没有“{{{name}}}”这个栏目，可用的是 {' '.join(OF_CASE)} 和诉讼地位"
            raise PhraseFileError(what, "there is no such field", line=where.holding(f"{{{name}}}"))
    if "{" in FIELD.sub("", text) or "}" in FIELD.sub("", text):
        raise PhraseFileError("花括号不成对", "a brace without its other one", line=where.line("text"))
    name = hashlib.sha256(f"{words['group']}\n{words['title']}".encode()).hexdigest()[:12]
    return Phrase(name, words["group"], words["title"], role, tuple(cases), text)


def _words(entry: dict[str, Any], key: str, where: _Entry, most: int) -> str:
    value = entry.get(key)
    if value is None:
        raise PhraseFileError(f"这条用语没有 {key}", f"{key} is missing", line=where.first)
    if not isinstance(value, str) or not clean_words(value).strip():
        raise PhraseFileError(f"{key} 应为文字，不能为空", f"{key} is not words", line=where.line(key))
    if len(value) > most:
        raise PhraseFileError(f"{key} 超过 {most} 字", f"{key} is too long", line=where.line(key))
    return (clean_words if key == "text" else clean_line)(value).strip()


def _heads(text: str) -> list[int]:
    """The lines (from 1) at which phrases begin; what stands in a text of several lines is no head."""
    heads, quoted = [], ""
    for number, line in enumerate(text.split("\n"), start=1):
        if not quoted and re.match(r"\s*\[\[\s*\"?phrase\"?\s*\]\]", line):
            heads.append(number)
        for mark in re.findall(r'"""|\'\'\'', line):
            if not quoted:
                quoted = mark
            elif quoted == mark:
                quoted = ""
    return heads


def _line_of(text: str, pattern: str) -> int:
    found = re.search(pattern, text, re.MULTILINE)
    return 1 if found is None else text.count("\n", 0, found.start()) + 1
