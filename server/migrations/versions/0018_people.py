"""Courts, people and their posts; who of them each line of the audit log is about, and who sits in which hearing.

The lines that are there name nobody and keep their leaves. Who sits in the hearings that are there is taken from their
cases as their rooms have said them.
"""

import json

import sqlalchemy as sa
from alembic import op

from server.store.rights.sitting import sitting_of

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; what is there stays as it is."""
    bind = op.get_bind()
    op.create_table(
        "courts",
        sa.Column("slug", sa.String(31), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("parent", sa.String(31)),
    )
    op.create_index("courts_parent", "courts", ["parent"])
    op.create_table(
        "persons",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("login", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("court", sa.String(31), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("subject", sa.Text, nullable=False, server_default=""),
        sa.Column("made_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("left_utc_ns", sa.BigInteger),
        sa.Column("seen_utc_ns", sa.BigInteger),
    )
    op.create_index("persons_name", "persons", ["folded", "id"])
    op.create_index("persons_court", "persons", ["court", "folded"])
    op.create_index("persons_subject", "persons", ["source", "subject"])
    op.create_table(
        "posts",
        sa.Column("person", sa.String(16), primary_key=True),
        sa.Column("role", sa.String(16), primary_key=True),
        sa.Column("court", sa.String(31), primary_key=True),
    )
    op.create_index("posts_court", "posts", ["court", "role"])
    sittings = op.create_table(
        "sittings",
        sa.Column("hearing", sa.String(96), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
    )
    op.create_index("sittings_name", "sittings", ["name", "hearing"])
    op.add_column("audit", sa.Column("person", sa.String(16), nullable=False, server_default=""))
    op.create_index("audit_person", "audit", ["person", "row"])
    if bind.dialect.name == "postgresql":
        op.add_column("sessions", sa.Column("person", sa.String(16), nullable=False, server_default=""))
        op.add_column("sessions", sa.Column("court", sa.String(31), nullable=False, server_default=""))
        op.create_index("sessions_person", "sessions", ["person"])
    last = ""
    while True:
        cases = bind.execute(
            sa.text("SELECT id, case_json FROM hearings WHERE id > :last ORDER BY id LIMIT 2000"), {"last": last}
        ).all()
        if not cases:
            return
        rows = [{"hearing": one, "name": name} for one, case in cases for name in sitting_of(json.loads(case))]
        if rows:
            bind.execute(sittings.insert(), rows)
        last = cases[-1][0]


def downgrade() -> None:
    """Drop them; for tests of the migrations only."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("sessions_person", "sessions")
        op.drop_column("sessions", "person")
        op.drop_column("sessions", "court")
    op.drop_index("audit_person", "audit")
    op.drop_column("audit", "person")
    for table in ("sittings", "posts", "persons", "courts"):
        op.drop_table(table)
