"""Names of people and bodies as a docket has them: several in one field, with dots, blanks and remarks in brackets.

`split_names` is the only place that says where one name ends and the next begins: at marks of enumeration, outside of
brackets. A blank separates nothing, since 张　伟 is how forms align two characters and 买买提 · 艾力 is one man.
"""

from __future__ import annotations

import re
from typing import Final

from sync.text.characters import clean_line, clean_words
from sync.text.equal import DOT, DOTS, fold

_HAN: Final = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_OPEN, _CLOSE = "（(〔[【「『《〈", "）)〕]】」』》〉"
_ENUMERATION: Final = "、，,；;\n"
_INCORPORATED: Final = re.compile(
    r"\s*+(?:(?i:Ltd|Inc|Incorporated|Limited|LLC|LLP|Corp|GmbH|PLC|Pte|Pty|Sdn)\b"
    r"|(?:L\.?P|S\.?A(?:\.? de C\.?V)?|S\.?p\.?A|S\.?[àa]?\.?r\.?l|N\.?V|B\.?V|Co|KG|AG|AB)\.?\s*"
    r"(?=$|[、，,；;\n（(]))"
)
"""Behind the comma of Co., Ltd. What could begin another name (Sa Na) only where one ends behind it."""
_ANY_DOT: Final = re.compile(rf"(?:(?<!\s)\s+)?(?:(?![\uff0e\u2024]\d)[{DOTS}])\s*")
"""A run of blanks is tried from its first one only, so that a long one takes no longer than it is. 3．5 has a point."""
_TYPED_DOT: Final = re.compile(rf"(?<=[{_HAN}])\s*[.。\uff61]\s*(?=[{_HAN}])")
"""A full stop between two ideographs of a name is a dot that was typed on the wrong key."""
_ALIGNED: Final = re.compile(rf"(?<![^\s、，,；;（(])([{_HAN}]) (?=[{_HAN}](?:$|[\s、，,；;（(]))")


def clean_name(name: str) -> str:
    """Return one name as it is written: 买买提·艾力 with the dot of GB/T 15834, 张伟 without the blank of a form."""
    name = clean_line(name)
    name = _TYPED_DOT.sub(DOT, name)
    name = _ANY_DOT.sub(DOT, name).strip(DOT)
    return _ALIGNED.sub(r"\1", name)


def split_names(names: str) -> list[str]:
    """Part the people that stand in one field; each as `clean_name` has it, none empty, none twice."""
    names = clean_words(names)
    parts, depth, start = [], 0, 0
    for at, c in enumerate(names):
        if c in _OPEN:
            depth += 1
        elif c in _CLOSE:
            depth = max(0, depth - 1)
        elif c in _ENUMERATION and depth == 0 and not (c in ",，" and _INCORPORATED.match(names, at + 1)):
            parts.append(names[start:at])
            start = at + 1
    cleaned = (clean_name(part) for part in [*parts, names[start:]])
    return list(dict.fromkeys(name for name in cleaned if name))


def clean_names(names: str) -> str:
    """Return a field of names, cleaned, parted by 、."""
    return "、".join(split_names(names))


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are one name: dots, blanks, width and case do not count."""
    return fold(one) == fold(other)
