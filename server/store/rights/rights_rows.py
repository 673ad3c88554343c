"""The version of who may see what, which several processes follow: what raises it, and who has seen it.

Only PostgreSQL has it (`is_shared`). Each transaction that changes a right raises the version by one, and holds its row
until it ends, so versions are committed in their order and acts upon rights come one after the other. With it goes what
was changed (`rights_changes`, the newest `KEPT_CHANGES` versions), so that a process that follows reads only that.

Whoever also appends to the audit log raises the version first: two transactions never hold what the other waits for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

CHANNEL = "wutong_rights"
"""What listens there is woken by each new version."""
KEPT_CHANGES = 10_000
NOTHING_SEEN = -1
HEARING_RIGHTS, PART_RIGHTS, SAID_RIGHTS = "hearing", "part", "said"
"""Kinds: a hearing's level and whether it is public, its sealed parts, and `room hearing`: what a room says live."""
GRANT_RIGHTS, SESSION_RIGHTS, CODE_RIGHTS = "grant", "session", "code"
"""Kinds: a grant by its id, a session by the hash of its token, a role whose code is another."""
ROOM_RIGHTS = "room"
"""Kind: a room by its address, of which there is none, or it is called otherwise."""
PERSON_RIGHTS, COURT_RIGHTS = "person", "court"
"""Kinds: a person by their id, a court by its slug."""

of_rights = MetaData()
"""What SQLite, which one process has alone, needs no table for."""
rights_version = Table(
    "rights_version",
    of_rights,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)
"""One row."""
rights_changes = Table(
    "rights_changes",
    of_rights,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("name", String(192), primary_key=True),
)
rights_followers = Table(
    "rights_followers",
    of_rights,
    Column("process", String(32), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
)
"""Processes that may show something: which version each has taken, and a number that is another one at each beat."""
sessions = Table(
    "sessions",
    of_rights,
    Column("token_sha256", String(64), primary_key=True),
    Column("id", String(16), nullable=False),
    Column("role", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("since_s", Double, nullable=False),
    Column("used_s", Double, nullable=False),
    Column("grant", String(32), nullable=False),
    Column("until_s", Double),
    Column("person", String(16), nullable=False, server_default=""),
    Column("court", String(31), nullable=False, server_default=""),
    Index("sessions_grant", "grant"),
    Index("sessions_person", "person"),
)
"""Who is signed in; times in seconds of UTC by the database's clock."""
sign_in_codes = Table(
    "sign_in_codes",
    of_rights,
    Column("role", String(32), primary_key=True),
    Column("sha256", String(64), nullable=False),
)
"""Of each role, the SHA-256 of its code's argon2 hash: by which code sessions were opened."""
closed_hearings_said = Table(
    "closed_hearings_said",
    of_rights,
    Column("room", String(64), primary_key=True),
    Column("hearing", String(96), primary_key=True),
    Column("said_utc_ns", BigInteger, nullable=False),
)
"""Hearings that are not tried in public, as rooms say it live before the opening is stored."""

Change = tuple[str, str]
"""Kind of a right, and whose: a hearing, a grant, a session …"""


@dataclass(frozen=True, slots=True)
class ChangesSeen:
    """What has changed up to a version; `names` of each kind, None where that is not known any more."""

    version: int
    names: dict[str, set[str]] | None


def is_shared(connection: Connection) -> bool:
    """Whether this database may have several processes."""
    return connection.dialect.name == "postgresql"


def raise_version(connection: Connection, changes: Iterable[Change]) -> int:
    """Say in this transaction that these rights change; the version that it makes, 0 where nobody else is there.

    It waits for others who change rights, and they for it: what is read after it is as they have left it."""
    if not is_shared(connection):
        return 0
    v = rights_version.c.version
    version = int(connection.execute(update(rights_version).values(version=v + 1).returning(v)).scalar_one())
    note_changes(connection, version, changes)
    connection.execute(delete(rights_changes).where(rights_changes.c.version <= version - KEPT_CHANGES))
    connection.execute(select(func.pg_notify(CHANNEL, str(version))))
    return version


def note_changes(connection: Connection, version: int, changes: Iterable[Change]) -> None:
    """Add to what changes with a version that this transaction has raised."""
    rows = [{"version": version, "kind": kind, "name": name} for kind, name in sorted(set(changes))]
    if rows and version:
        connection.execute(insert(rights_changes), rows)


def stored_version(connection: Connection) -> int:
    """The version as of this transaction's moment; 0 where nobody else is there."""
    return int(connection.execute(select(rights_version.c.version)).scalar_one()) if is_shared(connection) else 0


def changes_since(connection: Connection, seen: int) -> ChangesSeen:
    """What has changed since a version was taken, as of this transaction's moment."""
    version = stored_version(connection)
    if not 0 <= seen <= version or seen < version - KEPT_CHANGES + 1:
        return ChangesSeen(version, None)
    c = rights_changes.c
    names: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(c.kind, c.name).where(c.version > seen, c.version <= version)):
        names[row.kind].add(row.name)
    return ChangesSeen(version, dict(names))


def join_followers(connection: Connection, process: str, beat: int) -> None:
    """From now on others wait for this process before they answer; it has seen nothing yet."""
    connection.execute(delete(rights_followers).where(rights_followers.c.process == process))
    connection.execute(insert(rights_followers).values(process=process, version=NOTHING_SEEN, beat=beat))


def say_beat(connection: Connection, process: str, seen: int, beat: int) -> tuple[int, float] | None:
    """Say that this process lives and what it has taken; the version of now and the database's clock (UTC in seconds),
    both as of one moment after this was asked. None: it is no follower any more."""
    said = text(
        "UPDATE rights_followers SET version = :seen, beat = :beat WHERE process = :process"
        " RETURNING (SELECT version FROM rights_version), extract(epoch FROM clock_timestamp())::float8"
    )
    row = connection.execute(said, {"seen": seen, "beat": beat, "process": process}).first()
    return None if row is None else (int(row[0]), float(row[1]))


def is_anybody_behind(connection: Connection, version: int, process: str) -> bool:
    """Whether another process has not said that it has taken this version."""
    f = rights_followers.c
    behind = select(f.process).where(f.process != process, f.version < version).limit(1)
    return connection.execute(behind).first() is not None


def other_beats(connection: Connection, process: str) -> dict[str, int]:
    """The last beat of each other process."""
    f = rights_followers.c
    return {
        row.process: int(row.beat) for row in connection.execute(select(f.process, f.beat).where(f.process != process))
    }


def drop_follower(connection: Connection, process: str, beat: int | None = None) -> bool:
    """Wait for this process no more; with `beat` only if that is still its last. Whether it was one."""
    f = rights_followers.c
    mine = f.process == process if beat is None else (f.process == process) & (f.beat == beat)
    return connection.execute(delete(rights_followers).where(mine)).rowcount > 0
