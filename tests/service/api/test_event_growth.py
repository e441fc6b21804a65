"""Events grow compatibly: every field that a reader was once promised is there, and means the same.

Logs are never rewritten. So a field that comes later is one that earlier events lack: it has a
default, and no schema requires it.
"""

from typing import Any

import pytest

from tandem.events import catalogue
from tandem_api import asyncapi

TOLD_FROM_THE_BEGINNING = {
    "tandem.review.created": "",
    "tandem.review.changed": "changed",
    "tandem.member.added": "user_id role",
    "tandem.member.removed": "user_id",
    "tandem.member.changed": "user_id changed",
    "tandem.import.finished": "import_id n_read n_added n_duplicates n_rejected",
    "tandem.import.failed": "import_id error",
    "tandem.duplicates.merged": "record_id duplicate_id",
    "tandem.duplicates.split": "record_id duplicate_id",
    "tandem.interest.declared": "record_id user_id",
    "tandem.decision.recorded": "record_id stage reviewer_id labels_seq",
    "tandem.decision.withdrawn": "record_id stage reviewer_id labels_seq",
    "tandem.record.included": "record_id stage",
    "tandem.record.excluded": "record_id stage",
    "tandem.record.reopened": "record_id stage",
    "tandem.conflict.opened": "conflict_id record_id stage kind",
    "tandem.conflict.resolved": "conflict_id record_id stage by",
    "tandem.conflict.reopened": "conflict_id record_id stage kind",
    "tandem.resolution.changed": "record_id stage",
    "tandem.ranking.updated": "ranking_id stage labels_seq",
    "tandem.audit.started": "audit_id state",
    "tandem.audit.finished": "audit_id state",
    "tandem.stopping.changed": "stage",
}
"""Fields of each type's first version. New types are added here; nothing here ever changes."""

NUMBERS = {"n_read", "n_added", "n_duplicates", "n_rejected", "labels_seq"}
LISTS = {"changed"}


@pytest.fixture(scope="module")
def schemas() -> dict[str, dict[str, Any]]:
    document = asyncapi.document()["components"]["schemas"]
    return {kind.type: document[kind.__name__] for kind in catalogue.kinds()}


@pytest.mark.parametrize(("type", "fields"), TOLD_FROM_THE_BEGINNING.items())
def test_a_type_requires_what_its_first_events_had(
    schemas: dict[str, dict[str, Any]], type: str, fields: str
) -> None:
    schema = schemas[type]

    assert set(schema.get("required", ())) == set(fields.split())
    for name in fields.split():
        expected = "integer" if name in NUMBERS else "array" if name in LISTS else "string"
        assert schema["properties"][name]["type"] == expected, name


def test_every_schema_lets_more_fields_come(schemas: dict[str, dict[str, Any]]) -> None:
    assert {schema["additionalProperties"] for schema in schemas.values()} == {True}
