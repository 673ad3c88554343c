"""How people sign in: credentials, one-time codes, in which post they were last, and acts of two persons."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "credentials",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("person", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("made_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("used_utc_ns", sa.BigInteger),
        sa.Column("counter", sa.BigInteger, nullable=False),
    )
    op.create_index("credentials_person", "credentials", ["person", "kind"])
    op.create_table(
        "sign_up_codes",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(16), nullable=False),
        sa.Column("purpose", sa.String(24), nullable=False),
        sa.Column("made_by", sa.String(16), nullable=False),
        sa.Column("made_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("until_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("sign_up_codes_person", "sign_up_codes", ["person"])
    op.create_table(
        "last_posts",
        sa.Column("person", sa.String(16), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("court", sa.String(31), nullable=False),
    )
    op.create_table(
        "two_person_acts",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("person", sa.String(16), nullable=False),
        sa.Column("court", sa.String(31), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_by", sa.String(16), nullable=False),
        sa.Column("asked_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("until_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.String(16)),
        sa.Column("decided_utc_ns", sa.BigInteger),
    )
    op.create_index("two_person_acts_state", "two_person_acts", ["state", "asked_utc_ns"])


def downgrade() -> None:
    """Drop them; for tests of the migrations only."""
    for table in ("two_person_acts", "last_posts", "sign_up_codes", "credentials"):
        op.drop_table(table)
