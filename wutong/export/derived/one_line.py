"""What people wrote, as a part of one row of a text file: nothing in it begins a row or turns one round.

From form 3 on. The characters are listed and never asked of Python's tables, which differ from one Python to the next:
a verifier must make the same bytes for ever.
"""

from __future__ import annotations

import re
from typing import Final

_ENDS: Final = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Controls, and what has no shape and moves or hides others. Joiners stay: scripts are read by them."""


def one_line(text: str) -> str:
    """`text` with ↵ for each end of a line, and U+FFFD for each character that is not seen."""
    return _UNSEEN.sub("\ufffd", _ENDS.sub("↵", text))
