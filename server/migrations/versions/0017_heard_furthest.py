"""How far each process of a center has heard a hearing, so that no sealed part is ended before what any of them heard.

Only PostgreSQL has several processes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty; nobody has been asked anything yet."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "heard_furthest",
        sa.Column("hearing", sa.String(96), primary_key=True),
        sa.Column("process", sa.String(32), primary_key=True),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("asked", sa.BigInteger, nullable=False),
        sa.Column("ahead_ns", sa.BigInteger, nullable=False),
        sa.Column("hears", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Drop it; for tests of the migrations only."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_table("heard_furthest")
