"""Transactions that a process has left open in the database when its time was over.

A process that stands still between two instructions, or is cut off, holds the rows that it has written, and whoever
takes its rooms over waits for them. PostgreSQL itself ends only what it takes for idle: not a batch that was sent in
part, for which it waits without any limit. So each process has its name on its connections, and the others end what one
holds that lives no more.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, text

from server.leases.center_process import CenterProcess

STILL = 5 / 6
"""Of a lease: so long a transaction may stand still."""
# One without a number of its own has only read, and holds up nobody.
_END = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user AND application_name = ANY(:names)"
    " AND backend_xid IS NOT NULL AND xact_start < clock_timestamp() - make_interval(secs => :still_s)"
)


def session_name(process: str) -> str:
    """What connections of the process of this name (`CenterProcess.name`) are called."""
    return f"wutong-{process}"


def bound_session(connection: Any, mine: CenterProcess) -> None:
    """A new connection of the driver's: it says whose it is, and PostgreSQL ends a transaction of it that is idle."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", (session_name(mine.name),))
        cursor.execute(f"SET idle_in_transaction_session_timeout = {round(mine.lease_s * STILL * 1000)}")
    connection.commit()


def end_transactions(connection: Connection, processes: Collection[str], lease_ms: int) -> int:
    """End those of these processes, which live no more, that have written and are older than a transaction may stand
    still; how many."""
    if not processes:
        return 0
    names = [session_name(name) for name in processes]
    return int(connection.execute(_END, {"names": names, "still_s": STILL * lease_ms / 1000}).scalar_one())
