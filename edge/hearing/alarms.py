"""The alarms of the edge itself: the hearing is open but not recorded; nobody turns speech into words.

An alarm is a durable event of the hearing, raised once and cleared once; which are on is read from the log, so a
restart of the edge neither repeats nor forgets one. Alarms never stop anything: recording goes on as far as it goes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge.state.room_state import RoomState
from sync.errors import StorageError
from sync.record.bodies.media import AlarmBody
from sync.record.hearing import State

log = structlog.get_logger(__name__)

LOOK_S = 0.5
AFTER_S = {"not-recording": 3.0, "transcriber": 5.0, "not-enrolled": 1.0, "fork": 0.0}


@dataclass(frozen=True)
class AlarmKind:
    """One kind of alarm."""

    code: str
    subject: str
    text: str


NOT_RECORDING = AlarmKind(
    "not-recording",
    "recorder",
    "庭审未在录制，请休庭并检查录制服务 (the hearing is not being recorded; pause and check)",
)
NO_WORDS = AlarmKind(
    "transcriber", "transcriber", "语音识别未运行，录音录像不受影响 (speech recognition is down; recording goes on)"
)
NOT_ENROLLED = AlarmKind(
    "not-enrolled",
    "ledger",
    "本法庭未在中心登记，中心不能见证；录制不受影响，请管理员登记"
    " (this room is not enrolled, so the center cannot witness; recording goes on; enroll it with `wutong enroll`)",
)
FORK = AlarmKind(
    "fork",
    "ledger",
    "中心拒绝见证：本庭记录与中心所存不一致，请保全设备并报告"
    " (the center holds another record than this room signed; keep the device as it is and report)",
)


class AlarmRules:
    """Raises and clears the edge's alarms. All methods belong to one event loop."""

    def __init__(self, state: RoomState, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._monotonic = monotonic
        self._since: dict[str, float] = {}
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            await self._watch(NOT_RECORDING, bad=self._not_recording())
            await self._watch(NO_WORDS, bad=self._no_words())
            ledger = self._state.integrity
            await self._watch(NOT_ENROLLED, bad=ledger is not None and ledger.get("enrolled") is False)
            await self._watch(FORK, bad=ledger is not None and ledger["refused"] == "fork")
            await asyncio.sleep(LOOK_S)

    async def set(self, kind: AlarmKind, on: bool) -> None:
        """Raise or clear an alarm of the hearing that was opened last, if that changes anything."""
        async with self._lock:
            hearing = self._state.hearing
            if hearing is None:
                return
            active = any(
                a.code == kind.code and a.subject == kind.subject and a.cleared_ns is None for a in hearing.alarms
            )
            if active == on or hearing.sealed is not None or (on and hearing.state is State.CLOSED):
                return
            body: AlarmBody = {"code": kind.code, "subject": kind.subject, "text": kind.text}
            if not on:
                body["cleared"] = True
            try:
                await self._state.append("alarm", body, hearing=hearing.id)
            except StorageError as error:  # tried again at the next look; the panel must not go down with the disk
                log.error("alarm_unsaid", code=kind.code, on=on, why=error.message)

    async def _watch(self, kind: AlarmKind, *, bad: bool) -> None:
        now = self._monotonic()
        if not bad:
            self._since.pop(kind.code, None)
            await self.set(kind, False)
        elif now - self._since.setdefault(kind.code, now) >= AFTER_S[kind.code]:
            await self.set(kind, True)

    def _not_recording(self) -> bool:
        hearing = self._state.current
        return hearing is not None and hearing.state is State.OPEN and not self._state.kept(hearing.id)

    def _no_words(self) -> bool:
        if self._state.current is None or self._state.profile.transcriber.engine == "off":
            return False
        status = self._state.transcriber
        return not self._state.transcriber_feed.connected or (status is not None and status.get("state") == "failed")
