"""An archive of a million hearings: each list has an index in its order, and cases are found by what they say.

Lists are newest first, by court, room and state, too. Words of a case are found as words that were spoken are: on
PostgreSQL by pairs of characters, on SQLite by runs of three. For a million hearings this takes some minutes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NEWEST = "opened_utc_ns DESC, id"
_PARTS = {
    "postgresql": ("split_part(room, '/', 1)", "split_part(room, '/', 2)"),
    "sqlite": ("substr(room, 1, instr(room, '/') - 1)", "substr(room, instr(room, '/') + 1)"),
}
_ORDERED = {
    "hearings_newest": "",
    "hearings_room": "room, ",
    "hearings_state": "state, ",
    "hearings_court_part": "({court}), ",
    "hearings_room_part": "({room}), ",
}
_ADDED = "INSERT INTO hearing_folded (hearing, folded) VALUES (new.id, new.folded);"
_GONE = "DELETE FROM hearing_folded WHERE hearing = old.id;"


def upgrade() -> None:
    """Make the indexes; where SQLite has rows already they are filled from them."""
    dialect = op.get_bind().dialect.name
    court, room = _PARTS[dialect]
    for name, first in _ORDERED.items():
        op.execute(f"CREATE INDEX {name} ON hearings ({first.format(court=court, room=room)}{_NEWEST})")
    op.drop_index("hearings_opened", "hearings")
    op.create_index(
        "hearings_not_public",
        "hearings",
        ["id"],
        sqlite_where=sa.text("public = 0"),
        postgresql_where=sa.text("public = false"),
    )
    op.create_index("levels_level", "levels", ["level"])
    if dialect == "postgresql":
        op.execute("ALTER TABLE hearings ADD COLUMN grams integer[] GENERATED ALWAYS AS (wutong_grams(folded)) STORED")
        op.execute("CREATE INDEX hearings_grams ON hearings USING gin (grams)")
        return
    # The hearing stands in the index itself: a table without a whole number for its key may be numbered anew.
    op.execute(
        "CREATE VIRTUAL TABLE hearing_folded USING fts5(folded, hearing UNINDEXED, tokenize='trigram case_sensitive 1')"
    )
    op.execute("INSERT INTO hearing_folded (hearing, folded) SELECT id, folded FROM hearings")
    op.execute(f"CREATE TRIGGER hearing_opened AFTER INSERT ON hearings BEGIN {_ADDED} END")
    op.execute(f"CREATE TRIGGER hearing_gone AFTER DELETE ON hearings BEGIN {_GONE} END")
    op.execute(f"CREATE TRIGGER hearing_said AFTER UPDATE OF folded ON hearings BEGIN {_GONE} {_ADDED} END")


def downgrade() -> None:
    """Drop them; for tests of the migrations only."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("hearings_grams", "hearings")
        op.drop_column("hearings", "grams")
    else:
        for trigger in ("hearing_opened", "hearing_gone", "hearing_said"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE hearing_folded")
    op.drop_index("levels_level", "levels")
    op.drop_index("hearings_not_public", "hearings")
    for name in _ORDERED:
        op.drop_index(name, "hearings")
    op.create_index("hearings_opened", "hearings", ["opened_utc_ns"])
