"""The rooms of a center: those that its configuration names, and those that its administrators add.

A room that the configuration of before named is entered at the first start after this.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "room_entries",
        sa.Column("address", sa.String(64), primary_key=True),
        sa.Column("court", sa.String(31), nullable=False),
        sa.Column("room", sa.String(31), nullable=False),
        sa.Column("court_name", sa.Text, nullable=False),
        sa.Column("room_name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("named", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("made_by", sa.Text, nullable=False, server_default=""),
        sa.Column("made_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("retired_utc_ns", sa.BigInteger),
        sa.Column("moving", sa.String(8), nullable=False, server_default=""),
        sa.Column("facts", sa.Text, nullable=False, server_default=""),
        sa.Column("seen_utc_ns", sa.BigInteger),
        sa.Column("profile", sa.Text, nullable=False, server_default=""),
        sa.Column("profile_utc_ns", sa.BigInteger),
    )
    op.create_index("room_entries_court", "room_entries", ["court", "address"])


def downgrade() -> None:
    """Drop it; for tests of the migrations only."""
    op.drop_table("room_entries")
