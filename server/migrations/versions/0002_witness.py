"""What the center witnesses: tree heads, the devices that may sign them, and the codes with which devices enrol."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "checkpoints",
        sa.Column("hearing", sa.String(96), primary_key=True),
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("root", sa.String(64), primary_key=True),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("last_number", sa.BigInteger, nullable=False),
        sa.Column("peaks", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("refused", sa.String(16), nullable=False),
        sa.Column("stored_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("token", sa.LargeBinary),
    )
    op.create_table(
        "devices",
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.Column("certificate", sa.Text, nullable=False),
        sa.Column("enrolled_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("revoked_utc_ns", sa.BigInteger),
    )
    op.create_index("devices_room", "devices", ["room"])
    op.create_table(
        "enrolments",
        sa.Column("code_sha256", sa.String(64), primary_key=True),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("made_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("used_utc_ns", sa.BigInteger),
    )


def downgrade() -> None:
    """Drop the tables; every countersignature is lost."""
    for name in ("enrolments", "devices", "checkpoints"):
        op.drop_table(name)
