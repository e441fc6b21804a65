"""Each record says whether the decisions that its file carries were weighed.

They were where its import's decisions were taken over, unless it was not screened then, which is
told by its not being screened now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "record",
        sa.Column("priors_taken", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.execute(
        sa.text(
            "UPDATE record SET priors_taken = :yes WHERE import_id IN "
            "(SELECT id FROM import WHERE priors_taken_at IS NOT NULL) "
            "AND (duplicate_of IS NOT NULL OR not_screened_because IS NULL)"
        ).bindparams(sa.bindparam("yes", True, sa.Boolean()))
    )


def downgrade() -> None:
    op.drop_column("record", "priors_taken")
