"""Whether the room can hold a hearing: it records, has room for it, and its log takes what is said.

Words, signatures and the center are wanted, not needed: without them a hearing is recorded all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any, Final

from edge.api.room_counts import RoomCounts
from edge.state.room_state import RoomState
from sync.http.monitoring.readiness import Readiness, ReadyPart

LOG_S: Final = 0.5
"""So long the room's log may be locked by another service; a write takes milliseconds."""
_AWAY = {
    "recorder": "录制服务没有应答 (the recorder says nothing)",
    "transcriber": "语音识别没有就绪，录音录像不受影响 (there is no speech recognition; recording goes on)",
    "signer": "签名服务没有应答，签名在等待 (the signer does not answer; signatures wait)",
    "center": "与中心没有连接，记录保存在本机等待 (there is no way to the center; the record waits in the room)",
}
_DISK = "磁盘剩余空间低于保留值，或录像磁盘已更换 (less than the reserve is free, or the volume was replaced)"
_LOG = "法庭日志无法写入 (the room's log takes nothing)"
_NO_TRACK = "没有任何摄像机或话筒在工作 (no camera and no microphone gives anything)"


def room_readiness(state: RoomState, counts: RoomCounts) -> Readiness:
    """Of the room whose edge has this state."""

    async def records() -> str:
        if not state.recorder_fresh:
            return _AWAY["recorder"]
        return "" if state.running_tracks else _NO_TRACK

    async def has_room() -> str:
        return _DISK if _alarms(state) & {"disk", "volume"} else ""

    async def writes_log() -> str:
        if "log" in _alarms(state):
            return _LOG
        return await asyncio.to_thread(_log_lacks, state.layout.log)

    async def has_words() -> str:
        if state.profile.transcriber.engine == "off":
            return ""
        status = counts.status("transcriber") or {}
        return "" if status.get("state") in ("ready", "catching-up") else _AWAY["transcriber"]

    async def signs() -> str:
        return _AWAY["signer"] if any(alarm["code"] == "signer" for alarm in state.alarms) else ""

    async def reaches_center() -> str:
        if not state.profile.center.url:
            return ""
        link = counts.status("uplink") or {}
        return "" if link.get("broker") is True and link.get("center") is True else _AWAY["center"]

    return Readiness(
        {
            "recorder": ReadyPart(records),
            "disk": ReadyPart(has_room),
            "log": ReadyPart(writes_log),
            "transcriber": ReadyPart(has_words, needed=False),
            "signer": ReadyPart(signs, needed=False),
            "center": ReadyPart(reaches_center, needed=False),
        }
    )


def _alarms(state: RoomState) -> frozenset[str]:
    """Codes of what the recorder says is wrong."""
    status: Any = state.recorder if state.recorder_fresh else None
    said = (status or {}).get("alarms")
    return frozenset(str(alarm.get("code")) for alarm in said or () if isinstance(alarm, dict))


def _log_lacks(path: Path) -> str:
    """Take the right to write, and give it back: nothing is written."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=LOG_S)) as db:
            db.isolation_level = None
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
    except sqlite3.Error:
        return _LOG
    return ""
