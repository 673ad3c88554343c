"""The way to the center and back, for the files of a self-test: sent as segments are, and compared when they return.

An order comes over the edge's feed (`test-send`); what became of it goes out on the uplink's own (`selftest`). The
center is asked to delete the files afterwards. Nothing is retried: a test that fails is made again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import structlog
from pydantic import BaseModel, Field, ValidationError

from sync.errors import CenterError, StorageError
from sync.room.paths import RoomPaths
from sync.runtime.process.service import cancel_and_wait
from sync.text.strict_json import read_strict
from sync.uplink.files.tus import TusClient
from sync.uplink.token_bucket import TokenBucket

log = structlog.get_logger(__name__)

PIECE_BYTES = 1024 * 1024
BACK = "back"
"""The folder below the test's own where what returned is kept for a look into it."""
UNREACHABLE = "中心不可达，庭审可照常录制"

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]


class _File(BaseModel):
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}/[0-9]{5}\.mp4$")]
    index: int = Field(ge=0)
    bytes: int = Field(ge=0)
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


MAX_ORDER_BYTES = 1024 * 1024


class _Order(BaseModel):
    id: _Name
    tracks: dict[str, list[_File]]


class RoundTrip:
    """All methods belong to one event loop."""

    def __init__(
        self,
        room: str,
        layout: RoomPaths,
        http: httpx.AsyncClient | None,
        pace: TokenBucket,
        say: Callable[[Any], None],
    ) -> None:
        """`http` has the center's address and the room's token; None: the room stands alone."""
        self._room = room
        self._layout = layout
        self._http = http
        self._pace = pace
        self._say = say
        self._last = ""
        self._running: asyncio.Task[None] | None = None

    def order(self, payload: bytes) -> None:
        """`{"id","tracks":{track:[{file,index,bytes,sha256}]}}`; said twice, it is done once."""
        try:
            order = _Order.model_validate(read_strict(payload, limit=MAX_ORDER_BYTES))
        except (ValueError, ValidationError):
            log.warning("test_order_unreadable")
            return
        if order.id == self._last:
            return
        self._last = order.id
        if self._running is not None:
            self._running.cancel()
        self._running = asyncio.get_running_loop().create_task(self._run(order))

    async def close(self) -> None:
        """The service ends."""
        if self._running is not None:
            await cancel_and_wait(self._running)

    def _notify(self, test: str, state: str, why: str = "", **more: Any) -> None:
        self._say({"id": test, "state": state, "why": why, **more})

    async def _run(self, order: _Order) -> None:
        if self._http is None:
            self._notify(order.id, "off", "单机运行，未配置中心")
            return
        tus = TusClient(self._http)
        self._notify(order.id, "sending")
        returned: list[str] = []
        try:
            for track, files in order.tracks.items():
                for one in files:
                    await self._send(tus, order.id, track, one)
                    returned.append(await self._fetch(self._http, order.id, one))
            await self._http.delete(f"/api/selftest/{order.id}")
        except httpx.HTTPError as error:
            log.warning("test_unreachable", why=str(error) or type(error).__name__)
            self._notify(order.id, "unreachable", UNREACHABLE)
        except (CenterError, StorageError, OSError) as error:
            log.warning("test_not_returned", why=str(error))
            words = error.message if isinstance(error, CenterError | StorageError) else str(error)
            self._notify(order.id, "failed", f"测试文件没有完整往返中心：{words}")
        else:
            self._notify(order.id, "ok", back=returned)

    async def _send(self, tus: TusClient, test: str, track: str, one: _File) -> None:
        about = {"hearing": test, "kind": "selftest", "track": track}
        name = await tus.create({"room": self._room, **about, "index": str(one.index), "name": one.file})
        offset = 0
        path = self._layout.selftests / test / one.file
        while True:
            data = await asyncio.to_thread(_read, path, offset)
            await self._pace.take(len(data))
            last = offset + len(data) >= one.bytes
            if not data and not last:
                raise StorageError(f"{one.file} is shorter than it was when it was written")
            offset = await tus.append(name, offset, data, length=one.bytes if last else None)
            if last:
                break
        claim = {"upload": name, "sha256": one.sha256, "bytes": one.bytes, "room": self._room, **about}
        await tus.confirm({**claim, "index": one.index})

    async def _fetch(self, http: httpx.AsyncClient, test: str, one: _File) -> str:
        """Bring the object back, compare it byte by byte (by its hash and length), and keep it for a look."""
        target = self._layout.selftests / test / BACK / one.file
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        async with http.stream("GET", f"/api/selftest/{test}/{one.sha256}") as answer:
            if answer.status_code != 200:
                raise CenterError(f"the center does not give back what it stored ({answer.status_code})")
            with target.open("wb") as file:
                async for piece in answer.aiter_bytes(PIECE_BYTES):
                    digest.update(piece)
                    size += len(piece)
                    if size > one.bytes:
                        break
                    await asyncio.to_thread(file.write, piece)
        if size != one.bytes or digest.hexdigest() != one.sha256:
            raise CenterError("the center gave back other bytes than it was sent")
        return f"{BACK}/{one.file}"


def _read(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(PIECE_BYTES)
