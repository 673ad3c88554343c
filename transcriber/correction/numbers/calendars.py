"""Which calendar a date is of: 农历八月十五日 is no day of the civil one, and not written or judged like one."""

from __future__ import annotations

import re
from typing import Final

_OTHER: Final = re.compile(
    r"(?:农历|阴历|旧历|老历|夏历|藏历|傣历|彝历|回历|伊斯兰历|闰)(?:(?!公历|阳历|西历|新历|公元|即|也就是)[^，。；！？、]){0,16}$"
)
_BEFORE: Final = 24


def is_of_other_calendar(text: str, at: int) -> bool:
    """Whether the date that begins at `at` is said to be of another calendar: in its clause, before it."""
    return _OTHER.search(text[max(at - _BEFORE, 0) : at]) is not None
