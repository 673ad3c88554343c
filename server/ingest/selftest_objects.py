"""Objects of self-tests: what a room sent to prove that the center takes its files and gives them back unchanged.

They are no part of the record: a folder of their own, one test of a room at a time, nothing in the database. A room
reads and deletes only its own; what it leaves behind is deleted after a day.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import structlog
from fastapi import FastAPI, Request, Response
from fastapi import Path as FromPath
from fastapi.responses import FileResponse

from server.ingest.room_tokens import Tokens, room_by
from server.ingest.uploads.tus_folder import UploadFolder
from sync.errors import StorageError, WutongError
from sync.http.rights.rules import machine
from sync.record.bodies.limits import Name, Sha256

log = structlog.get_logger(__name__)

KEEP_S = 24 * 3600.0
MAX_BYTES = 64 * 1024 * 1024
"""Of one object: some seconds of the best camera."""
MAX_OBJECTS = 32
PURGE_S = 3600.0
_CHUNK = 1024 * 1024


class SelfTestObjects:
    """All methods but `purge_for_ever` block; call them off the event loop."""

    __test__ = False  # it is no test of pytest's

    def __init__(self, folder: Path, uploads: UploadFolder, *, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._uploads = uploads
        self._now = now

    def take(self, room: str, test: str, source: Path, sha256: str, size: int) -> bool:
        """Keep an upload if its bytes are what is claimed; a newer test of a room replaces the older one."""
        if size > MAX_BYTES:
            raise WutongError("an object of a self-test may have at most 64 MiB", code="too-large")
        digest = hashlib.sha256()
        with source.open("rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                return False
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            os.fsync(file.fileno())
        if digest.hexdigest() != sha256:
            return False
        try:
            for old in self._tests(room):
                if old.name != test:
                    shutil.rmtree(old, ignore_errors=True)
            folder = self._of(room) / test
            folder.mkdir(parents=True, exist_ok=True)
            if sum(1 for _ in folder.iterdir()) >= MAX_OBJECTS:
                raise WutongError(f"a self-test may have at most {MAX_OBJECTS} objects", code="too-large")
            source.rename(folder / sha256)
        except OSError as error:
            raise StorageError(f"an object of a self-test cannot be kept ({error.strerror})") from error
        return True

    def path(self, room: str, test: str, sha256: str) -> Path:
        """A room's own object; `WutongError` "not-found"."""
        path = self._of(room) / test / sha256
        if not path.is_file():
            raise WutongError("there is no such object of a self-test of this room", code="not-found")
        return path

    def delete(self, room: str, test: str) -> None:
        """The room has seen what it wanted to see."""
        shutil.rmtree(self._of(room) / test, ignore_errors=True)
        self._uploads.forget_tests(room)

    def purge(self) -> None:
        """Delete what is older than a day."""
        for room in self._folder.iterdir() if self._folder.is_dir() else []:
            for test in room.iterdir():
                if self._now() - test.stat().st_mtime > KEEP_S:
                    shutil.rmtree(test, ignore_errors=True)

    async def purge_for_ever(self) -> None:
        """Purge once an hour."""
        while True:
            try:
                await asyncio.to_thread(self.purge)
            except OSError as error:
                log.warning("selftests_not_purged", why=error.strerror)
            await asyncio.sleep(PURGE_S)

    def _of(self, room: str) -> Path:
        return self._folder / room.replace("/", ".")  # neither name of an address has a dot

    def _tests(self, room: str) -> list[Path]:
        folder = self._of(room)
        return list(folder.iterdir()) if folder.is_dir() else []


Test = Annotated[Name, FromPath()]


def install(app: FastAPI, tokens: Tokens, tests: SelfTestObjects) -> None:
    """Add `/api/selftest/…`, for rooms alone."""

    known_room = room_by(tokens)

    @app.get("/api/selftest/{test}/{sha256}")
    @machine(known_room)
    async def back(test: Test, sha256: Annotated[Sha256, FromPath()], request: Request) -> FileResponse:
        path = await asyncio.to_thread(tests.path, request.scope["wutong_room"], test, sha256)
        return FileResponse(path, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})

    @app.delete("/api/selftest/{test}")
    @machine(known_room)
    async def over(test: Test, request: Request) -> Response:
        await asyncio.to_thread(tests.delete, request.scope["wutong_room"], test)
        return Response(status_code=204)
