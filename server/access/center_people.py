"""The people of a center: their codes, and where their sessions are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import structlog

from server.access.shared_rights import SharedRights
from server.access.shared_sessions import SharedSessions
from server.config import Config
from server.store.database import Database
from sync.http.rights.access import Access
from sync.http.rights.people import People
from sync.runtime.process.sole_place import waited_place

log = structlog.get_logger(__name__)


def open_people(
    data: Path, config: Config, database: Database, rights: SharedRights
) -> tuple[Access, SharedSessions | None]:
    """Who may sign in; sessions lie in the data folder where one process has them, else in the database. The codes of
    roles lie in the folder, and are made and taken only while the configuration leaves them open."""
    file = data / "access.json"
    people: Mapping[str, str] = {}
    if config.people.codes_open(rights.utc_s()):
        people = {"inspector": config.inspector, "archivist": config.archivist}
        log.error(
            "shared_codes_open",
            until=str(config.people.codes_until),
            next="who signs in by them is nobody by name, and sees all courts; take people.codes_until away",
        )
    with waited_place(file):  # Two that start at once make one set of codes.
        here = People.open(file, people, now_s=rights.utc_s, shares_sessions=rights.shared)
    here.codes_open = lambda: config.people.codes_open(rights.utc_s())
    access = Access(here)
    if not rights.shared:
        return access, None
    sessions = SharedSessions(database, here, rights, access.ended_elsewhere)
    access.share(rights, sessions)
    return access, sessions
