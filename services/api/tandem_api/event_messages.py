"""Messages of the AsyncAPI document: envelope, payload, example."""

import inspect
from typing import Any

from tandem.events.fact import Fact
from tandem.events.progress import Progress
from tandem.webhooks.deliveries import TEST_TYPE

_EXAMPLES = {
    "record_id": "17",
    "duplicate_id": "912",
    "carried_from": "912",
    "user_id": "0d1f2a3b-4c5d-4e6f-8a7b-9c0d1e2f3a4b",
    "reviewer_id": "0d1f2a3b-4c5d-4e6f-8a7b-9c0d1e2f3a4b",
    "import_id": "2f3a4b5c-6d7e-4a8b-8c9d-1e2f3a4b5c6d",
    "ranking_id": "3a4b5c6d-7e8f-4b9c-9d0e-2f3a4b5c6d7e",
    "audit_id": "8f9a0b1c-2d3e-4f4a-8b5c-7d8e9f0a1b2c",
    "conflict_id": "4b5c6d7e-8f9a-4c0d-8e1f-3a4b5c6d7e8f",
    "stage": "title_abstract",
    "role": "reviewer",
    "kind": "verdict",
    "by": "resolution",
    "error": "This is no file of references.",
    "state": "running",
    "step": "reading",
    "ranking": "started",
    "via": "ill",
    "text_id": "5c6d7e8f-9a0b-4d1e-8f2a-4b5c6d7e8f9a",
    "wave": "2",
    "study_id": "9a0b1c2d-3e4f-4a5b-8c6d-8e9f0a1b2c3d",
}

_ON_THE_WAY = {"tandem.ranking.progress": {"step": "features"}}

_REVIEW_ID = "6f1c2d3e-5a4b-4c8d-9e0f-112233445566"

ENVELOPE: dict[str, Any] = {
    "type": "object",
    "description": "CloudEvents 1.0 in JSON, with the extension `sequence`.",
    "required": ["specversion", "id", "source", "type", "time", "data", "sequence"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "description": "The same at every delivery."},
        "source": {"type": "string", "pattern": "^/reviews/"},
        "type": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": ["string", "null"], "description": "Id of what it happened to."},
        "datacontenttype": {"const": "application/json"},
        "data": {"type": "object"},
        "sequence": {
            "type": "integer",
            "minimum": 1,
            "description": "1, 2, 3, … in each review's log, without gaps.",
        },
    },
}

WEBHOOK_TEST: dict[str, Any] = {
    "name": TEST_TYPE,
    "title": "WebhookTest",
    "summary": "An owner tries whether an endpoint takes messages. It is in no log.",
    "payload": {
        **ENVELOPE,
        "description": "CloudEvents 1.0 in JSON, without `sequence`.",
        "required": [name for name in ENVELOPE["required"] if name != "sequence"],
        "properties": {
            **{name: ENVELOPE["properties"][name] for name in ENVELOPE["required"][:-1]},
            "type": {"const": TEST_TYPE},
            "data": {"type": "object", "properties": {"webhook_id": {"type": "string"}}},
        },
    },
    "examples": [
        {
            "name": "WebhookTest",
            "payload": {
                "specversion": "1.0",
                "id": "7e8f9a0b-1c2d-4f3a-9b4c-6d7e8f9a0b1c",
                "source": f"/reviews/{_REVIEW_ID}",
                "type": TEST_TYPE,
                "time": "2026-11-23T09:30:00Z",
                "datacontenttype": "application/json",
                "data": {"webhook_id": "5f6a7b8c-9d0e-4f1a-8b2c-3d4e5f6a7b8c"},
            },
        }
    ],
}


def event_message(kind: type[Fact]) -> dict[str, Any]:
    return {
        "name": kind.type,
        "title": kind.__name__,
        "summary": summary(kind),
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": kind.type},
                        "data": {"$ref": f"#/components/schemas/{kind.__name__}"},
                    },
                },
            ]
        },
        "examples": [{"name": kind.__name__, "payload": _example(kind)}],
    }


def progress_message(kind: type[Progress]) -> dict[str, Any]:
    example = {name: _value(name, field.annotation) for name, field in kind.model_fields.items()}
    example |= _ON_THE_WAY.get(kind.type, {})
    return {
        "name": kind.type,
        "title": kind.__name__,
        "summary": summary(kind),
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "examples": [{"name": kind.__name__, "payload": kind(**example).model_dump(mode="json")}],
    }


def summary(kind: type[Fact] | type[Progress]) -> str:
    """Return the first sentence of its docstring, or its type in words."""
    own = vars(kind).get("__doc__")
    if own:
        return " ".join(inspect.cleandoc(own).split("\n\n")[0].split())
    what, happened = kind.type.removeprefix("tandem.").split(".")
    return f"{what.capitalize()} {happened}."


def _example(kind: type[Fact]) -> dict[str, Any]:
    required = {name for name, field in kind.model_fields.items() if field.is_required()}
    values: dict[str, Any] = {
        name: _value(name, field.annotation)
        for name, field in kind.model_fields.items()
        if name in required
    }
    fact = kind(**values)
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": "7e8f9a0b-1c2d-4f3a-9b4c-6d7e8f9a0b1c",
        "source": f"/reviews/{_REVIEW_ID}",
        "type": fact.type,
        "time": "2026-11-23T09:30:00Z",
        "datacontenttype": "application/json",
        "data": fact.model_dump(mode="json"),
        "sequence": 42,
    }
    return envelope if fact.subject is None else envelope | {"subject": fact.subject}


def _value(name: str, annotation: Any) -> Any:
    if annotation in (int, int | None):
        return 7
    if annotation in (bool, bool | None):
        return False
    if annotation == list[str]:
        return ["17", "23"] if name == "record_ids" else ["criteria"]
    return _EXAMPLES[name]
