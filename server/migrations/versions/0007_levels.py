"""Levels where queries can ask for them: of each hearing what the audit log says last, and whether its case is public.

A case that does not say that it is tried in public counts as one that is not.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both, and fill them from the record and the audit log."""
    bind = op.get_bind()
    op.create_table(
        "levels",
        sa.Column("hearing", sa.String(96), primary_key=True),
        sa.Column("level", sa.String(16), nullable=False),
    )
    op.add_column("hearings", sa.Column("public", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("files_sha256", "files", ["sha256"])
    levels: dict[str, str] = {}
    for row in bind.execute(sa.text("SELECT detail FROM audit WHERE what = 'level' ORDER BY row")).all():
        said = json.loads(row.detail)
        levels[str(said["hearing"])] = "withdrawn" if said["level"] == "sealed" else str(said["level"])
    for hearing, level in levels.items():
        bind.execute(
            sa.text("INSERT INTO levels (hearing, level) VALUES (:hearing, :level)"),
            {"hearing": hearing, "level": level},
        )
    for row in bind.execute(sa.text("SELECT id, case_json FROM hearings")).all():
        case = json.loads(row.case_json)
        if isinstance(case, dict) and case.get("public") is True:
            bind.execute(sa.text("UPDATE hearings SET public = true WHERE id = :id"), {"id": row.id})


def downgrade() -> None:
    """Drop it all; for tests of the migrations only: the audit log still says every level."""
    op.drop_index("files_sha256", "files")
    op.drop_column("hearings", "public")
    op.drop_table("levels")
