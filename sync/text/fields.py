"""Text at a door: annotations that clean what comes in before its length and form are judged.

Each stands in an `Annotated[str, …]` together with its bounds. What is no text passes, for pydantic to refuse; what is
longer than any field may be passes, too, so that nobody makes the cleaning the longest part of a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pydantic import BeforeValidator

from sync.text.case_number import clean_case_number
from sync.text.characters import clean_line, clean_words
from sync.text.names import clean_name, clean_names

LONGEST: Final = 200_000
"""Characters of the longest text that is cleaned before it is judged."""


def _at_the_door(clean: Callable[[str], str]) -> BeforeValidator:
    def cleaned(value: Any) -> Any:
        return clean(value) if isinstance(value, str) and len(value) <= LONGEST else value

    return BeforeValidator(cleaned)


LINE: Final = _at_the_door(clean_line)
WORDS: Final = _at_the_door(clean_words)
NAME: Final = _at_the_door(clean_name)
NAMES: Final = _at_the_door(clean_names)
CASE_NUMBER: Final = _at_the_door(clean_case_number)
