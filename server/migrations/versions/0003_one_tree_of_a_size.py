"""One tree of a size is witnessed for a hearing at most, however many processes do it; proofs of forks may be more."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index; it fails where two trees of a size were witnessed, which a person must look at."""
    witnessed = sa.text("refused = ''")
    op.create_index(
        "checkpoints_witnessed",
        "checkpoints",
        ["hearing", "size"],
        unique=True,
        sqlite_where=witnessed,
        postgresql_where=witnessed,
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("checkpoints_witnessed", "checkpoints")
