"""Take what the corrector needs of jieba's dictionary: words and how often they occur, without the rest of the package.

usage: python tools/make_ordinary_words.py DICT   (`jieba/dict.txt` of jieba 0.42.1: MIT license, (c) 2013 Sun Junyi)

The package is 37 MB and has had no release since 2020; its word counts do not age in a way that matters here.
"""

from __future__ import annotations

import hashlib
import lzma
import sys
from pathlib import Path

from transcriber.correction.vocabulary.ordinary import LONGEST

SHA256 = "7197c3211ddd98962b036cdf40324d1ea2bfaa12bd028e68faa70111a88e12a8"
FILE = Path(__file__).resolve().parents[1] / "transcriber" / "vocabulary" / "ordinary_words.txt.xz"
LEAST_COUNT = 5


def kept(text: str) -> str:
    """`word count` a line, in the dictionary's order: words that are often enough, not too long and not ASCII."""
    lines = []
    for line in text.splitlines():
        word, count, *_ = line.split(" ")
        if int(count) >= LEAST_COUNT and len(word) <= LONGEST and not word.isascii():
            lines.append(f"{word} {int(count)}\n")
    return "".join(lines)


def main() -> int:
    """Write `FILE`; 2 when the dictionary is another one."""
    raw = Path(sys.argv[1]).read_bytes()
    if hashlib.sha256(raw).hexdigest() != SHA256:
        print("this is not the dict.txt of jieba 0.42.1", file=sys.stderr)
        return 2
    FILE.write_bytes(lzma.compress(kept(raw.decode("utf-8")).encode("utf-8"), preset=9 | lzma.PRESET_EXTREME))
    print(f"{FILE}: {FILE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
