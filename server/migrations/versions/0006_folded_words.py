"""Words and cases as they are compared: search finds a name with another dot, width, case or bracket.

The index over the words as they are written gives way to one over what is compared of them. Filling the new columns
takes about a second for each hundred thousand lines.
"""

import json

import sqlalchemy as sa
from alembic import op

from server.store.folded import folded_case
from sync.text.equal import fold

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

AT_ONCE = 5000
_REMOVED = "INSERT INTO utterance_folded (utterance_folded, rowid, folded) VALUES ('delete', old.row, old.folded);"
_SAID = "INSERT INTO utterance_folded (rowid, folded) VALUES (new.row, new.folded);"


def upgrade() -> None:
    """Fill what is compared, then index it where SQLite searches."""
    bind = op.get_bind()
    on_sqlite = bind.dialect.name == "sqlite"
    if on_sqlite:
        for trigger in ("utterance_said", "utterance_removed", "utterance_revised"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE utterance_text")
    op.add_column("utterances", sa.Column("folded", sa.Text, nullable=False, server_default=""))
    op.add_column("hearings", sa.Column("folded", sa.Text, nullable=False, server_default=""))
    last = -1
    while rows := bind.execute(
        sa.text("SELECT row, text FROM utterances WHERE row > :last ORDER BY row LIMIT :most"),
        {"last": last, "most": AT_ONCE},
    ).all():
        bind.execute(
            sa.text("UPDATE utterances SET folded = :folded WHERE row = :row"),
            [{"row": row.row, "folded": fold(row.text)} for row in rows],
        )
        last = rows[-1].row
    for row in bind.execute(sa.text("SELECT id, case_json FROM hearings")).all():
        bind.execute(
            sa.text("UPDATE hearings SET folded = :folded WHERE id = :id"),
            {"id": row.id, "folded": folded_case(json.loads(row.case_json))},
        )
    if on_sqlite:
        op.execute(
            "CREATE VIRTUAL TABLE utterance_folded USING fts5("
            "folded, content='utterances', content_rowid='row', tokenize='trigram case_sensitive 1')"
        )
        op.execute("INSERT INTO utterance_folded (utterance_folded) VALUES ('rebuild')")
        op.execute(f"CREATE TRIGGER utterance_said AFTER INSERT ON utterances BEGIN {_SAID} END")
        op.execute(f"CREATE TRIGGER utterance_removed AFTER DELETE ON utterances BEGIN {_REMOVED} END")
        op.execute(
            f"CREATE TRIGGER utterance_revised AFTER UPDATE OF folded ON utterances BEGIN {_REMOVED} {_SAID} END"
        )


def downgrade() -> None:
    """Drop it all; for tests of the migrations only: words are searched no more."""
    if op.get_bind().dialect.name == "sqlite":
        for trigger in ("utterance_said", "utterance_removed", "utterance_revised"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE utterance_folded")
    op.drop_column("utterances", "folded")
    op.drop_column("hearings", "folded")
