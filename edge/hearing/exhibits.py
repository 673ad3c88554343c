"""Exhibits: a file from a party is checked by its content, then kept under its own hash, on disk when it is announced.

Accepted are PDF, PNG and JPEG of at most `MAX_BYTES`, that open; what the name or the browser says counts for nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from edge.hearing import exhibit_validation
from sync.errors import MediaError, StorageError
from sync.runtime.digests import CheckValues, Digests
from sync.runtime.durable_files import sync_folder

MAX_BYTES = 50 * 1024 * 1024
CHECK_S = 40.0


@dataclass(frozen=True)
class StoredExhibit:
    """A file that is on disk as `folder/<sha256>`."""

    sha256: str
    sm3: str
    bytes: int
    media_type: str
    pages: int


async def store(folder: Path, pieces: AsyncIterator[bytes]) -> StoredExhibit:
    """Check and keep one file; `MediaError` for what is not acceptable, `StorageError` when the disk refuses."""
    temporary = folder / f".new-{secrets.token_hex(8)}"
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        checks, size = await _write(temporary, pieces)
        media_type, pages = await _check(temporary)
        await asyncio.to_thread(_settle, temporary, folder / checks.sha256)
    except OSError as error:
        raise StorageError(f"证据无法写入磁盘 (the exhibit cannot be written: {error.strerror})") from error
    finally:
        await asyncio.to_thread(temporary.unlink, missing_ok=True)
    return StoredExhibit(checks.sha256, checks.sm3, size, media_type, pages)


async def _write(path: Path, pieces: AsyncIterator[bytes]) -> tuple[CheckValues, int]:
    digests, size = Digests(), 0
    with path.open("xb") as file:
        async for piece in pieces:
            size += len(piece)
            if size > MAX_BYTES:
                raise too_large()
            digests.update(piece)
            await asyncio.to_thread(file.write, piece)
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    if size == 0:
        raise MediaError("文件为空 (the file is empty)", code="exhibit-type")
    return digests.checks(), size


def too_large() -> MediaError:
    """The one sentence for files over the limit."""
    return MediaError("文件超过 50 MB，请压缩或拆分 (more than 50 MB; compress or split it)", code="too-large")


def _settle(temporary: Path, final: Path) -> None:
    temporary.replace(final)
    sync_folder(final.parent)


async def _check(path: Path) -> tuple[str, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(Path(exhibit_validation.__file__)),
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(CHECK_S):
            out, _ = await process.communicate()
        answer = json.loads(out)
        if "code" in answer:
            raise MediaError(str(answer["message"]), code=str(answer["code"]))
        return str(answer["media_type"]), int(answer["pages"])
    except (TimeoutError, ValueError, KeyError, TypeError) as error:
        raise MediaError(
            "文件无法检查：可能已损坏 (the file could not be checked; it may be damaged)", code="exhibit-broken"
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
