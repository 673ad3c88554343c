"""The record store as it began: events and what is taken from them, objects, docket, audit; search on SQLite."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables, and the full-text index where SQLite has the trigram tokenizer."""
    op.create_table(
        "rooms",
        sa.Column("address", sa.String(64), primary_key=True),
        sa.Column("court_name", sa.Text, nullable=False, server_default=""),
        sa.Column("room_name", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "hearings",
        sa.Column("id", sa.String(96), primary_key=True),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("court_name", sa.Text, nullable=False),
        sa.Column("room_name", sa.Text, nullable=False),
        sa.Column("case_no", sa.Text, nullable=False),
        sa.Column("case_json", sa.Text, nullable=False),
        sa.Column("tracks_json", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("state_number", sa.BigInteger, nullable=False),
        sa.Column("opened_ns", sa.BigInteger, nullable=False),
        sa.Column("opened_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("closed_ns", sa.BigInteger),
        sa.Column("closed_utc_ns", sa.BigInteger),
    )
    op.create_index("hearings_opened", "hearings", ["opened_utc_ns"])
    op.create_table(
        "events",
        sa.Column("room", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hearing", sa.String(96)),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("room_ns", sa.BigInteger, nullable=False),
        sa.Column("utc_ns", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("stored_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("events_hearing", "events", ["hearing", "number"])
    op.create_table(
        "segments",
        sa.Column("hearing", sa.String(96), primary_key=True),
        sa.Column("track", sa.String(96), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("from_ns", sa.BigInteger, nullable=False),
        sa.Column("to_ns", sa.BigInteger, nullable=False),
        sa.Column("mime", sa.Text, nullable=False),
    )
    op.create_table(
        "utterances",
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("hearing", sa.String(96), nullable=False),
        sa.Column("id", sa.String(96), nullable=False),
        sa.Column("seat", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("start_ns", sa.BigInteger, nullable=False),
        sa.Column("end_ns", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("utterances_id", "utterances", ["hearing", "id"], unique=True)
    op.create_table(
        "objects",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("stored_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "files",
        sa.Column("hearing", sa.String(96), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("track", sa.String(96), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("room", sa.String(64), nullable=False),
    )
    op.create_table(
        "dockets",
        sa.Column("room", sa.String(64), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("set_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("utc_ns", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("granted", sa.Boolean, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        # Three characters at a time: substring search that works for Chinese, which has no spaces.
        op.execute(
            "CREATE VIRTUAL TABLE utterance_text USING fts5("
            "text, content='utterances', content_rowid='row', tokenize='trigram')"
        )
        op.execute(
            "CREATE TRIGGER utterance_said AFTER INSERT ON utterances BEGIN "
            "INSERT INTO utterance_text (rowid, text) VALUES (new.row, new.text); END"
        )


def downgrade() -> None:
    """Drop everything; for tests of the migrations only, the record is lost."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER utterance_said")
        op.execute("DROP TABLE utterance_text")
    for name in (
        "audit",
        "dockets",
        "files",
        "objects",
        "utterances",
        "segments",
        "events",
        "hearings",
        "rooms",
    ):
        op.drop_table(name)
