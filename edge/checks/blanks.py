"""Blanks of set phrases that nobody has filled in: 由赵敏担任审判长，与____组成合议庭."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from edge.checks.finding import BLANK, CheckedLine, Facts, Finding

_BLANK: Final = re.compile(r"_{2,}")


def find(lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """Every blank that is left."""
    for line in lines:
        if "__" not in line.text:
            continue
        for found in _BLANK.finditer(line.text):
            yield Finding(BLANK, line.id, found.start(), len(found[0]), found[0], "用语中的空白还没有填写")
