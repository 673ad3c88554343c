"""A checkpoint: what a device signs of a hearing's ledger, and what the center countersigns (c2sp.org/tlog-checkpoint).

    wutong/<court>/<room>/<hearing>
    <number of leaves>
    <root, base64>
    last <number of the last event in it>
    utc <UTC of the device's clock, ns>

The origin names court, room and hearing, so that a checkpoint can never stand for another hearing or device.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from sync.errors import LedgerError
from sync.ledger.tree import HASH_BYTES

_ORIGIN = re.compile(r"wutong/([a-z0-9-]{1,40}/[a-z0-9-]{1,40})/([A-Za-z0-9][A-Za-z0-9._:-]{0,95})")
_DECIMAL = r"(0|[1-9][0-9]{0,18})"
_BODY = re.compile(rf"([^\n]+)\n{_DECIMAL}\n([A-Za-z0-9+/=]+)\nlast {_DECIMAL}\nutc {_DECIMAL}\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head. `room` is `court/room`; `utc_ns` is the device's word only."""

    room: str
    hearing: str
    size: int
    root: bytes
    last_number: int
    utc_ns: int

    def to_text(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.root).decode()
        return f"wutong/{self.room}/{self.hearing}\n{self.size}\n{root}\nlast {self.last_number}\nutc {self.utc_ns}\n"

    @classmethod
    def from_text(cls, text: str) -> Checkpoint:
        """Read what `to_text` made; `LedgerError` for anything else."""
        found = _BODY.fullmatch(text)
        origin = _ORIGIN.fullmatch(found[1]) if found is not None else None
        if found is None or origin is None:
            raise LedgerError("this is not a checkpoint of a hearing", code="checkpoint")
        try:
            root = base64.b64decode(found[3], validate=True)
        except ValueError as error:
            raise LedgerError("the root of a checkpoint is not base64", code="checkpoint") from error
        value = cls(origin[1], origin[2], int(found[2]), root, int(found[4]), int(found[5]))
        if max(value.size, value.last_number, value.utc_ns) >= 1 << 63:
            raise LedgerError("a checkpoint has a number that no database holds", code="checkpoint")
        if len(root) != HASH_BYTES or value.to_text() != text:
            raise LedgerError("a checkpoint is not in its one form", code="checkpoint")
        return value
