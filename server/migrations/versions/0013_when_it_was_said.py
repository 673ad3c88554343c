"""Of each line that is searched: between when what stands there was said, also where words or times were moved."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lines of hearings without any revision have the one time that they have; of the others the center's next start
    says it (`RecordWriter.write_times`), and until then none of them is found by who may not see all of the hearing."""
    op.add_column("utterances", sa.Column("said_from_ns", sa.BigInteger))
    op.add_column("utterances", sa.Column("said_to_ns", sa.BigInteger))
    op.execute(
        "UPDATE utterances SET said_from_ns = start_ns, said_to_ns = end_ns WHERE NOT EXISTS "
        "(SELECT 1 FROM events WHERE events.hearing = utterances.hearing AND events.kind = 'revision')"
    )


def downgrade() -> None:
    """Drop them; for tests of the migrations only."""
    op.drop_column("utterances", "said_from_ns")
    op.drop_column("utterances", "said_to_ns")
