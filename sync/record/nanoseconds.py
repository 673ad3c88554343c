"""Nanoseconds in JSON for other programs: decimal text, because JSON's numbers do not hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def ns_as_text(value: Any) -> Any:
    """The same with every whole number under a key `*_ns`, at any depth, as text; tuples become lists."""
    if isinstance(value, Mapping):
        return {k: str(v) if k.endswith("_ns") and type(v) is int else ns_as_text(v) for k, v in value.items()}
    return [ns_as_text(item) for item in value] if isinstance(value, list | tuple) else value
