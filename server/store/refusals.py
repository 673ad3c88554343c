"""Why the database of the center did not do what it was asked, in words for who has to mend it.

Promises: the words name no password, no statement and no line of the record; those are in the log alone. `of_all` tells
a store that takes nothing of anybody just now from a single piece of work that it will never take.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sync.errors import StorageError

Act = Literal["write", "read"]


class StoreRefusedError(StorageError):
    """The record store refused a piece of work, and nothing of it was kept."""

    def __init__(self, message: str, *, of_all: bool) -> None:
        super().__init__(message)
        self.of_all = of_all
        """Whether any other work would be refused, too: waiting helps, asking for less does not."""


class LeaseLostError(StoreRefusedError):
    """Another process owns these rooms now: what this one wrote of them was taken back, and the rooms say it to that
    one again."""

    code = "busy"

    def __init__(self, rooms: frozenset[str]) -> None:
        super().__init__(
            f"{len(rooms)} 个法庭已由中心的另一进程接管，本次内容未写入"
            f" (another process of the center owns {len(rooms)} of these rooms now; nothing was kept)",
            of_all=True,
        )
        self.rooms = rooms


@dataclass(frozen=True, slots=True)
class _Cause:
    chinese: str
    english: str
    of_all: bool = True


_AWAY = _Cause(
    "中心数据库连接不上，恢复后会自动重连，请检查数据库服务和网络",
    "the database cannot be reached; it is asked again by itself: look at the database server and the network",
)
_REFUSES = _Cause(
    "中心数据库拒绝登录或权限不足，请核对 center.toml 的 storage.database 和口令文件",
    "the database refuses the center: look at storage.database, the password file and the rights of its user",
)
_READ_ONLY = _Cause(
    "中心数据库只读，可能是备机或磁盘已满，请检查数据库",
    "the database is read-only: a standby, or switched so; look at default_transaction_read_only",
)
_FULL = _Cause(
    "中心数据库空间或连接数已满，请清理磁盘或增大 max_connections",
    "the database has no room, no memory or no connection left: free its disk, or raise max_connections",
)
_SLOW = _Cause(
    "中心数据库太慢或被占用，操作已取消，请检查数据库负载和锁",
    "the database was too slow or held by somebody, and the work was canceled: look at its load and its locks",
)
_DAMAGED = _Cause(
    "中心数据库文件损坏或读写出错，请检查磁盘和日志",
    "the database reports damage or errors of its disk: look at the disk, then at the log",
)
_UNKNOWN = _Cause("请联系管理员查看日志", "the log says why")
_UNFIT = _Cause("请联系管理员查看日志", "the log says why", of_all=False)
"""The work itself is what no database takes."""

_BY_STATE = {
    "25006": _READ_ONLY,
    "57014": _SLOW,
    "55P03": _SLOW,
    "25P03": _SLOW,
    "40001": _SLOW,
    "40P01": _SLOW,
    "42501": _REFUSES,
    "3D000": _REFUSES,
}
_BY_CLASS = {
    "08": _AWAY,
    "57": _AWAY,
    "28": _REFUSES,
    "53": _FULL,
    "58": _DAMAGED,
    "XX": _DAMAGED,
    "22": _UNFIT,
    "23": _UNFIT,
    "54": _UNFIT,
}
"""Of SQLSTATE, its first two characters (PostgreSQL, appendix A)."""
_BY_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_BUSY: _SLOW,
    sqlite3.SQLITE_LOCKED: _SLOW,
    sqlite3.SQLITE_IOERR: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _AWAY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_PERM: _REFUSES,
    sqlite3.SQLITE_CONSTRAINT: _UNFIT,
    sqlite3.SQLITE_TOOBIG: _UNFIT,
    sqlite3.SQLITE_MISMATCH: _UNFIT,
    sqlite3.SQLITE_RANGE: _UNFIT,
}
_NOT_LET_IN = ("password", "authentication", "pg_hba", "role ", "does not exist", "certificate", "not support ssl")
_AT_CONNECT = ((_NOT_LET_IN, _REFUSES), (("too many", "remaining connection slots"), _FULL))
"""A connection that was not made carries no SQLSTATE, only the words of the server and of libpq."""
_WORDS: dict[Act, tuple[str, str]] = {
    "write": (
        "中心存储未能写入，本次内容未被确认",
        "the record store refused a write; nothing of it was receipted",
    ),
    "read": ("中心存储无法读取", "the record store cannot be read"),
}


def refusal_of(error: Exception, act: Act) -> StoreRefusedError:
    """The error to raise in place of what a driver said."""
    cause = _cause(error)
    chinese, english = _WORDS[act]
    return StoreRefusedError(f"{chinese}；{cause.chinese} ({english}; {cause.english})", of_all=cause.of_all)


def words_of(error: Exception) -> str:
    """Why a database cannot be opened."""
    cause = _cause(error)
    return f"{cause.chinese} ({cause.english})" if cause not in (_UNKNOWN, _UNFIT) else _first_line(error)


def is_of_content(error: Exception) -> bool:
    """Whether something else may be stored although this was not: what nobody foresaw is of what was to be stored, a
    store that takes nothing is not."""
    if isinstance(error, StoreRefusedError):
        return not error.of_all
    return not isinstance(error, StorageError)


def is_lost_race(error: Exception) -> bool:
    """Whether the same work, done again now, may well succeed: two transactions stood in each other's way."""
    return _state(error) in ("40001", "40P01")


def _cause(error: Exception) -> _Cause:
    if isinstance(error, PoolTimeoutError):
        return _SLOW
    if not isinstance(error, DBAPIError):
        return _UNFIT if isinstance(error, UnicodeError | OverflowError | StatementError) else _UNKNOWN
    state = _state(error)
    if state is not None:
        return _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or _UNKNOWN
    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return _BY_SQLITE.get(code & 0xFF, _UNKNOWN)
    if isinstance(error, DataError | IntegrityError):
        return _UNFIT  # found by the driver, before the server was asked
    if isinstance(error.orig, sqlite3.Error):
        return _UNKNOWN
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        said = str(error.orig).lower()
        return next((cause for words, cause in _AT_CONNECT if any(word in said for word in words)), _AWAY)
    return _UNKNOWN


def _state(error: Exception) -> str | None:
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state if isinstance(state, str) else None


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0][:300]
