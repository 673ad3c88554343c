"""Several processes share who may see what: its version, what each has seen of it, sessions, and what rooms say.

Only PostgreSQL has several processes; on SQLite all of it is in the memory of the one, and in its `access.json`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, empty; nobody has seen anything yet."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "rights_version",
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO rights_version (place, version) VALUES (0, 0)")
    op.create_table(
        "rights_changes",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(192), primary_key=True),
    )
    op.create_table(
        "rights_followers",
        sa.Column("process", sa.String(32), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("since_s", sa.Double, nullable=False),
        sa.Column("used_s", sa.Double, nullable=False),
        sa.Column("grant", sa.String(32), nullable=False),
        sa.Column("until_s", sa.Double),
    )
    op.create_index("sessions_grant", "sessions", ["grant"])
    op.create_table(
        "sign_in_codes",
        sa.Column("role", sa.String(32), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "closed_hearings_said",
        sa.Column("room", sa.String(64), primary_key=True),
        sa.Column("hearing", sa.String(96), primary_key=True),
        sa.Column("said_utc_ns", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop them; for tests of the migrations only."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "DROP TABLE rights_version, rights_changes, rights_followers, sessions, sign_in_codes, closed_hearings_said"
        )
