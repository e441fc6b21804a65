"""How many records are full, half done, and decided by whom is kept, not counted each time.

Of title and abstract alone. What a record lacks is said by the policy that is in force.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_NAMES = ("n_full", "n_half_done")

_review = sa.table("review", sa.column("id", sa.Uuid()), *(sa.column(name) for name in _NAMES))
_policy = sa.table(
    "policy_version",
    sa.column("review_id", sa.Uuid()),
    *(sa.column("stage"), sa.column("version"), sa.column("value", sa.JSON())),
)
_record = sa.table(
    "screened_record",
    sa.column("review_id", sa.Uuid()),
    *map(sa.column, ("stage", "record_number", "status", "n_decisions")),
)
_decision = sa.table(
    "present_decision",
    *(sa.column("review_id", sa.Uuid()), sa.column("reviewer_id", sa.Uuid())),
    *map(sa.column, ("stage", "record_number")),
)
_count = sa.table(
    "reviewer_count",
    *(sa.column("review_id", sa.Uuid()), sa.column("reviewer_id", sa.Uuid())),
    *map(sa.column, ("n_decided", "n_half_done")),
)
_STAGE = "title_abstract"


def upgrade() -> None:
    for name in _NAMES:
        op.add_column("review", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "reviewer_count",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("n_decided", sa.Integer(), nullable=False),
        sa.Column("n_half_done", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name="fk_reviewer_count_review_id_review",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["user_account.id"], name="fk_reviewer_count_reviewer_id_user_account"
        ),
        sa.PrimaryKeyConstraint("review_id", "reviewer_id", name="pk_reviewer_count"),
    )
    connection = op.get_bind()
    versions = sa.select(_policy.c.review_id, _policy.c.value).where(_policy.c.stage == _STAGE)
    in_order = connection.execute(versions.order_by(_policy.c.version)).all()
    in_force = {row.review_id: row.value for row in in_order}
    for review_id, policy in in_force.items():
        _count_in(connection, review_id, policy)


def _count_in(connection: sa.Connection, review_id: object, policy: dict[str, object]) -> None:
    lacks = _record.c.n_decisions < policy.get("reviewers_per_record", 2)
    if not policy.get("blind", True):
        lacks = sa.and_(lacks, _record.c.status.in_(["unscreened", "awaiting"]))
    n_half_done = sa.func.count().filter(lacks, _record.c.n_decisions > 0)
    numbers = sa.select(sa.func.count().filter(~lacks), n_half_done).where(
        _record.c.review_id == review_id, _record.c.stage == _STAGE
    )
    found = dict(zip(_NAMES, connection.execute(numbers).one(), strict=True))
    connection.execute(sa.update(_review).where(_review.c.id == review_id).values(found))
    of_reviewers = (
        sa.select(_decision.c.review_id, _decision.c.reviewer_id, sa.func.count(), n_half_done)
        .join(
            _record,
            sa.and_(
                _record.c.review_id == _decision.c.review_id,
                _record.c.stage == _decision.c.stage,
                _record.c.record_number == _decision.c.record_number,
            ),
        )
        .where(_decision.c.review_id == review_id, _decision.c.stage == _STAGE)
        .group_by(_decision.c.review_id, _decision.c.reviewer_id)
    )
    columns = ["review_id", "reviewer_id", "n_decided", "n_half_done"]
    connection.execute(sa.insert(_count).from_select(columns, of_reviewers))


def downgrade() -> None:
    op.drop_table("reviewer_count")
    for name in _NAMES:
        op.drop_column("review", name)
