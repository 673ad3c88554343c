"""The people of a center: their codes, and where their sessions are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from server.access.shared_rights import SharedRights
from server.access.shared_sessions import SharedSessions
from server.store.database import Database
from sync.http.rights.access import Access
from sync.http.rights.people import People
from sync.runtime.process.sole_place import waited_place


def open_people(
    data: Path, people: Mapping[str, str], database: Database, rights: SharedRights
) -> tuple[Access, SharedSessions | None]:
    """Who may sign in, by the codes in the data folder; their sessions lie there, too, where one process has them, else
    in the database."""
    file = data / "access.json"
    if not rights.shared:
        return Access.open(file, people), None
    with waited_place(file):  # Two that start at once make one set of codes.
        shared = People.open(file, people, now_s=rights.utc_s, shares_sessions=True)
    access = Access(shared)
    sessions = SharedSessions(database, shared, rights, access.ended_elsewhere)
    access.share(rights, sessions)
    return access, sessions
