"""Certificates of TLS that rooms were given, so that they can be judged and taken away."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; rooms get their certificates when they are enrolled again."""
    op.create_table(
        "device_certificates",
        sa.Column("serial", sa.String(48), primary_key=True),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("certificate", sa.Text, nullable=False),
        sa.Column("issued_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("revoked_utc_ns", sa.BigInteger),
    )
    op.create_index("device_certificates_room", "device_certificates", ["room"])


def downgrade() -> None:
    """Drop it; for tests of the migrations only."""
    op.drop_table("device_certificates")
