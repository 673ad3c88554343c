"""The audit log as a ledger: its rows are the leaves of a tree, whose heads are signed.

The rows of before become the first leaves as they are now, and a row of its own says how many they are: until then
nothing proves that none was changed or taken away.
"""

import json
import time

import sqlalchemy as sa
from alembic import op

from sync.ledger.audit_leaf import AuditRow, leaf_of_row
from sync.ledger.tree import leaf_hash

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the leaves of all rows that are there."""
    bind = op.get_bind()
    leaves = op.create_table(
        "audit_leaves",
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("row", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "audit_heads",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("signed_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("token", sa.LargeBinary),
    )
    columns = "row, utc_ns, what, role, address, detail, granted"
    first, last, count = bind.execute(sa.text("SELECT min(row), max(row), count(*) FROM audit")).one()
    if not count:
        return
    said = {"before": count, "first_row": first, "last_row": last}
    bind.execute(
        sa.text(
            "INSERT INTO audit (utc_ns, what, role, address, detail, granted)"
            " VALUES (:utc_ns, 'ledger', 'center', '', :detail, true)"
        ),
        {"utc_ns": time.time_ns(), "detail": json.dumps(said)},
    )
    place, number = 0, first - 1
    while True:
        rows = bind.execute(
            sa.text(f"SELECT {columns} FROM audit WHERE row > :number ORDER BY row LIMIT 5000"),  # noqa: S608 (constant)
            {"number": number},
        ).all()
        if not rows:
            return
        values = []
        for row in rows:
            digest = leaf_hash(leaf_of_row(AuditRow(*row[:6], bool(row[6]))))
            values.append({"place": place, "row": row[0], "sha256": digest.hex()})
            place += 1
        bind.execute(leaves.insert(), values)
        number = rows[-1][0]


def downgrade() -> None:
    """Drop both; for tests of the migrations only."""
    op.drop_table("audit_heads")
    op.drop_table("audit_leaves")
