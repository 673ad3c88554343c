"""Whether the center can do its work: it writes its database and its store, and reaches its broker.

Each look really writes, because a disk that answers what it has in memory is found out only so: a row and a small file,
both gone again at once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, text

from server.access.shared_rights import SharedRights
from server.ingest.mqtt import CenterBroker
from server.objects.object_store import ObjectStore
from server.store.database import Database
from sync.http.monitoring.folder_probe import PROBE, written_and_free
from sync.http.monitoring.readiness import Readiness, ReadyPart

_NO_BROKER = "中心没有连接消息服务器 (the center is not connected to its broker)"
_NO_RIGHTS = "中心暂时无法确认查阅权限，已停止显示 (the center cannot tell who may see what, and shows nothing)"
_FULL = "中心磁盘剩余空间低于保留值，上传等待 (less than the reserve is free on the center's disk; uploads wait)"
_NOT_WRITTEN = "中心存储目录无法写入 (the folder of the record store cannot be written)"


def center_readiness(
    data: Path,
    reserve_bytes: int,
    objects: ObjectStore,
    database: Database,
    broker: CenterBroker,
    rights: SharedRights,
    *,
    role: str = "",
    not_taken_over: Callable[[], str] | None = None,
) -> Readiness:
    """`data` is the folder of the record store; `reserve_bytes` stay free there. `objects` may lie elsewhere, and says
    what it found when it was used or looked at last. Where several processes share the `rights`, one that does not know
    them now is not ready, and neither is one that says why it cannot answer rooms of its own (`not_taken_over()`).
    `role`: which of several it is."""

    async def writes_database() -> str:
        await database.write(_write_nothing)
        return ""

    async def reaches_broker() -> str:
        return "" if broker.connected else _NO_BROKER

    async def writes_store() -> str:
        return await asyncio.to_thread(_store_lacks, data, reserve_bytes)

    async def keeps_objects() -> str:
        return objects.lacks

    async def locks_objects() -> str:
        return objects.wants

    async def knows_rights() -> str:
        return "" if rights.known() else _NO_RIGHTS

    parts = {
        "database": ReadyPart(writes_database),
        "broker": ReadyPart(reaches_broker),
        "store": ReadyPart(writes_store),
        "objects": ReadyPart(keeps_objects),
        "object-lock": ReadyPart(locks_objects, needed=False),
    }
    if rights.shared:
        parts["rights"] = ReadyPart(knows_rights)
    if not_taken_over is not None:
        why_not = not_taken_over

        async def answers_rooms() -> str:
            return why_not()

        parts["rooms"] = ReadyPart(answers_rooms)
    return Readiness(parts, role=role)


def _write_nothing(connection: Connection) -> None:
    """A transaction that has to be written and leaves nothing: a row that comes and goes, which nobody else ever sees.

    An update to what is there already would do less: SQLite sees that nothing changes, and writes nothing.
    """
    row = {"version_num": f"{PROBE}-{os.getpid()}"}
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:version_num)"), row)
    connection.execute(text("DELETE FROM alembic_version WHERE version_num = :version_num"), row)


def _store_lacks(data: Path, reserve_bytes: int) -> str:
    try:
        free = written_and_free(data)
    except OSError:
        return _NOT_WRITTEN
    return _FULL if free < reserve_bytes else ""
