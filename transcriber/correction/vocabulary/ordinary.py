"""How ordinary a word is: word counts, which protect what people say anyway.

The counts are those of jieba's dictionary (jieba 0.42.1, MIT license, (c) 2013 Sun Junyi), taken from it by
`tools/make_ordinary_words.py`. Words that it does not have are unknown; their probability is that of a rare one.
"""

from __future__ import annotations

import lzma
import math
from functools import cache
from importlib import resources

LONGEST = 8
"""Characters of the longest word that is looked up."""
UNKNOWN = math.log(2e-8)
"""Of a character that is no word."""
_FILE = "ordinary_words.txt.xz"


@cache
def log_probabilities() -> dict[str, float]:
    """Return the natural logarithm of each known word's probability."""
    packed = resources.files(__package__).joinpath(_FILE).read_bytes()
    counts: dict[str, int] = {}
    for line in lzma.decompress(packed).decode("utf-8").splitlines():
        word, count = line.split(" ")
        counts[word] = int(count)
    total = math.log(sum(counts.values()))
    return {word: math.log(count) - total for word, count in counts.items()}
