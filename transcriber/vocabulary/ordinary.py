"""How ordinary a word is: the word counts of jieba's dictionary, which protect what people say anyway.

Promises: only the data file of the package is read, none of its code runs. Words that it does not have are unknown;
their probability is that of a rare one.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import metadata
from pathlib import Path

from sync.errors import ConfigError

LONGEST = 8
"""Characters of the longest word that is looked up."""
UNKNOWN = math.log(2e-8)
"""Of a character that is no word."""
_LEAST_COUNT = 5


@cache
def log_probabilities() -> dict[str, float]:
    """The natural logarithm of each known word's probability."""
    try:
        file = Path(str(metadata.distribution("jieba").locate_file("jieba/dict.txt")))
        lines = file.read_text(encoding="utf-8").splitlines()
    except (metadata.PackageNotFoundError, OSError) as error:
        raise ConfigError("the dictionary of ordinary words (jieba) is not installed; run `make setup`") from error
    counts: dict[str, int] = {}
    for line in lines:
        word, count, *_ = line.split(" ")
        if int(count) >= _LEAST_COUNT and len(word) <= LONGEST and not word.isascii():
            counts[word] = int(count)
    total = math.log(sum(counts.values()))
    return {word: math.log(count) - total for word, count in counts.items()}
