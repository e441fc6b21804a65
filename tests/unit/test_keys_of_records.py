"""Where a record goes, the database finds what refers to it without reading the whole review."""

from collections.abc import Iterator

import pytest
from sqlalchemy import ForeignKeyConstraint, Table, UniqueConstraint

from tandem import models  # noqa: F401  # all tables
from tandem.db.base import Base

KEYS = sorted(
    (
        key
        for table in Base.metadata.sorted_tables
        for key in table.foreign_key_constraints
        if key.referred_table.name == "record"
    ),
    key=lambda key: (key.table.name, key.column_keys),  # each process is to have the same order
)


def indexed(table: Table) -> Iterator[list[str]]:
    """Yield the columns of each index of a table, in its order."""
    yield [column.name for column in table.primary_key]
    for index in table.indexes:
        yield [column.name for column in index.columns]
    for unique in table.constraints:
        if isinstance(unique, UniqueConstraint):
            yield [column.name for column in unique.columns]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.table.name} {key.column_keys}")
def test_an_index_begins_with_the_columns_that_refer_to_a_record(key: ForeignKeyConstraint) -> None:
    wanted = set(key.column_keys)

    assert any(set(columns[: len(wanted)]) == wanted for columns in indexed(key.table))
