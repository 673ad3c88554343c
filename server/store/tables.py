"""The tables of the record store. Times are nanoseconds: `*_ns` room time, `*_utc_ns` UTC.

`events` is the record; `hearings`, `segments` and `utterances` (the lines as they are now) are what is asked for often,
taken from it in the same transaction. `objects` and `files` say which bytes the center holds for good. Changes of this
file need a migration. What only one of the two databases has beside it: SQLite indexes of words (`utterance_folded`,
of cases `hearing_folded`), PostgreSQL `utterances.grams` and `hearings.grams` (`server.store.words.word_index`), months
and numbers of events (`server.store.partitions`). Both index the two parts of a hearing's room, each in its own words.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData()

GrowingKey = BigInteger().with_variant(Integer, "sqlite")
"""Of rows that are numbered as they come: 64 bits. SQLite numbers only what it calls INTEGER, and that has as many."""

rooms = Table(
    "rooms",
    metadata,
    Column("address", String(64), primary_key=True),
    Column("court_name", Text, nullable=False, server_default=""),
    Column("room_name", Text, nullable=False, server_default=""),
)
hearings = Table(
    "hearings",
    metadata,
    Column("id", String(96), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("court_name", Text, nullable=False),
    Column("room_name", Text, nullable=False),
    Column("case_no", Text, nullable=False),
    Column("case_json", Text, nullable=False),
    Column("tracks_json", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("state_number", BigInteger, nullable=False),
    Column("opened_ns", BigInteger, nullable=False),
    Column("opened_utc_ns", BigInteger, nullable=False),
    Column("closed_ns", BigInteger),
    Column("closed_utc_ns", BigInteger),
    Column("folded", Text, nullable=False, server_default=""),
    Column("public", Boolean, nullable=False, server_default=false()),
    Index("hearings_newest", text("opened_utc_ns DESC"), "id"),
    Index("hearings_room", "room", text("opened_utc_ns DESC"), "id"),
    Index("hearings_state", "state", text("opened_utc_ns DESC"), "id"),
    Index("hearings_not_public", "id", sqlite_where=text("public = 0"), postgresql_where=text("public = false")),
)
events = Table(
    "events",
    metadata,
    Column("room", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hearing", String(96)),
    Column("kind", String(32), nullable=False),
    Column("room_ns", BigInteger, nullable=False),
    Column("utc_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("stored_utc_ns", BigInteger, nullable=False),
    Index("events_hearing", "hearing", "number"),
)
segments = Table(
    "segments",
    metadata,
    Column("hearing", String(96), primary_key=True),
    Column("track", String(96), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger, nullable=False),
    Column("mime", Text, nullable=False),
)
utterances = Table(
    "utterances",
    metadata,
    Column("row", GrowingKey, primary_key=True),
    Column("hearing", String(96), nullable=False),
    Column("id", String(96), nullable=False),
    Column("seat", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=False),
    Column("said_from_ns", BigInteger),
    Column("said_to_ns", BigInteger),
    Column("text", Text, nullable=False),
    Column("folded", Text, nullable=False, server_default=""),
    Index("utterances_id", "hearing", "id", unique=True),
)
objects = Table(
    "objects",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("stored_utc_ns", BigInteger, nullable=False),
)
files = Table(
    "files",
    metadata,
    Column("hearing", String(96), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("track", String(96), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("fault", String(16), nullable=False, server_default=""),
    Index("files_sha256", "sha256"),
)
"""What each object is, where. `fault`: why it cannot be shown as that (`server.ingest.contents`), of the file and not
of its bytes, which may be a sound exhibit of one hearing and no segment of another."""
levels = Table(
    "levels",
    metadata,
    Column("hearing", String(96), primary_key=True),
    Column("level", String(16), nullable=False),
    Index("levels_level", "level"),
)
"""The classification that the audit log says last of a hearing, written with it, so that every query can ask for it."""
sealed_parts = Table(
    "sealed_parts",
    metadata,
    Column("row", GrowingKey, primary_key=True),
    Column("hearing", String(96), nullable=False),
    Column("part", String(128), nullable=False),
    Column("level", String(16), nullable=False),
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("utc_ns", BigInteger, nullable=False),
    Index("sealed_parts_hearing", "hearing", "part", "row"),
)
"""Acts upon parts of hearings, never changed: the newest of a (hearing, part) counts, `open` when it was lifted."""
dockets = Table(
    "dockets",
    metadata,
    Column("room", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("set_utc_ns", BigInteger, nullable=False),
)
docket_changes = Table(
    "docket_changes",
    metadata,
    Column("row", GrowingKey, primary_key=True),
    Column("room", String(64), nullable=False),
    Column("date", String(10), nullable=False),
    Column("entry", String(64), nullable=False),
    Column("change", String(16), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("utc_ns", BigInteger, nullable=False),
    Column("role", String(32), nullable=False),
    Column("person", String(16), nullable=False),
    Index("docket_changes_room", "room", "date", "row"),
    Index("docket_changes_utc", "utc_ns"),
)
"""What a docket did to entries of the one before it, never changed: who took off or moved a hearing, and when."""
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("hearing", String(96), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", String(64), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("last_number", BigInteger, nullable=False),
    Column("peaks", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("refused", String(16), nullable=False),
    Column("stored_utc_ns", BigInteger, nullable=False),
    Column("token", LargeBinary),
    # Whatever several processes do at once, one tree of a size is witnessed.
    Index(
        "checkpoints_witnessed",
        "hearing",
        "size",
        unique=True,
        sqlite_where=text("refused = ''"),
        postgresql_where=text("refused = ''"),
    ),
)
"""Tree heads that the center countersigned (`refused` is empty), and those that it kept as proof of a fork."""
devices = Table(
    "devices",
    metadata,
    Column("row", GrowingKey, primary_key=True),
    Column("room", String(64), nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("certificate", Text, nullable=False),
    Column("enrolled_utc_ns", BigInteger, nullable=False),
    Column("revoked_utc_ns", BigInteger),
    Index("devices_room", "room"),
)
device_certificates = Table(
    "device_certificates",
    metadata,
    Column("serial", String(48), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("certificate", Text, nullable=False),
    Column("issued_utc_ns", BigInteger, nullable=False),
    Column("expires_utc_ns", BigInteger, nullable=False),
    Column("revoked_utc_ns", BigInteger),
    Index("device_certificates_room", "room"),
)
"""Certificates of TLS that rooms were given; the serial in hexadecimal."""
enrollments = Table(
    "enrolments",
    metadata,
    Column("code_sha256", String(64), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("made_utc_ns", BigInteger, nullable=False),
    Column("expires_utc_ns", BigInteger, nullable=False),
    Column("used_utc_ns", BigInteger),
)
room_entries = Table(
    "room_entries",
    metadata,
    Column("address", String(64), primary_key=True),
    Column("court", String(31), nullable=False),
    Column("room", String(31), nullable=False),
    Column("court_name", Text, nullable=False),
    Column("room_name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("named", Boolean, nullable=False, server_default=false()),
    Column("made_by", Text, nullable=False, server_default=""),
    Column("made_utc_ns", BigInteger, nullable=False),
    Column("retired_utc_ns", BigInteger),
    Column("moving", String(8), nullable=False, server_default=""),
    Column("facts", Text, nullable=False, server_default=""),
    Column("seen_utc_ns", BigInteger),
    Column("profile", Text, nullable=False, server_default=""),
    Column("profile_utc_ns", BigInteger),
    Index("room_entries_court", "court", "address"),
)
"""The rooms of the center; `made_by` is empty of one that the configuration names. `moving`: "waits" while the machine
that is to be replaced still holds something, "ready" and "forced" while its replacement may come. `facts`: as the room
said them last, at most some minutes ago."""
grants = Table(
    "grants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hearing", String(96), nullable=False),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("code_sha256", String(64), nullable=False, unique=True),
    Column("made_utc_ns", BigInteger, nullable=False),
    Column("until_utc_ns", BigInteger, nullable=False),
    Column("used_utc_ns", BigInteger),
    Column("revoked_utc_ns", BigInteger),
    Index("grants_hearing", "hearing"),
)
audit = Table(
    "audit",
    metadata,
    Column("row", GrowingKey, primary_key=True),
    Column("utc_ns", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("role", String(32), nullable=False),
    Column("address", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("person", String(16), nullable=False, server_default=""),
    Index("audit_what", "what", "row"),
    Index("audit_person", "person", "row"),
)
"""`person`: who of `persons` it was; empty for strangers, machines, and those who came by the code of a role."""
audit_leaves = Table(
    "audit_leaves",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("row", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)
"""The leaves of the audit log's tree in their order: the row that each is, and its hash (`server.store.audit_rows`)."""
audit_heads = Table(
    "audit_heads",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_utc_ns", BigInteger, nullable=False),
    Column("token", LargeBinary),
)
"""Heads of that tree which the center has signed, some with a time-stamp token (`server.integrity.audit_ledger`)."""
courts = Table(
    "courts",
    metadata,
    Column("slug", String(31), primary_key=True),
    Column("name", Text, nullable=False),
    Column("level", String(16), nullable=False),
    Column("parent", String(31)),
    Index("courts_parent", "parent"),
)
"""A tree: supreme, province, city, district, by `parent`; the first part of a room's address is a court's `slug`."""
persons = Table(
    "persons",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("court", String(31), nullable=False),
    Column("state", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    Column("made_utc_ns", BigInteger, nullable=False),
    Column("left_utc_ns", BigInteger),
    Column("seen_utc_ns", BigInteger),
    Index("persons_name", "folded", "id"),
    Index("persons_court", "court", "folded"),
    Index("persons_subject", "source", "subject"),
)
"""Who works at a court, and who did: whoever has left keeps the row, and the login is nobody else's ever after."""
posts = Table(
    "posts",
    metadata,
    Column("person", String(16), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("court", String(31), primary_key=True),
    Index("posts_court", "court", "role"),
)
"""岗位: one role at one court, which reaches that court and all below it."""
sittings = Table(
    "sittings",
    metadata,
    Column("hearing", String(96), primary_key=True),
    Column("name", String(200), primary_key=True),
    Index("sittings_name", "name", "hearing"),
)
"""The bench and the clerk of each hearing, by their folded names (`server.store.rights.sitting`)."""
