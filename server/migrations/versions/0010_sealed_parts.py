"""Parts of a hearing that are not for everybody's sight, as a list of acts: the newest of a part is what counts."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the list; there were no parts before."""
    op.create_table(
        "sealed_parts",
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("hearing", sa.String(96), nullable=False),
        sa.Column("part", sa.String(128), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("from_ns", sa.BigInteger, nullable=False),
        sa.Column("to_ns", sa.BigInteger),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("sealed_parts_hearing", "sealed_parts", ["hearing", "part", "row"])


def downgrade() -> None:
    """Drop it; for tests of the migrations only: the audit log and the rooms' events still say every act."""
    op.drop_table("sealed_parts")
