"""A table of people as administrators keep it: CSV (UTF-8 or GB 18030) or XLSX, with a line of headings.

Promises: a file is read within bounds of bytes, of what it unfolds to, of lines and of characters. What is refused
whole (`WutongError` "table") says why: another format, no headings, a column that is missing. Lines are numbered as the
program that wrote the table numbers them.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import python_calamine

from sync.errors import WutongError
from sync.text.characters import clean_line

MOST_BYTES = 8 * 1024 * 1024
MOST_UNFOLDED_BYTES = 128 * 1024 * 1024
MOST_LINES = 20_000
MOST_CELL_CHARS = 200
HEADINGS = {
    "name": ("姓名", "name"),
    "login": ("登录名", "login"),
    "court": ("法院", "court"),
    "role": ("角色", "role"),
    "post_court": ("任职法院", "post court"),
}
"""Column -> what stands above it, in Chinese and in English. Without `post_court` a post is at the person's court."""
_NEEDED = ("name", "login", "court", "role")
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line below the headings: its number, and column -> what stands in it."""

    number: int
    cells: dict[str, str]


def template() -> bytes:
    """A table to fill in, with a line that shows how; programs know by its mark that it is UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(chinese for chinese, _ in HEADINGS.values())
    writer.writerow(["张三", "zhangsan", "某某区人民法院", "书记员", ""])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def read_table(data: bytes) -> list[TableLine]:
    """The lines that are not empty; `WutongError` "table"."""
    if len(data) > MOST_BYTES:
        raise _refused(f"文件超过 {MOST_BYTES >> 20} MB", f"the file is larger than {MOST_BYTES >> 20} MB")
    rows = _sheet(data) if data.startswith(_ZIP) else _csv(data)
    columns: list[str] | None = None
    lines: list[TableLine] = []
    for number, row in enumerate(rows, 1):
        if not any(row):
            continue
        if columns is None:
            columns = _columns(row)
            continue
        if len(lines) == MOST_LINES:
            raise _refused(
                f"超过 {MOST_LINES} 行，请分成几个文件", f"more than {MOST_LINES} lines: cut it into several files"
            )
        cells = dict.fromkeys(HEADINGS, "") | {name: cell for name, cell in zip(columns, row, strict=False) if name}
        lines.append(TableLine(number, cells))
    if columns is None:
        raise _refused("文件是空的", "the file is empty")
    return lines


def _columns(row: Sequence[str]) -> list[str]:
    words = {word: column for column, written in HEADINGS.items() for word in written}
    columns = [words.get(cell.lower(), "") for cell in row]
    missing = [HEADINGS[name][0] for name in _NEEDED if name not in columns]
    if missing:
        raise _refused(
            f"第一行应为列名，缺少：{'、'.join(missing)}；可下载模板对照",
            "the first line names the columns: take the template",
        )
    return columns


def _csv(data: bytes) -> Iterator[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise _refused("不是 CSV 或 XLSX 文件", "it is neither CSV nor XLSX") from None
    if "\0" in text:
        raise _refused("不是 CSV 或 XLSX 文件", "it is neither CSV nor XLSX")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        yield from (_cells(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        raise _refused("CSV 格式有误", "it cannot be read as CSV") from None


def _sheet(data: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(one.file_size for one in archive.infolist()) > MOST_UNFOLDED_BYTES:
                raise _refused("表格过大", "the table is too large")
        book = python_calamine.load_workbook(io.BytesIO(data))
        rows: Iterable[Sequence[object]] = book.get_sheet_by_index(0).iter_rows()
        yield from (_cells([_text(cell) for cell in row]) for row in rows)
    except (zipfile.BadZipFile, python_calamine.CalamineError, OSError, ValueError, IndexError):
        raise _refused("不是可以打开的 XLSX 文件", "it cannot be opened as XLSX") from None


def _text(cell: object) -> str:
    """As it stands in the cell: a number that somebody was called by has no decimals."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _cells(row: Sequence[str]) -> list[str]:
    return [clean_line(cell[:MOST_CELL_CHARS]).strip() for cell in row[:32]]


def _refused(chinese: str, english: str) -> WutongError:
    return WutongError(f"{chinese} ({english})", code="table")
