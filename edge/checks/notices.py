"""What the court has to say in every hearing of a kind and did not: 权利义务, 回避, in a criminal case 最后陈述.

Which these are, the kind of case said when the hearing was opened, with the wordings that count for each. They are
missed when the court ends the hearing, on the line that does so; while it runs, there is still time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from edge.checks.finding import NOTICE, CheckedLine, Facts, Finding
from edge.checks.sides import COURT, side_of

_ENDS: Final = re.compile(r"(?:现在|宣布)?闭庭|庭审到此结束|听证到此结束")


def find(lines: Sequence[CheckedLine], facts: Facts) -> Iterator[Finding]:
    """Every notice that no line of the transcript has, at the first line with which the court ends the hearing."""
    if not facts.notices:
        return
    end = next(((line, found) for line in lines if (found := _end(line, facts)) is not None), None)
    if end is None:
        return
    line, found = end
    for wordings in facts.notices:
        if not any(wording in one.text for one in lines for wording in wordings):
            why = f"到闭庭时，笔录里没有“{wordings[0]}”的告知；本类案件应当有"
            yield Finding(NOTICE, line.id, found.start(), len(found[0]), found[0], why, other=wordings[0])


def _end(line: CheckedLine, facts: Facts) -> re.Match[str] | None:
    return _ENDS.search(line.text) if line.role in facts.bench or side_of(line.role) == COURT else None
