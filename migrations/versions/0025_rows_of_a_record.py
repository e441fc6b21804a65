"""A record's rows are found by the record: taking an import back read the whole review for each."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ADDED = ("exposure", "interest", "lease", "present_decision", "screened_record", "served")
_REVIEW, _STAGE, _RECORD = "review_id", "stage", "record_number"


def upgrade() -> None:
    for table in _ADDED:
        op.create_index(f"ix_{table}_review_id_record_number", table, [_REVIEW, _RECORD])
    _replace(_STAGE, _RECORD, by=(_RECORD, _STAGE))


def downgrade() -> None:
    _replace(_RECORD, _STAGE, by=(_STAGE, _RECORD))
    for table in reversed(_ADDED):
        op.drop_index(f"ix_{table}_review_id_record_number", table_name=table)


def _replace(*columns: str, by: tuple[str, str]) -> None:
    """Put the two columns behind the review's in the other order."""
    for prefix, table, more in (
        ("ix", "decision", ("labels_seq",)),
        ("uq", "conflict", ()),
        ("ix", "resolution", ()),
    ):
        old, new = ((_REVIEW, *order, *more) for order in (columns, by))
        op.drop_index(f"{prefix}_{table}_{'_'.join(old)}", table_name=table)
        op.create_index(
            f"{prefix}_{table}_{'_'.join(new)}", table, list(new), unique=prefix == "uq"
        )
