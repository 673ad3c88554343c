"""A center with 40,000 rooms: the audit log is found by what it says; on PostgreSQL keys of 64 bits, months, and words.

There `events` becomes a table for each month, its numbers a table of their own, and each line of words gets its
characters and pairs of neighbors as numbers, in an index. What is stored already goes into the month of others, from
where the center moves it at its start.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NUMBERED = ("utterances", "sealed_parts", "devices", "audit")
_COLUMNS = "room, number, hearing, kind, room_ns, utc_ns, body, sha256, stored_utc_ns"
_GRAMS = """
CREATE FUNCTION wutong_grams(words text) RETURNS integer[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    WITH letters AS (
        SELECT ascii(letter)::bigint AS code, lead(ascii(letter)) OVER (ORDER BY place) AS neighbor
        FROM string_to_table(words, NULL) WITH ORDINALITY AS split (letter, place)
    )
    SELECT coalesce(array_agg(DISTINCT gram), '{}') FROM (
        SELECT code::integer AS gram FROM letters
        UNION ALL SELECT ((code * 1000003 + neighbor) & 2147483647)::integer FROM letters WHERE neighbor IS NOT NULL
    ) AS grams
$$
"""


def upgrade() -> None:
    """Make all of it; on SQLite the index alone."""
    op.create_index("audit_what", "audit", ["what", "row"])
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in _NUMBERED:
        op.alter_column(table, "row", type_=sa.BigInteger, existing_type=sa.Integer, existing_nullable=False)
        op.execute(f'ALTER SEQUENCE "{table}_row_seq" AS bigint')
    op.execute("ALTER TABLE events RENAME TO events_before")
    op.execute("ALTER INDEX events_pkey RENAME TO events_before_pkey")
    op.execute("ALTER INDEX events_hearing RENAME TO events_before_hearing")
    op.execute("CREATE TABLE events (LIKE events_before INCLUDING DEFAULTS) PARTITION BY RANGE (stored_utc_ns)")
    op.execute("ALTER TABLE events ADD PRIMARY KEY (room, number, stored_utc_ns)")
    op.create_index("events_hearing", "events", ["hearing", "number"])
    op.execute("CREATE TABLE events_other PARTITION OF events DEFAULT")
    op.create_table(
        "event_numbers",
        sa.Column("room", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.execute("INSERT INTO event_numbers SELECT room, number, sha256 FROM events_before")
    op.execute(f"INSERT INTO events ({_COLUMNS}) SELECT {_COLUMNS} FROM events_before")  # noqa: S608 (constant)
    op.execute("DROP TABLE events_before")
    op.execute(_GRAMS)
    op.execute("ALTER TABLE utterances ADD COLUMN grams integer[] GENERATED ALWAYS AS (wutong_grams(folded)) STORED")
    op.execute("CREATE INDEX utterances_grams ON utterances USING gin (grams)")


def downgrade() -> None:
    """Back to one table of events; for tests of the migrations only."""
    op.drop_index("audit_what", "audit")
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("CREATE TABLE events_before (LIKE events INCLUDING DEFAULTS)")
    op.execute(f"INSERT INTO events_before ({_COLUMNS}) SELECT {_COLUMNS} FROM events")  # noqa: S608 (constant)
    op.execute("DROP TABLE events, event_numbers")
    op.execute("ALTER TABLE events_before RENAME TO events")
    op.execute("ALTER TABLE events ADD PRIMARY KEY (room, number)")
    op.create_index("events_hearing", "events", ["hearing", "number"])
    op.execute("ALTER TABLE utterances DROP COLUMN grams")
    op.execute("DROP FUNCTION wutong_grams(text)")
