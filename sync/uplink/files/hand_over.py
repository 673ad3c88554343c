"""The hand-over of a file to the center: claimed by the device's signature, believed stored by the center's.

Refuses to call a file stored on anybody else's word; while the plain way is open that of a center of before, which
signs nothing, will do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from sync.errors import CenterError, LedgerError, StorageError
from sync.ledger.messages.object_claim import check_stored, sign_claim
from sync.ledger.signing_key import SigningKey
from sync.runtime.logs.log_ids import file_id, upload_id
from sync.uplink.files.tus import TusClient
from sync.uplink.trust.trusted_center import TrustedCenter

log = structlog.get_logger(__name__)


class SignedHandOver:
    """All methods belong to one event loop."""

    def __init__(self, tus: TusClient, center: TrustedCenter, key: SigningKey) -> None:
        """`key` is the device's."""
        self._tus = tus
        self._center = center
        self._key = key

    async def confirm(self, claim: Mapping[str, Any]) -> int:
        """Since when (UTC in ns) the center has it for good.

        One line of the log says what became of it, with the id that the center's log has of it.
        `CenterError`: it does not say so, or not by its signature. `StorageError`: the device does not sign now.
        """
        about = {"id": file_id(str(claim["sha256"])), "upload": upload_id(str(claim["upload"])), "kind": claim["kind"]}
        try:
            stored_utc_ns = await self._confirm(claim)
        except CenterError as error:
            log.warning("file_not_taken", **about, code=error.code, why=error.message)
            raise
        log.info("file_handed_over", **about, bytes=claim["bytes"])
        return stored_utc_ns

    async def _confirm(self, claim: Mapping[str, Any]) -> int:
        try:
            note = await asyncio.to_thread(sign_claim, claim, self._key)
        except LedgerError as error:
            raise StorageError(f"this device does not sign what it sends ({error.message}); the file waits") from error
        stored_utc_ns, word = await self._tus.hand_over({**claim, "note": note})
        if not word and self._center.accepts_plain:
            return stored_utc_ns
        try:
            signed_utc_ns = check_stored(claim, word, self._center.verifiers)
        except LedgerError as error:
            raise CenterError("this room's center has not signed that it has the file; it is sent again") from error
        self._center.has_signed()
        return signed_utc_ns
