"""Words that are revised, struck or withdrawn: the full-text index follows changes and removals of lines, too."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_REMOVED = "INSERT INTO utterance_text (utterance_text, rowid, text) VALUES ('delete', old.row, old.text);"
_SAID = "INSERT INTO utterance_text (rowid, text) VALUES (new.row, new.text);"


def upgrade() -> None:
    """Add the triggers where SQLite searches; an index with external content is told what it forgets."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER utterance_removed AFTER DELETE ON utterances BEGIN {_REMOVED} END")
        op.execute(f"CREATE TRIGGER utterance_revised AFTER UPDATE OF text ON utterances BEGIN {_REMOVED} {_SAID} END")


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER utterance_revised")
        op.execute("DROP TRIGGER utterance_removed")
