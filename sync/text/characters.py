"""The characters of a text, made what they look like: what people paste from Word or a web page is cleaned here.

`clean_line` is for what stands in one line (a title, a role, a reason), `clean_words` for what may have several (the
words of a transcript, set phrases). Neither refuses anything, and both give back what they are given once it is clean.
What is taken away has no shape: controls, zero-width and bidirectional marks, byte order marks, tags, selectors of
variants. What stands for a blank or the end of a line becomes one. Half of a surrogate pair and code points that are no
characters become U+FFFD, so that a loss is seen.

Sources: Unicode 15.1, Default_Ignorable_Code_Point and UAX #15; joiners and selectors are kept where a script needs
them to be read (Arabic and Uyghur, Mongolian, the scripts of India).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BREAK: Final = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_NO_CHARACTER: Final = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
    + "]"
)
_JOINER: Final = "\u180b-\u180f\u200c\u200d\u202f"
"""Selectors and the separator of Mongolian, the two joiners, and the narrow blank before Mongolian suffixes."""
_JOINED: Final = "\u0600-\u08ff\u0900-\u0dff\u1800-\u18af\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
_STRAY_JOINER: Final = re.compile(f"(?<![{_JOINED}{_JOINER}])[{_JOINER}]+")
_SHAPELESS: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_BLANK: Final = re.compile("[\t\xa0\u1680\u2000-\u200a\u205f]")
_BLANKS: Final = re.compile("[ \u3000\n]+")
_WIDE: Final = {
    wide: wide - 0xFEE0 for start, end in ("０９", "ＡＺ", "ａｚ") for wide in range(ord(start), ord(end) + 1)
}
"""Letters and digits as wide as an ideograph; punctuation keeps its width, which is how Chinese is set."""


def clean_words(text: str) -> str:
    """Return `text` in NFC, its lines ended by `\\n`, and nothing in it that has no shape."""
    if text.isascii() and text.isprintable():
        return text
    text = _BREAK.sub("\n", text)
    text = _SHAPELESS.sub("", _BLANK.sub(" ", _NO_CHARACTER.sub("\ufffd", text)))
    # Composed last: what was taken away may have stood between a letter and its mark.
    return unicodedata.normalize("NFC", _STRAY_JOINER.sub(_as_blank, text))


def clean_line(text: str) -> str:
    """Return `text` as `clean_words` does, in one line: single blanks, none at the ends, letters and digits narrow."""
    return _BLANKS.sub(" ", clean_words(text)).strip().translate(_WIDE)


def _as_blank(joiners: re.Match[str]) -> str:
    """The narrow blank is one in other scripts; a joiner is nothing there."""
    return " " if "\u202f" in joiners[0] else ""
