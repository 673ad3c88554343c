"""What the signer remembers of the checkpoints that it has signed: the last of each hearing, on disk before it leaves.

So no service of the room, whatever has become of it, gets two heads of one size, or an earlier one after a later:
what was once signed of a hearing only grows.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from sync.errors import LedgerError, StorageError
from sync.ledger.checkpoint import Checkpoint
from sync.room.signer import REFUSED

_SCHEMA = """
CREATE TABLE IF NOT EXISTS head (
    hearing TEXT PRIMARY KEY,
    size    INTEGER NOT NULL,
    root    BLOB NOT NULL
) WITHOUT ROWID;
"""
WAIT_S = 5.0


class SignedHeads:
    """Each method is one transaction and may be called in any thread. `StorageError` when the disk refuses."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA synchronous=EXTRA")
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"the signer's memory {path} cannot be opened: {error}") from error

    def take(self, head: Checkpoint) -> None:
        """Remember a head that is about to be signed; `LedgerError` (`signer-refused`) when it must not be."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    row = self._db.execute("SELECT size, root FROM head WHERE hearing = ?", (head.hearing,)).fetchone()
                    if row is not None:
                        _check(head, int(row[0]), bytes(row[1]))
                    statement = "INSERT OR REPLACE INTO head (hearing, size, root) VALUES (?, ?, ?)"
                    self._db.execute(statement, (head.hearing, head.size, head.root))
                    self._db.execute("COMMIT")
                except BaseException:  # whatever ends it: the lock of the file is not left behind
                    self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise StorageError(f"the signer's memory cannot be written: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def _check(head: Checkpoint, size: int, root: bytes) -> None:
    if head.size < size:
        why = f"{size} leaves of it are signed, and this head has {head.size}"
    elif head.size == size and head.root != root:
        why = f"another head of {size} leaves is signed"
    else:
        return
    raise LedgerError(
        f"签名进程拒绝签署：庭审 {head.hearing} 的存证链与已签署的不一致，请保留现场并联系管理员"
        f" (not signed: the ledger of {head.hearing} is not the one that was signed before: {why})",
        code=REFUSED,
    )
