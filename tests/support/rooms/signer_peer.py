"""A room's signer for tests: the real one, on a loop of its own in a thread, so that whoever asks may block."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from edge.signer.door import BURST, PER_S, SignerDoor
from edge.signer.guarded_key import GuardedKey
from edge.signer.keys.file import file_key
from sync.ledger.signing_key import SigningKey
from sync.room.paths import RoomPaths


@contextlib.contextmanager
def signing(
    layout: RoomPaths, room: str, *, key: SigningKey | None = None, per_s: float = PER_S, burst: float = BURST
) -> Iterator[GuardedKey]:
    """The signer of `room` (`court/room`) answers at its socket; with the data folder's key if no other is given."""
    signer = GuardedKey(key or file_key(layout.signer, layout.earlier_device_key), room, layout.signer)
    door = SignerDoor(layout.signer_socket, signer, per_s=per_s, burst=burst)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="signer")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(door.open(), loop).result(10)
        try:
            yield signer
        finally:
            asyncio.run_coroutine_threadsafe(door.close(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        signer.close()
