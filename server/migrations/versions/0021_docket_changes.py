"""What became of entries of dockets: taken off, changed, or left behind by the docket of another day."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty: what was replaced before this was not kept."""
    op.create_table(
        "docket_changes",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("date", sa.String(10), nullable=False),
        sa.Column("entry", sa.String(64), nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("utc_ns", sa.BigInteger, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("person", sa.String(16), nullable=False),
    )
    op.create_index("docket_changes_room", "docket_changes", ["room", "date", "row"])
    op.create_index("docket_changes_utc", "docket_changes", ["utc_ns"])


def downgrade() -> None:
    """Drop it; for tests of the migrations only."""
    op.drop_table("docket_changes")
