"""What the panel says of the proof: whether this device is enrolled, and how far the center has witnessed."""

from __future__ import annotations

import asyncio
import datetime as dt

import structlog

from edge.state.room_state import RoomState
from edge.state.shown import Words
from sync.errors import LedgerError, StorageError
from sync.ledger.keys import CENTER
from sync.ledger.note import COSIGNATURE, Verifier, read_note, signed_by
from sync.ledger.progress import ProofProgress
from sync.room.checkpoints import Checkpoints
from sync.room.enrollment import center_key, is_enrolled
from sync.room.signer import RoomSigner
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)

LOOK_S = 1.0


class Integrity:
    """Keeps `state.integrity` up to date. All methods belong to one event loop."""

    def __init__(self, state: RoomState, checkpoints: Checkpoints) -> None:
        self._state = state
        self._checkpoints = checkpoints
        self._signer = RoomSigner(state.layout.signer_socket)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                hearing = None if self._state.hearing is None else self._state.hearing.id
                self._state.set_integrity(await asyncio.to_thread(self.poll, hearing))
            except StorageError as error:
                log.error("integrity_unknown", why=error.message)
            await asyncio.sleep(LOOK_S)

    def poll(self, hearing: str | None) -> ProofProgress:
        """`integrity` of docs/protocol.md, of a hearing."""
        profile, layout = self._state.profile, self._state.layout
        enrolled: bool | None = None
        if profile.center.url:
            enrolled = is_enrolled(layout, profile.address, dt.datetime.now(dt.UTC), self._signer.known_key())
        value: ProofProgress = {
            "enrolled": enrolled,
            "witnessed_leaves": 0,
            "witnessed_utc_ns": None,
            "refused": None,
            "stamped": False,
        }
        witnessed = None if hearing is None else self._checkpoints.last_witnessed(hearing)
        center = center_key(layout)
        if witnessed is not None and center is not None:
            try:
                at_s = signed_by(read_note(witnessed.best), Verifier(CENTER, center, COSIGNATURE))
            except LedgerError:
                at_s = None
            if at_s is not None:
                value["witnessed_leaves"], value["witnessed_utc_ns"] = witnessed.size, at_s * NS_PER_S
        if hearing is not None:
            refused = self._checkpoints.last_refused(hearing)
            value["refused"] = None if refused is None else refused.refused
            last = self._checkpoints.last(hearing)
            value["stamped"] = last is not None and last.token is not None
        return value


def words_of(state: RoomState, hearing: str) -> Words:
    """Whether the transcriber may still have something to say of a hearing."""
    if state.profile.transcriber.engine == "off":
        return Words.DONE
    status = state.transcriber
    if not state.transcriber_feed.connected or status is None or status.get("state") in ("failed", "loading"):
        return Words.ABSENT
    # By the hearing, not by the lag: the next hearing may be open already.
    return Words.BUSY if hearing in status.get("hearings", []) else Words.DONE


def heard_of(state: RoomState) -> float | None:
    """Up to which room time (s) the transcriber has come; None while it has nothing in hand, or nobody knows."""
    status, at_ns = state.transcriber, state.transcriber_at_ns
    if status is None or at_ns is None or status.get("state") not in ("ready", "catching-up"):
        return None
    lag_ms = status.get("lag_ms")
    if not isinstance(lag_ms, int | float) or lag_ms <= 0:
        return None
    return at_ns / NS_PER_S - lag_ms / 1000
