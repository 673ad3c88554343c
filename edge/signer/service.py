"""The signer as a service of the room: nothing but the device's key, and a socket that the other services reach.

It runs as an account of its own where systemd starts it (`systemd/wutong-signer.service`); in the demo, and wherever
one account runs everything, as the same account, and still as a process of its own. It needs no network and no device,
and nobody waits for it but what is to be signed: recording goes on without.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import structlog

from edge.signer.door import SignerDoor
from edge.signer.guarded_key import GuardedKey
from edge.signer.keys.file import take_as_root
from edge.signer.keys.home import open_key
from hardware.profile import Profile
from sync.room.enrollment import fingerprint
from sync.room.paths import RoomPaths
from sync.runtime.process.service import Lifeline

log = structlog.get_logger(__name__)


async def serve(profile: Profile, folder: Path | None, lifeline: Lifeline) -> None:
    """Answer until told to stop. `folder` is the signer's own; None is `signer` in the data folder."""
    layout = RoomPaths(profile.storage.data)
    own = folder or layout.signer
    key = await asyncio.to_thread(open_key, profile.signer, own, layout.earlier_device_key)
    with contextlib.closing(GuardedKey(key, profile.address, own)) as signer:
        door = SignerDoor(layout.signer_socket, signer)
        await door.open()
        try:
            log.info("signer_serving", key=profile.signer.key, device=fingerprint(signer.public_key()))
            lifeline.ready()
            await asyncio.Event().wait()
        finally:
            await door.close()


def take_key_as_root(profile: Profile, folder: Path | None) -> str:
    """What root does before the signer starts as another account: move the key of before. What was found, in words."""
    layout = RoomPaths(profile.storage.data)
    own = folder or layout.signer
    there = take_as_root(own, layout.earlier_device_key)
    return f"the device's key is in {own}" if there else f"there is no earlier key; the signer makes one for {own}"
