"""Groups of duplicates; where an import was searched; what a file says of earlier decisions."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_GROUP = sa.table(
    "duplicate_group",
    sa.column("id", sa.Uuid()),
    sa.column("review_id", sa.Uuid()),
    sa.column("state", sa.String()),
    sa.column("score", sa.Double()),
    sa.column("evidence", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("settled_at", sa.DateTime(timezone=True)),
)
_MEMBER = sa.table(
    "duplicate_member",
    sa.column("group_id", sa.Uuid()),
    sa.column("review_id", sa.Uuid()),
    sa.column("record_number", sa.Integer()),
)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


# On SQLite a nullable column is added in place; the two that are not have a default.
def _columns() -> dict[str, list[sa.Column[Any]]]:
    return {
        "import": [
            sa.Column("platform", sa.Text(), nullable=True),
            sa.Column("searched_on", sa.Date(), nullable=True),
            sa.Column("strategy", sa.Text(), nullable=True),
            sa.Column("n_priors", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("priors_taken_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("step", sa.String(length=20), nullable=True),
        ],
        "record": [
            sa.Column("kind", sa.String(length=20), nullable=True),
            sa.Column("priors", _JSON, nullable=False, server_default="[]"),
        ],
        "decision": [sa.Column("carried_from", sa.Integer(), nullable=True)],
        "resolution": [
            sa.Column("carried_from", sa.Integer(), nullable=True),
            sa.Column("is_set_aside", sa.Boolean(), nullable=False, server_default=sa.false()),
        ],
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "duplicate_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("evidence", _JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_duplicate_group_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"],
            ["user_account.id"],
            name=op.f("fk_duplicate_group_settled_by_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_group")),
    )
    op.create_index(
        op.f("ix_duplicate_group_review_id_state_created_at"),
        "duplicate_group",
        ["review_id", "state", "created_at"],
    )
    op.create_table(
        "duplicate_member",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["duplicate_group.id"],
            name=op.f("fk_duplicate_member_group_id_duplicate_group"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_duplicate_member_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("group_id", "record_number", name=op.f("pk_duplicate_member")),
    )
    op.create_index(
        op.f("ix_duplicate_member_review_id_record_number"),
        "duplicate_member",
        ["review_id", "record_number"],
    )
    op.create_table(
        "record_relation",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("second", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("relation", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id", "first"],
            ["record.review_id", "record.number"],
            name=op.f("fk_record_relation_review_id_first_record"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["review_id", "second"],
            ["record.review_id", "record.number"],
            name=op.f("fk_record_relation_review_id_second_record"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "first", "second", name=op.f("pk_record_relation")),
    )
    op.create_index(
        op.f("ix_record_relation_review_id_second"), "record_relation", ["review_id", "second"]
    )
    op.drop_index("uq_resolution_conflict_id", table_name="resolution")
    op.create_index(op.f("ix_resolution_conflict_id"), "resolution", ["conflict_id"])
    _group_what_is_linked()


def _group_what_is_linked() -> None:
    """Give the records that were linked before there were groups theirs."""
    record = sa.table("record", *map(sa.column, ("review_id", "number", "duplicate_of")))
    connection = op.get_bind()
    linked = connection.execute(
        sa.select(record.c.review_id, record.c.duplicate_of, record.c.number)
        .where(record.c.duplicate_of.is_not(None))
        .order_by(record.c.review_id, record.c.duplicate_of, record.c.number)
    ).all()
    members: dict[tuple[object, int], list[int]] = {}
    for review_id, shown, number in linked:
        members.setdefault((review_id, shown), [shown]).append(number)
    groups, places, now = [], [], datetime.now(UTC)
    for (review_id, _), numbers in members.items():
        group_id = uuid4()
        groups.append(
            {
                "id": group_id,
                "review_id": review_id if isinstance(review_id, UUID) else UUID(str(review_id)),
                "state": "linked",
                "score": 1.0,
                "evidence": ["same DOI or PMID"],
                "created_at": now,
                "settled_at": now,
            }
        )
        places += [
            {"group_id": group_id, "review_id": groups[-1]["review_id"], "record_number": number}
            for number in numbers
        ]
    op.bulk_insert(_GROUP, groups)
    op.bulk_insert(_MEMBER, places)


def downgrade() -> None:
    op.execute("DELETE FROM resolution WHERE carried_from IS NOT NULL")
    op.drop_index(op.f("ix_resolution_conflict_id"), table_name="resolution")
    op.create_index("uq_resolution_conflict_id", "resolution", ["conflict_id"], unique=True)
    op.drop_table("record_relation")
    op.drop_table("duplicate_member")
    op.drop_table("duplicate_group")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
