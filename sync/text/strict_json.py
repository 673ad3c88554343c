"""The one reader of JSON that others wrote: bounded in bytes, depth and numbers, and read by everybody as the same.

What it returns fits a database's integers and can be written, divided and shown: no integer is beyond 64 bits, no
number is infinite or none, no key is said twice, nothing is nested deeper than `MAX_DEPTH`, and no text holds a NUL or
half of a surrogate pair, which no database and no answer could be written with.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_DEPTH = 40
_MAX_DIGITS = 20
_MAX_NUMBER_CHARACTERS = 64
_INT64 = 2**63
_NO_TEXT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""Escapes with which a NUL or half of a pair may be written."""
_HALF = re.compile("[\ud800-\udfff]")


class UnreadableError(ValueError):
    """This is not JSON as it may come from others; the message says why, without its content."""


def read_strict(
    data: bytes, *, limit: int, depth: int = MAX_DEPTH, mend: bool = False, nul: bool = False, any_text: bool = False
) -> Any:
    """The value of `data`, of at most `limit` bytes of UTF-8; `UnreadableError` for everything that is refused.

    `mend`: what people pasted is not refused for a NUL, which is left out, or half of a pair, which becomes U+FFFD.
    `nul`: a NUL is text, as it was when the oldest records were made. `any_text`: whoever asks looks at each text.
    """
    if len(data) > limit:
        raise UnreadableError(f"{len(data)} bytes of JSON are more than any honest one has")
    try:
        text = data.decode("utf-8")
        value = _DECODER.decode(text)
    except UnreadableError:
        raise
    except RecursionError as error:
        raise UnreadableError("JSON is nested too deeply") from error
    except ValueError as error:
        raise UnreadableError(f"this is not JSON: {error}") from error
    if text.count("{") + text.count("[") > depth:  # with fewer nothing is nested deeper
        _check_depth(value, depth)
    if any_text or _NO_TEXT.search(text) is None:
        return value
    mended = _mended(value, "\0" if nul else "")
    if mended != value and not mend:
        raise UnreadableError("JSON says a NUL or half of a character, which is no text")
    return mended


def _mended(value: Any, nul: str) -> Any:
    """The same without what is no text; as deep as `_check_depth` let it be."""
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value.replace("\0", nul))
    if isinstance(value, list):
        return [_mended(item, nul) for item in value]
    if isinstance(value, dict):
        return _no_twice([(_mended(name, nul), _mended(item, nul)) for name, item in value.items()])
    return value


def _check_depth(value: Any, depth: int) -> None:
    # One level after the other, so that a deep value costs no more than a flat one.
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth + 1):
        if not level:
            return
        level = [
            item
            for one in level
            for item in (one.values() if isinstance(one, dict) else one)
            if isinstance(item, dict | list)
        ]
    raise UnreadableError("JSON is nested too deeply")


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise UnreadableError("JSON says one key twice")
    return value


def _no_constant(name: str) -> float:
    raise UnreadableError(f"{name} is not JSON")


def _integer(text: str) -> int:
    value = int(text) if len(text) <= _MAX_DIGITS else _INT64
    if not -_INT64 <= value < _INT64:
        raise UnreadableError("JSON says an integer of more than 64 bits")
    return value


def _real(text: str) -> float:
    value = float(text) if len(text) <= _MAX_NUMBER_CHARACTERS else math.inf
    if not math.isfinite(value):
        raise UnreadableError("JSON says a number that is too large or too long")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_no_twice, parse_constant=_no_constant, parse_int=_integer, parse_float=_real
)
"""Made once: every message of every room is read by it."""
