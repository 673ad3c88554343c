"""What a room believes of what comes down from its center: only what the center's key has signed, and only once.

Promises: a message is read only when the key of the center that this room was enrolled at has signed it for this room
and for this purpose. Its stamp must be later than that of the last one (receipts, which name what they are of, need
none), so that nothing old is said again, by a broker that keeps it for days and waits for a restart neither.
What is about the moment (`demand`) must not be older than `LATEST_S`, and is said by each process of the center for
itself, whose clocks may differ: its stamp must be later than the last one of the same process.
Refused: everything else, counted by why. While the plain way is open (`accept_unsigned`), what is not signed is
believed until the first signed message of this center has come, in this run or in one before.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import CenterError, LedgerError
from sync.ledger.keys import CENTER
from sync.ledger.messages.signed_message import Purpose, check_text, read_envelope
from sync.ledger.note import Verifier
from sync.room.enrollment import center_key
from sync.room.paths import RoomPaths
from sync.runtime.files.durable_files import replace_file
from sync.runtime.units import NS_PER_S
from sync.text.strict_json import UnreadableError, read_strict
from sync.uplink.wanted_tracks import MOST_CENTERS, MOST_PROCESS_CHARS

log = structlog.get_logger(__name__)

LATEST_S = 600
"""What is about the moment may be so late, the difference of the two clocks included."""
AHEAD_S = 3600
"""A last stamp that is further ahead of this room's clock gives way to one that is not: a wrong clock shuts no way for
ever."""
_ONCE: frozenset[str] = frozenset({"demand", "docket", "notices", "witness", "audit-head"})
_OF_THE_MOMENT: frozenset[str] = frozenset({"demand"})
_KEPT = _ONCE - _OF_THE_MOMENT
"""Purposes of which the last stamp is kept on the disk."""
_SYNC_NS = NS_PER_S
"""So often at most they are synced: a room that comes back is told of each of its hearings at once."""
_STAMPS_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Told:
    """What the center said: JSON as the strict reader has it. `signed` is false for what came the plain way."""

    value: Any
    signed: bool


class TrustedCenter:
    """All methods belong to one event loop, or to one thread."""

    def __init__(
        self,
        layout: RoomPaths,
        room: str,
        *,
        accept_unsigned: Callable[[], bool] = lambda: False,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`room` is `court/room`; `accept_unsigned()`: whether a center of before is still believed."""
        self.room = room
        self._layout = layout
        self._accept_unsigned = accept_unsigned
        self._utc_ns = utc_ns
        self._file: tuple[int, int, int] | None = None
        self._key: Ed25519PublicKey | None = None
        self._last: dict[str, int] = {}
        """Of each purpose the last stamp; of what each process says for itself, of `purpose process`."""
        self._forgotten = -1
        """The latest stamp of processes that are not remembered any more."""
        self._synced_ns = 0
        self._has_signed = False
        self.refused: Counter[str] = Counter()
        """Messages that were not believed, by why."""
        self.late = False
        """Whether the last message about the moment came too late: this room's clock, or the way, is wrong."""

    @property
    def key(self) -> Ed25519PublicKey | None:
        """The center's key; None while this room is not enrolled."""
        try:
            stat = self._layout.center_key.stat()
            file = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        except OSError:
            file = None
        if file is None or file != self._file:
            self._key = center_key(self._layout)
            self._file = file if self._key is not None else None
            self._last, self._forgotten = {}, -1
            if self._key is not None:
                self._recall(self._key)
        return self._key

    @property
    def verifiers(self) -> Sequence[Verifier]:
        """Who may speak for the center: nobody while this room is not enrolled."""
        key = self.key
        return [] if key is None else [Verifier(CENTER, key)]

    @property
    def accepts_plain(self) -> bool:
        """Whether what is not signed is believed now."""
        # The key first: with it comes what an earlier run has seen of this center.
        _ = self.key
        return not self._has_signed and self._accept_unsigned()

    def has_signed(self) -> None:
        """The center was seen to sign: from now on nothing else is believed, also after a restart."""
        if not self._has_signed:
            self._has_signed = True
            self._keep(synced=True)

    def read(self, purpose: Purpose, payload: bytes, *, limit: int) -> Told:
        """What a message of at most `limit` bytes says. `CenterError` for what is not believed, or no JSON."""
        try:
            return self._read(purpose, payload, limit)
        except (CenterError, LedgerError) as error:
            self.refused[error.code] += 1
            raise CenterError(error.message, code=error.code) from error

    def _read(self, purpose: Purpose, payload: bytes, limit: int) -> Told:
        signed = read_envelope(payload, purpose, limit=limit)
        verifiers = self.verifiers
        if signed is None or not verifiers:
            if not self.accepts_plain:
                why = (
                    "nobody has signed it"
                    if verifiers
                    else "this room is not enrolled, so it knows no key of the center"
                )
                raise CenterError(f"a message of {purpose} is not believed: {why}", code="unsigned")
            return Told(_json(payload, limit), signed=False)
        stamp = check_text(purpose, self.room, *signed, verifiers)[0]
        value = _json(signed[1].encode(), limit)
        if purpose in _ONCE:
            self._take_stamp(purpose, stamp, _process_of(value) if purpose in _OF_THE_MOMENT else "")
        self.has_signed()
        return Told(value, signed=True)

    def _take_stamp(self, purpose: Purpose, stamp: int, process: str) -> None:
        now = self._utc_ns()
        said_by = f"{purpose} {process}" if process else purpose
        last, ahead = self._last.get(said_by, self._forgotten if process else -1), now + AHEAD_S * NS_PER_S
        if stamp <= last and not stamp <= ahead < last:
            raise CenterError(f"a message of {purpose} was said before, or later than it was signed", code="old")
        if purpose in _OF_THE_MOMENT:
            self.late = stamp < now - LATEST_S * NS_PER_S
            if self.late:
                raise CenterError(f"a message of {purpose} is too late; compare the clocks of both ends", code="late")
        self._last[said_by] = stamp
        if process:
            self._forget_processes(said_by)
        if purpose in _KEPT:
            self._keep(synced=abs(now - self._synced_ns) >= _SYNC_NS)

    def _forget_processes(self, newest: str) -> None:
        """Of processes of the center that were not heard for long no stamp is kept: who comes anew must be later than
        all of those."""
        processes = sorted((stamp, name) for name, stamp in self._last.items() if " " in name and name != newest)
        for stamp, name in processes[: max(0, len(processes) + 1 - MOST_CENTERS)]:
            del self._last[name]
            self._forgotten = max(self._forgotten, stamp)

    def _keep(self, *, synced: bool) -> None:
        key = self.key
        if key is None:
            return
        stamps = {purpose: stamp for purpose, stamp in self._last.items() if purpose in _KEPT}
        kept = {"center": key.public_bytes_raw().hex(), "stamps": stamps, "signed": self._has_signed}
        try:
            replace_file(self._layout.center_stamps, json.dumps(kept), synced=synced)
        except OSError as error:
            log.error(
                "stamp_not_kept", why=error.strerror, next="what was said before could be said again after a restart"
            )
            return
        if synced:
            self._synced_ns = self._utc_ns()

    def _recall(self, key: Ed25519PublicKey) -> None:
        """Take what a run before this one knew of this center. Its last message itself may come once more: the broker
        keeps it."""
        try:
            kept = read_strict(self._layout.center_stamps.read_bytes(), limit=_STAMPS_BYTES)
            if kept["center"] != key.public_bytes_raw().hex():
                return
            self._last = {purpose: int(stamp) - 1 for purpose, stamp in kept["stamps"].items() if purpose in _KEPT}
            self._has_signed = self._has_signed or kept.get("signed") is True or bool(self._last)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._has_signed = True  # there was a file, so the center had signed
            log.warning("stamps_unreadable", why=str(error)[:200])


def _process_of(value: Any) -> str:
    """Which process of the center says so; empty where it has one alone."""
    process = value.get("center", "") if isinstance(value, dict) else ""
    return process if isinstance(process, str) and len(process) <= MOST_PROCESS_CHARS else ""


def _json(data: bytes, limit: int) -> Any:
    try:
        return read_strict(data, limit=limit)
    except UnreadableError as error:
        raise CenterError(str(error), code="form") from error
