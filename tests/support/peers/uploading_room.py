"""The uploads of a room, running against whatever is at a port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx

from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.files.hand_over import SignedHandOver
from sync.uplink.files.tus import TusClient
from sync.uplink.files.upload_store import UploadStore
from sync.uplink.files.uploads import Uploads
from sync.uplink.token_bucket import TokenBucket
from sync.uplink.trust.trusted_center import TrustedCenter
from tests.support.peers.device_signatures import device_key


@contextlib.asynccontextmanager
async def uploading(
    address: str, layout: RoomPaths, log: RoomLog, port: int, *, token: str = "", hearing: str | None = None
) -> AsyncIterator[Uploads]:
    """`address`: `court/room`; `hearing`: the one that is open."""
    store = UploadStore(layout.uploads)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=10, trust_env=False) as http:
        tus = TusClient(http)
        uploads = Uploads(
            room=address,
            layout=layout,
            room_log=log,
            store=store,
            tus=tus,
            confirm=SignedHandOver(tus, TrustedCenter(layout, address), device_key(address)).confirm,
            pace=TokenBucket(1e9),
            hearing=lambda: hearing,
        )
        task = asyncio.create_task(uploads.run())
        try:
            yield uploads
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            store.close()
