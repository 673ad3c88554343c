"""Several processes of one center (PostgreSQL): which of them owns which shard of the rooms, and where each is."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SHARDS = 256


def upgrade() -> None:
    """Make the tables, where more than one process can be."""
    if op.get_bind().dialect.name != "postgresql":
        return
    made = op.create_table(
        "leases",
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(made, [{"shard": shard, "owner": "", "token": 0, "until_ms": 0} for shard in range(_SHARDS)])
    op.create_table(
        "center_processes",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "center_alarms",
        sa.Column("room", sa.String(64), primary_key=True),
        sa.Column("alarms", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop them; for tests of the migrations only."""
    if op.get_bind().dialect.name == "postgresql":
        for table in ("leases", "center_processes", "center_alarms"):
            op.drop_table(table)
