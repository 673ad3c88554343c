"""One file of a party, open in a process of its own that draws its pages (`edge.exhibits.worker`).

Promises: nothing that a file does to its reader reaches the edge: what the reader says is read as a stranger's, and
holds no type, number, code or picture that an honest one could not say; a question is answered within its time or the
process is ended. Refuses, with `MediaError`, what the reader refuses, what crashes it and what takes it too long.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import structlog

from edge.exhibits.formats import MEDIA_TYPES
from edge.exhibits.refusal import REFUSALS
from edge.exhibits.sizes import MAX_PAGES, MOST_JPEG_BYTES, MOST_PIXELS, MOST_SIDE
from sync.errors import MediaError
from sync.runtime.process.child_process import ChildError, ChildProcess, module_command
from sync.text.printable import printable

log = structlog.get_logger(__name__)

WORKER = f"{__package__}.worker"
OPEN_S = 25.0
DRAW_S = 30.0
LINE_BYTES = MOST_JPEG_BYTES * 4 // 3 + 4096
_BEGINS = b"\xff\xd8\xff"
"""A JPEG."""
_ROUNDED = 1.01
"""So many times as many pixels as are wanted there may be when both sides are rounded up."""


@dataclass(frozen=True)
class FileDescription:
    """What a file is. `converted` says what is done to show it, empty when it is shown as it is."""

    media_type: str
    pages: int
    converted: str


@dataclass(frozen=True)
class DrawnJpeg:
    """One page. `more`: at a greater scale there would be more to see."""

    data: bytes
    width: int
    height: int
    more: bool


class PageDrawer:
    """One question at a time: who has it is the only one who asks (`edge.exhibits.desk`)."""

    def __init__(self, child: ChildProcess, file: FileDescription) -> None:
        self._child = child
        self.file = file

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Start a process and let it look at a file; `MediaError` when the file is refused."""
        child: ChildProcess | None = None
        try:
            child = await ChildProcess.start(module_command(WORKER), line_bytes=LINE_BYTES)
            said = await _ask(child, {"open": str(path.resolve())}, OPEN_S)
            opened = cls(child, _description(said))
        except (KeyError, TypeError, ValueError, ChildError) as error:
            raise _unreadable(error) from error
        else:
            child = None  # it belongs to the drawer now
            return opened
        finally:  # a refusal, or whoever asked has left: no process stays behind
            if child is not None:
                await child.end()

    async def draw(self, page: int, scale: int) -> DrawnJpeg:
        """A page; `MediaError` when it cannot be drawn. Who stops waiting for it ends the process."""
        try:
            said = await _ask(self._child, {"page": page, "scale": scale}, DRAW_S)
            return await asyncio.to_thread(_picture, said, scale)
        except (KeyError, TypeError, ValueError, ChildError) as error:
            await self._child.end()
            raise _unreadable(error) from error
        except asyncio.CancelledError:
            await self._child.end()  # its answer would be taken for the next one's
            raise

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._child.alive

    async def close(self) -> None:
        """End the process."""
        await self._child.end()


async def _ask(child: ChildProcess, question: dict[str, Any], within_s: float) -> dict[str, Any]:
    try:
        async with asyncio.timeout(within_s):
            await child.send(question)
            said = await child.receive()
    except TimeoutError as error:
        raise ChildError(f"nothing was drawn within {within_s:.0f} s") from error
    if said is None:
        raise ChildError("the process that draws has died")
    if "code" in said:
        code = str(said["code"])
        words = printable(str(said["message"])[:500])
        raise MediaError(words, code=code if code in REFUSALS else "exhibit-broken")
    return said


def _description(said: dict[str, Any]) -> FileDescription:
    """`ValueError` and the like for what no honest reader says."""
    media_type, converted = said["media_type"], said["converted"]
    if str(media_type) not in MEDIA_TYPES or not isinstance(converted, str):
        raise ValueError("the reader names no type of a file that is drawn")
    return FileDescription(str(media_type), _whole(said["pages"], MAX_PAGES), printable(converted[:200]))


def _picture(said: dict[str, Any], scale: int) -> DrawnJpeg:
    """`ValueError` and the like for what no honest reader says. Blocks for some milliseconds."""
    data = base64.b64decode(said["jpeg"], validate=True)
    width, height = _whole(said["width"], MOST_SIDE), _whole(said["height"], MOST_SIDE)
    if width * height > MOST_PIXELS[scale] * _ROUNDED or not isinstance(said["more"], bool):
        raise ValueError("the reader draws more than was asked for")
    if not data.startswith(_BEGINS) or len(data) > MOST_JPEG_BYTES:
        raise ValueError("what the reader drew is no picture")
    return DrawnJpeg(data, width, height, said["more"])


def _whole(value: object, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError("the reader says a number that cannot be")
    return value


def _unreadable(error: Exception) -> MediaError:
    log.warning("exhibit_unreadable", why=str(error)[:300])
    return MediaError(
        "文件无法检查：可能已损坏。请换一份，或在能打开它的程序里另存为 PDF 后再添加。"
        " (The file could not be checked; it may be damaged. Take another copy, or save it as PDF where it opens.)",
        code="exhibit-broken",
    )
