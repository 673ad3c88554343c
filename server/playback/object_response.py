"""A stored file as a browser gets it: whole or a stretch of it, never whole in the memory of the center.

A file on this machine's disk goes as Starlette sends files. An object in a bucket is fetched piece by piece while it
leaves, each by a request of its own, so a reader who is slow holds nothing but a piece.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import FileResponse, RedirectResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from server.objects.object_store import ObjectStore
from sync.errors import WutongError
from sync.http.answers import error_response
from sync.runtime.files.readable_file import ReadableFile

PIECE_BYTES = 1024 * 1024
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def shown(file: ReadableFile, media_type: str, headers: Mapping[str, str], pool: Executor) -> Response:
    """A stored file. Who asks has judged whether it may be seen. `pool`: the threads that wait for a store."""
    if isinstance(file, Path):
        return FileResponse(file, media_type=media_type, headers=headers)
    return FetchedResponse(file, media_type, headers, pool)


def downloaded(store: ObjectStore, sha256: str, filename: str, pool: Executor) -> Response:
    """A stored file to be taken along, by a link to the store itself where there are such. Who asks has judged whether
    it may be taken."""
    link = store.link(sha256, filename)
    if link is not None:
        # The link is the right to the file, for seconds: no cache keeps it, and no other site is told of it.
        return RedirectResponse(link, 307, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}"}
    return shown(store.file(sha256), "application/octet-stream", headers, pool)


class FetchedResponse(Response):
    """An object that lies elsewhere. One range is answered as such; of several, or of what is no range, all is sent."""

    def __init__(self, file: ReadableFile, media_type: str, headers: Mapping[str, str], pool: Executor) -> None:
        self._file = file
        self._pool = pool
        self._said = {**headers, "Accept-Ranges": "bytes"}
        super().__init__(None, 200, self._said, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Fetch the first piece, so that what is refused is answered in words, and the others while they leave."""
        asked = dict(scope["headers"]).get(b"range", b"").decode("latin-1")
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, asked)
        except FileNotFoundError:
            words = "文件不在存储中，请联系管理员 (the file is not in the store; tell the administrator)"
            answer = error_response(WutongError(words, code="busy"))
        except WutongError as error:
            answer = error_response(error)
        await answer(scope, receive, send)

    def _answer(self, asked: str) -> Response:
        size = self._file.stat().st_size
        start, end = stretch_of(asked, size)
        if start >= end and size:
            return Response(None, 416, {"Content-Range": f"bytes */{size}"})
        opened = self._file.open("rb")
        opened.seek(start)
        first = opened.read(min(PIECE_BYTES, end - start))
        headers = {**self._said, "Content-Length": str(end - start)}
        if end - start < size:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        status = 206 if end - start < size else 200
        return StreamingResponse(self._pieces(opened, first, end - start), status, headers, self.media_type)

    async def _pieces(self, opened: BinaryIO, first: bytes, length: int) -> AsyncIterator[bytes]:
        """A store that breaks off breaks off the answer: it is shorter than it said, so nobody takes it for whole."""
        with opened:
            yield first
            left = length - len(first)
            while left > 0:
                reading = asyncio.get_running_loop().run_in_executor(self._pool, opened.read, min(PIECE_BYTES, left))
                piece = await reading
                left -= len(piece)
                yield piece


def stretch_of(asked: str, size: int) -> tuple[int, int]:
    """What of a file a header `Range` asks for, [from, to); empty where it asks for nothing that is there."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found.group(0) == "bytes=-":
        return 0, size
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1 if last else size)
