"""Bodies of what is shown and noted: exhibits, their pages on the screens, and the clerk's marks."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from sync.record.bodies.who_acted import WhoActed


class ExhibitBody(TypedDict):
    """Body of `exhibit`; its file is named by its content."""

    id: str
    number: int
    title: str
    filename: str
    media_type: str
    sha256: str
    bytes: int
    pages: int
    sm3: NotRequired[str]
    """Not in hearings of before it was taken."""
    converted: NotRequired[str]
    """What was done to show it, in Chinese; not there when it is shown as it is. The file itself is kept."""
    who: NotRequired[WhoActed]


class DrawnPicture(TypedDict):
    """The picture of a page (from 1) at a scale (1, 2 or 4), a JPEG of `width` x `height` pixels."""

    page: int
    scale: int
    width: int
    height: int
    bytes: int
    sha256: str


class DrawnBody(TypedDict):
    """Body of `drawn`: pictures of pages of an exhibit, which are what is shown of it everywhere."""

    exhibit: str
    of: str
    """SHA-256 of the exhibit's file: where the pictures lie."""
    pictures: list[DrawnPicture]


class PresentBody(TypedDict):
    """Body of `present`: `zoom` is 1 or more, `x` and `y` are the point of the page in the middle, 0…1."""

    exhibit: str
    page: int
    zoom: float
    x: float
    y: float
    who: NotRequired[WhoActed]


class WithdrawBody(TypedDict):
    """Body of `withdraw`."""

    who: NotRequired[WhoActed]


class MarkBody(TypedDict):
    """Body of `mark`."""

    id: str
    kind: str
    text: str
    who: NotRequired[WhoActed]
