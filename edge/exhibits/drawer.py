"""One file of a party, open in a process of its own that draws its pages (`edge.exhibits.worker`).

Promises: nothing that a file does to its reader reaches the edge; a question is answered within its time or the process
is ended. Refuses, with `MediaError`, what the reader refuses, what crashes it and what takes it too long.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import structlog

from sync.errors import MediaError
from sync.runtime.child_process import ChildError, ChildProcess, module_command

log = structlog.get_logger(__name__)

WORKER = f"{__package__}.worker"
OPEN_S = 25.0
DRAW_S = 30.0


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
            child = await ChildProcess.start(module_command(WORKER))
            said = await _ask(child, {"open": str(path.resolve())}, OPEN_S)
            file = FileDescription(str(said["media_type"]), int(said["pages"]), str(said["converted"])[:200])
            opened = cls(child, file)
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
            data = await asyncio.to_thread(base64.b64decode, said["jpeg"], validate=True)
            return DrawnJpeg(data, int(said["width"]), int(said["height"]), bool(said["more"]))
        except (KeyError, TypeError, ValueError, binascii.Error, ChildError) as error:
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
        raise MediaError(str(said["message"])[:500], code=str(said["code"])[:40])
    return said


def _unreadable(error: Exception) -> MediaError:
    log.warning("exhibit_unreadable", why=str(error)[:300])
    return MediaError(
        "文件无法检查：可能已损坏。请换一份，或在能打开它的程序里另存为 PDF 后再添加。"
        " (The file could not be checked; it may be damaged. Take another copy, or save it as PDF where it opens.)",
        code="exhibit-broken",
    )
