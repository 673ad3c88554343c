"""Which calendar a date is of: 农历八月十五日 is no day of the civil one, and not written or judged like one."""

from __future__ import annotations

import re
from typing import Final

_CALENDAR: Final = "历(?![史经届时次来任程尽代城])"
"""历 begins other words too: 华夏历史, 收藏历时三年, 返回历城区."""
_OTHER: Final = re.compile(
    rf"农历|阴历|(?<![陈破])旧{_CALENDAR}|(?<!古)老{_CALENDAR}|(?<!华)夏{_CALENDAR}|(?<![收珍储私馆])藏{_CALENDAR}"
    rf"|傣{_CALENDAR}|彝{_CALENDAR}|(?<![返取收撤驳召追退赎找挽])回{_CALENDAR}(?!年)|伊斯兰{_CALENDAR}"
    r"|闰(?=[一二三四五六七八九十正冬腊\d]{1,2}月)"
)
_PARTED: Final = re.compile(r"公历|阳历|西历|新历|公元|即|也就是|[^，。；！？、]{17}|[，。；！？、]")
"""What makes a date behind the name of a calendar another thing's: the civil one, the end of the clause, distance."""
_BEFORE: Final = 24
_MONTH: Final = 3
"""Characters of a month: the leap month of 闰四月 begins behind 闰."""


def is_of_other_calendar(text: str, at: int) -> bool:
    """Whether the date that begins at `at` is said to be of another calendar: in its clause, before it."""
    from_ = max(at - _BEFORE, 0)
    near = text[from_ : at + _MONTH]
    named = (m.end() for m in _OTHER.finditer(near) if m.end() <= at - from_)
    return any(_PARTED.search(near[end : at - from_]) is None for end in named)
