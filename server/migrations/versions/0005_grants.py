"""Grants: to whom one hearing was opened, until when; of their links only the hash."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "grants",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("hearing", sa.String(96), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("code_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("made_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("until_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("used_utc_ns", sa.BigInteger),
        sa.Column("revoked_utc_ns", sa.BigInteger),
    )
    op.create_index("grants_hearing", "grants", ["hearing"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("grants")
