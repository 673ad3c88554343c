"""Which stored files cannot be shown as what they are: looked at when they arrive, and said from then on."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is stored already has no fault until somebody asks for it."""
    op.add_column("files", sa.Column("fault", sa.String(16), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it; for tests of the migrations only."""
    op.drop_column("files", "fault")
