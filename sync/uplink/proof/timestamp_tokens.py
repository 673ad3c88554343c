"""Time-stamp tokens: asks the authority that the profile names for a token over each seal, and hands it to the center.

Only seals of the last `RECENT` hearings are asked for, so that naming an authority late does not stamp years at once.
The token is kept in the room's log file, beside the hearing (`seal.tsr`), and at the center, to which the device says
by its signature that it is this one.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable

import httpx
import structlog

from sync.errors import LedgerError, StorageError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.messages.object_claim import sign_token_claim
from sync.ledger.note import read_note
from sync.ledger.signing_key import SigningKey
from sync.room.checkpoints import Checkpoints, StoredCheckpoint
from sync.room.paths import RoomPaths
from sync.runtime.files.durable_files import replace_file
from sync.uplink.proof.timestamp_authority import token_over

log = structlog.get_logger(__name__)

LOOK_S = 2.0
AGAIN_S = 60.0
RECENT = 16


class Stamps:
    """All methods belong to one event loop."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        layout: RoomPaths,
        tsa_url: str,
        center: httpx.AsyncClient | None,
        key: SigningKey,
    ) -> None:
        """`center` carries the room's token; None when the room stands alone. Empty `tsa_url`: nobody is asked. `key`
        is the device's."""
        self._checkpoints = checkpoints
        self._layout = layout
        self._url = tsa_url
        self._center = center
        self._key = key

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            well = True
            try:
                if self._url:
                    well = await self._each(await asyncio.to_thread(self._checkpoints.unstamped, RECENT), self._ask)
                if self._center is not None:
                    tokens = await asyncio.to_thread(self._checkpoints.tokens_to_send)
                    well = await self._each(tokens, self._send) and well
            except StorageError as error:
                log.warning("time_stamps_unread", why=error.message)
                well = False
            await asyncio.sleep(LOOK_S if well else AGAIN_S)

    async def _each(self, items: list[StoredCheckpoint], act: Callable[[StoredCheckpoint], Awaitable[None]]) -> bool:
        """`act` for each; False when one has to be tried again. One that is refused holds up no other."""
        well = True
        for stored in items:
            try:
                await act(stored)
            except (httpx.TransportError, TimeoutError) as error:  # nobody is there: the others need not be tried now
                log.warning("time_stamp_waits", hearing=stored.hearing, why=str(error) or type(error).__name__)
                return False
            except (LedgerError, StorageError, OSError, httpx.HTTPError) as error:
                log.warning("time_stamp_refused", hearing=stored.hearing, why=str(error) or type(error).__name__)
                well = False
        return well

    async def _ask(self, stored: StoredCheckpoint) -> None:
        text = read_note(stored.note).text
        token = await token_over(self._url, text)
        last = await asyncio.to_thread(self._checkpoints.last, stored.hearing)
        if last is not None and last.size == stored.size:
            await asyncio.to_thread(replace_file, self._layout.token(stored.hearing), token)
        await asyncio.to_thread(self._checkpoints.stamped, stored.hearing, stored.size, token)
        log.info("stamped", hearing=stored.hearing, size=stored.size)

    async def _send(self, stored: StoredCheckpoint) -> None:
        assert self._center is not None
        assert stored.token is not None
        room = Checkpoint.from_text(read_note(stored.note).text).room
        note = await asyncio.to_thread(sign_token_claim, room, stored.hearing, stored.size, stored.token, self._key)
        body = {"hearing": stored.hearing, "size": stored.size, "token": base64.b64encode(stored.token).decode()}
        answer = await self._center.post("/api/tokens", json=body | {"note": note})
        if answer.status_code in (404, 422):  # the center will never take it: say so, and hold up no other
            log.error("token_refused", hearing=stored.hearing, status=answer.status_code)
        else:
            answer.raise_for_status()
        await asyncio.to_thread(self._checkpoints.token_sent, stored.hearing, stored.size)
