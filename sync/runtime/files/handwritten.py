"""Files that people write: the one reader of them all, which takes what editors make or says what is wrong where.

Promises: UTF-8 with or without its mark and with any ends of line is read. Anything else is a `HandwrittenError` with
line and column: another encoding is named together with how to save as UTF-8, and so are NULs, full-width signs and
curly quotes outside of strings, a string that a curly quote was to end, and a key that is there twice. No byte makes
anything else of it. Refuses files beyond `MAX_BYTES`. A message holds no more of the file than one sign or one key.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sync.errors import ConfigError

MAX_BYTES: Final = 4 << 20

_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_SAVE: Final = (
    "用记事本打开，选“文件”→“另存为”，编码选“UTF-8”，再保存",
    "open it in an editor, choose “Save as” and the encoding UTF-8",
)
_RIGHT: Final = {
    "“": '"', "”": '"', "„": '"', "〝": '"', "〞": '"', "«": '"', "»": '"',
    "‘": "'", "’": "'", "「": '"', "」": '"', "『": '"', "』": '"',
    "，": ",", "、": ",", "。": ".", "．": ".", "：": "=", "【": "[", "】": "]", "〔": "[", "〕": "]",
    "－": "-", "—": "-", "–": "-", "−": "-",
}  # fmt: skip
"""What was meant; the other full-width forms are those of ASCII (NFKC)."""
_CLOSING: Final = "”＂〞“„〝"
_AT: Final = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_KEY: Final = re.compile(r"""\s*\[*\s*((?:[A-Za-z0-9_.-]|"[^"]*"|'[^']*')+)""")
_MOST_SHOWN: Final = 40
_CJK_SHARE: Final = 0.3


class HandwrittenError(ConfigError):
    """A file that somebody wrote cannot be taken; `what` in Chinese and `english` say why, at `line` and `column`."""

    def __init__(self, what: str, english: str, *, line: int = 1, column: int = 1, name: str = "") -> None:
        where = f"{name} " if name else ""
        super().__init__(f"{where}第 {line} 行第 {column} 列：{what} ({where}line {line}, column {column}: {english})")
        self.what, self.english, self.line, self.column = what, english, line, column

    def of(self, name: str) -> HandwrittenError:
        """The same, named."""
        return HandwrittenError(self.what, self.english, line=self.line, column=self.column, name=name)


def read_text(path: Path, what: str, *, most: int = MAX_BYTES) -> str:
    """The text of a file, which errors call `what`; lines end with a plain newline."""
    name = f"{what} {path}"
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ConfigError(f"{name} 读不出：{error.strerror} ({name} cannot be read: {error.strerror})") from error
    try:
        return text_of(data, most=most)
    except HandwrittenError as error:
        raise error.of(name) from None


def read_toml(path: Path, what: str, *, most: int = MAX_BYTES) -> dict[str, Any]:
    """The value of a TOML file, which errors call `what`."""
    text = read_text(path, what, most=most)
    try:
        return toml_of(text)
    except HandwrittenError as error:
        raise error.of(f"{what} {path}") from None


def text_of(data: bytes, *, most: int = MAX_BYTES) -> str:
    """The text of bytes that somebody saved."""
    if len(data) > most:
        raise HandwrittenError(f"文件超过 {most // 1024} KiB", f"the file is larger than {most // 1024} KiB")
    named = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not named and b"\0" in data and _is_wide(data):
        named = "UTF-16"
    if named:
        raise _other(f"{named}（记事本里的“Unicode”）", named)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode("utf-8-sig", errors="replace"))
        if _is_gbk(data):
            raise _other("GBK / GB18030（记事本里的“ANSI”）", "GBK / GB18030", line, column) from None
        byte = data[error.start]
        raise HandwrittenError(
            f"不是 UTF-8 文字（字节 0x{byte:02X}）；{_SAVE[0]}",
            f"not UTF-8 (byte 0x{byte:02X}); {_SAVE[1]}",
            line=line,
            column=column,
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    at = text.find("\0")
    if at >= 0:
        line, column = _place(text[:at])
        raise HandwrittenError(
            "有不可见的 NUL 字符，请删去；文件也可能已损坏",
            "a NUL character; delete it, or the file is damaged",
            line=line,
            column=column,
        )
    return text


def toml_of(text: str) -> dict[str, Any]:
    """The value of a text in TOML."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        wrong, strange = _not_toml(str(error), text), _strange(text)
        raise wrong if strange is None or strange.line > wrong.line else strange from None
    except (RecursionError, ValueError) as error:  # nested without end; a number that no machine holds
        raise HandwrittenError("内容无法读取，嵌套或数字过大", f"cannot be taken: {type(error).__name__}") from None


def _other(chinese: str, english: str, line: int = 1, column: int = 1) -> HandwrittenError:
    return HandwrittenError(
        f"文件编码是 {chinese}，应为 UTF-8：{_SAVE[0]}",
        f"the encoding is {english}, and UTF-8 is wanted: {_SAVE[1]}",
        line=line,
        column=column,
    )


def _is_wide(data: bytes) -> bool:
    """Text in two bytes a character, without its mark: NULs are nearly all on one side."""
    even, odd = data[::2].count(0), data[1::2].count(0)
    if len(data) % 2 or min(even, odd) * 4 > max(even, odd):
        return False
    try:
        text = data.decode("utf-16-le" if odd >= even else "utf-16-be")
    except UnicodeDecodeError:
        return False
    return all(c in "\r\n\t" or unicodedata.category(c) not in ("Cc", "Cn", "Co") for c in text)


def _is_gbk(data: bytes) -> bool:
    """Whether the bytes are Chinese text by the national standard, and not just any bytes."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    odd = [c for c in text if not c.isascii()]
    if any(c < " " and c not in "\r\n\t" for c in text) or any(unicodedata.category(c) in ("Cn", "Co") for c in odd):
        return False
    return sum("\u4e00" <= c <= "\u9fff" for c in odd) >= _CJK_SHARE * len(odd)


def _place(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what comes after this text."""
    before = before.replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _strange(text: str) -> HandwrittenError | None:
    """The first sign outside of strings and remarks that TOML has only inside of them, or a string ended by one."""
    for at, c, inside in _signs(text):
        line, column = _place(text[:at])
        right = _RIGHT.get(c) or unicodedata.normalize("NFKC", c)
        if inside:
            return HandwrittenError(
                f"“{c}”是中文引号，字符串应以半角 {right} 结束",
                f"“{c}” ends no string; write {right}",
                line=line,
                column=column,
            )
        if c.isspace() or unicodedata.category(c) in ("Zs", "Cf"):
            name = f"U+{ord(c):04X}"
            return HandwrittenError(
                f"有全角或特殊空格（{name}），请改为半角空格",
                f"a blank that is none ({name}); write a plain one",
                line=line,
                column=column,
            )
        if len(right) == 1 and right.isascii() and right.isprintable():
            return HandwrittenError(
                f"“{c}”是全角字符，请改为半角 {right}",
                f"“{c}” is a full-width sign; write {right}",
                line=line,
                column=column,
            )
        return HandwrittenError(
            f'“{c}”在引号之外；文字要放在半角引号 " 之间',
            f'U+{ord(c):04X} stands outside of quotes; put text between "',
            line=line,
            column=column,
        )
    return None


def _signs(text: str) -> Iterator[tuple[int, str, bool]]:
    """Signs beyond ASCII outside of strings and remarks; and (True) one in a string that its line does not end."""
    at, end = 0, len(text)
    while at < end:
        c = text[at]
        if c == "#":
            at = _until(text, "\n", at)
        elif c in "\"'":
            long = text[at : at + 3] == c * 3
            close = _closed(text, at, c * 3 if long else c)
            if close < 0:
                if not long:
                    stop = _until(text, "\n", at)
                    odd = next((place for place in range(at + 1, stop) if text[place] in _CLOSING), -1)
                    if odd >= 0:
                        yield odd, text[odd], True
                return
            at = close
            continue
        elif not c.isascii():
            yield at, c, False
            return
        at += 1


def _closed(text: str, at: int, quote: str) -> int:
    """Where a string that begins at `at` has ended; -1 where it never does."""
    place = at + len(quote)
    while place < len(text):
        if quote[0] == '"' and text[place] == "\\":
            place += 2
        elif text.startswith(quote, place):
            place += len(quote)
            while len(quote) == 3 and text.startswith(quote[0], place):  # up to two quotes may stand before the end
                place += 1
            return place
        elif len(quote) == 1 and text[place] == "\n":
            return -1
        else:
            place += 1
    return -1


def _until(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    return len(text) if found < 0 else found


def _not_toml(message: str, text: str) -> HandwrittenError:
    found = _AT.search(message)
    plain = _AT.sub("", message)
    lines = text.splitlines() or [""]
    if found is None:
        return HandwrittenError(f"格式不对：{plain}", plain)
    if found[1] is None:
        what = "格式不对，没有写完：引号或括号可能缺了另一半"
        return HandwrittenError(what, f"{plain}; a quote or bracket may lack its other half", line=len(lines))
    line, column = int(found[1]), int(found[2])
    if "overwrite" in plain or "twice" in plain or "already" in plain or "immutable" in plain.lower():
        key = _KEY.match(lines[min(line, len(lines)) - 1])
        name = key[1][:_MOST_SHOWN] if key else ""
        return HandwrittenError(
            f"“{name}”重复，同一项只能写一次，请删去一处",
            f"{name} is there twice; delete one: {plain}",
            line=line,
            column=1,
        )
    return HandwrittenError(f"格式不对：{plain}", plain, line=line, column=column)
