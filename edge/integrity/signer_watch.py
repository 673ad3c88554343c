"""The alarm `signer` of the room: the signer does not answer, or refuses to sign a hearing's checkpoint.

A moment's absence, as at a restart, is none. Recording, words and screens go on; checkpoints wait, and are signed when
the signer is back. Until then nothing proves what is recorded, which is why it is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sync.errors import LedgerError
from sync.room.messages import RoomAlarm

CODE = "signer"
AWAY_S = 5.0
LOOK_S = 2.0
MAX_TEXT = 400
_AWAY = (
    "存证签名暂停：签名服务没有应答。庭审可以照常进行，请通知管理员检查 wutong-signer 服务"
    " (Signatures wait: the signer does not answer. The hearing can go on; tell the administrator to look at the"
    " service wutong-signer)"
)


class SignerWatch:
    """`probe` asks the signer for something small, or raises `LedgerError`; `now_ns` is room time. One thread only."""

    def __init__(
        self,
        probe: Callable[[], object],
        now_ns: Callable[[], int],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probe = probe
        self._now_ns = now_ns
        self._monotonic = monotonic
        self._looked_s = float("-inf")
        self._away: tuple[float, int] | None = None
        self._refused: dict[str, tuple[int, str]] = {}

    def look(self) -> None:
        """Ask again, if it is time; blocks for as long as the probe does."""
        now_s = self._monotonic()
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        try:
            self._probe()
        except LedgerError:
            if self._away is None:
                self._away = (self._monotonic(), self._now_ns())
        else:
            self._away = None

    def signed(self, hearing: str) -> None:
        """A checkpoint of it was signed."""
        self._away = None
        self._refused.pop(hearing, None)

    def failed(self, hearing: str, error: LedgerError) -> None:
        """A checkpoint of it was not."""
        if error.code == CODE:
            if self._away is None:
                self._away = (self._monotonic(), self._now_ns())
        else:
            since_ns = self._refused.get(hearing, (self._now_ns(), ""))[0]
            self._refused[hearing] = (since_ns, error.message[:MAX_TEXT])

    def alarms(self) -> list[RoomAlarm]:
        """What is wrong now."""
        found: list[RoomAlarm] = []
        if self._away is not None and self._monotonic() - self._away[0] >= AWAY_S:
            found.append({"code": CODE, "subject": "", "text": _AWAY, "since_ns": self._away[1]})
        for hearing, (since_ns, why) in sorted(self._refused.items())[:1]:
            found.append({"code": CODE, "subject": hearing, "text": why, "since_ns": since_ns})
        return found
