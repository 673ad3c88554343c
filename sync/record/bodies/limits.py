"""What a value of an event's body may be beyond its type: said once, beside the type, in plain Python.

A `Limits` in an `Annotated` is the same to everybody who reads the annotation: mypy sees the type, the center's door
(`server.events.admission`) and its routes hand the annotation to pydantic, which asks the hook below, and the generator
of the screens' contract reads the fields. Nothing here imports pydantic, so a process that writes events need not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any

INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a number, or of the length of a text or list; None: there is none."""

    ge: float | None = None
    le: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    strict: bool | None = None
    """Only a value of the very type: no text that could be read as a number."""
    allow_inf_nan: bool | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """How pydantic asks for it."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**handler(source), **{name: value for name, value in said.items() if value is not None}}


class _Unchecked:
    """The center takes it as it is: it keeps such a value, and shows it, and nothing there depends on its form."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {"type": "any"}


class _AnyObject:
    """The center asks only that it is an object: what is in it, another system has said."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {"type": "dict", "keys_schema": {"type": "str"}}


UNCHECKED = _Unchecked()
ANY_OBJECT = _AnyObject()

Ns = Annotated[int, Limits(strict=True, ge=-INT64, le=INT64)]
"""Nanoseconds, of room time or of UTC as the key's name says."""
Name = Annotated[str, Limits(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
LineName = Annotated[str, Limits(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9._:/-]+$")]
"""Also of an act: ids that browsers draw may begin with any of these."""
Sha256 = Annotated[str, Limits(pattern=r"^[0-9a-f]{64}$")]
PageNumber = Annotated[int, Limits(ge=1, le=10_000)]
PictureScale = Annotated[int, Limits(ge=1, le=4)]
"""Of the picture of a page: 1, 2 or 4, or the next below."""
Short = Annotated[str, Limits(max_length=200)]
Role = Annotated[str, Limits(max_length=64)]
Words = Annotated[str, Limits(max_length=20_000)]
Reason = Annotated[str, Limits(max_length=2000)]
Count = Annotated[int, Limits(strict=True, ge=0, le=10_000_000)]
Whole = Annotated[int, Limits(strict=True, ge=0, le=INT64)]
Yes = Annotated[bool, Limits(strict=True)]
Real = Annotated[float, Limits(allow_inf_nan=False, ge=-1e9, le=1e9)]
Span = Annotated[list[int], Limits(min_length=2, max_length=2)]
"""[from, to) in a text, in characters."""
