"""What counts as the same text: for search, and for names that are compared.

`fold` drops case, width, blanks, joiners, middle dots and kinds of brackets; the point of a number stays. A text that
was folded is for comparing only; it is never shown, signed or printed. The pages do the same (`web/src/lib/fold.ts`;
both are held to one list of examples).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sync.text.characters import clean_words

DOT: Final = "·"
"""The one of GB/T 15834."""
DOTS: Final = "·\u0387\u1427\u16eb\u2022\u2024\u2027\u2219\u22c5\u25cf\u25e6\u2e31\u2e33\u30fb\uff65\uff0e\u2e30"
"""Points that people type between the parts of a name."""
_POINT: Final = re.compile("[\uff0e\u2024](?=\\d)")
"""Before a digit these are the point of a number: 1．5% is not 15%."""
_BRACKETS: Final = str.maketrans("[{〔【〈《「『〖<\ufe59\u2768]}〕】〉》」』〗>\ufe5a\u2769", "(" * 12 + ")" * 12)
_DROPPED: Final = re.compile(f"[{DOTS}\\s\u180b-\u180f\u200c\u200d]")


def fold(text: str) -> str:
    """Return what is compared of `text`."""
    text = _DROPPED.sub("", _POINT.sub(".", clean_words(text)))
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _DROPPED.sub("", text).translate(_BRACKETS)
