"""`python -m tandem_api.asyncapi`: the events and their ways out, as an AsyncAPI 3.0 document.

Made from the catalogue in `tandem.events`, so that it cannot say anything else than the
service does. docs/asyncapi.yaml is its committed copy, `--types` prints the tables of
docs/events.md.
"""

import inspect
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tandem import __version__
from tandem.events import catalogue
from tandem.events.fact import Fact
from tandem.events.progress import Progress
from tandem.webhooks.deliveries import TEST_TYPE

_IDS = {
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


def by_the_way() -> list[type[Progress]]:
    """Return every kind of message that is no event, in the order of its file."""
    return sorted(Progress.__subclasses__(), key=lambda kind: inspect.getsourcelines(kind)[1])


def document() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document, as JSON values."""
    kinds, passing = catalogue.kinds(), by_the_way()
    every: list[type[BaseModel]] = [*kinds, *passing]
    _, schemas = models_json_schema(
        [(kind, "serialization") for kind in every], ref_template="#/components/schemas/{model}"
    )
    data = schemas["$defs"]
    for kind in every:
        data[kind.__name__]["additionalProperties"] = True  # more may come; nothing goes away
    names = [kind.__name__ for kind in kinds]
    of_channel = dict.fromkeys(("log", "stream", "webhook"), names)
    of_channel["webhook"] = [*names, "WebhookTest"]
    of_channel["progress"] = [kind.__name__ for kind in passing]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tandem events",
            "version": __version__,
            "description": "Everything that happens to a review, in one append-only log for each "
            "review. An event is delivered at least once, in order per review, with the same id "
            "each time. Types are never reused; readers ignore fields that they do not know.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "api": {"host": "127.0.0.1:8000", "protocol": "http", "pathname": "/api/v1"},
            "broker": {"host": "127.0.0.1:6379", "protocol": "redis"},
        },
        "channels": {
            "log": _channel(
                "/reviews/{review_id}/events",
                "api",
                names,
                "As a list to replay from any `sequence`, or as server-sent events. What a "
                "blinded reviewer may not know is left out, and theirs is a numbering of its own.",
                review_id="The review.",
            ),
            "stream": _channel(
                "tandem:events",
                "broker",
                names,
                "A Redis Stream with the full log of every review, for services of one's own.",
            ),
            "webhook": _channel(
                "{url}",
                None,
                of_channel["webhook"],
                "An HTTPS POST to an address that an owner has named, signed as Standard Webhooks "
                "specifies.",
                url="Of the endpoint.",
            ),
            "progress": _channel(
                "/reviews/{review_id}/events",
                "api",
                of_channel["progress"],
                "Among the server-sent events of `log`, without an `id:`: how far running work "
                "is, a few times a second at most. These messages are no events. They are in no "
                "log, have no envelope and are not sent again; a slow reader misses some.",
                review_id="The review.",
            ),
        },
        "operations": {
            f"send_{channel}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in sent],
            }
            for channel, sent in of_channel.items()
        },
        "components": {
            "messages": {
                **{kind.__name__: _message(kind) for kind in kinds},
                **{kind.__name__: _message_by_the_way(kind) for kind in passing},
                "WebhookTest": _WEBHOOK_TEST,
            },
            "schemas": {"Envelope": _ENVELOPE, **data},
        },
    }


def as_yaml() -> str:
    import yaml  # of the tests: the service itself never writes YAML

    text: str = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=100)
    return text


def as_table() -> str:
    """Return the catalogue as a table of Markdown."""
    lines = ["| type | tells | `data` | blinded reviewers |", "|---|---|---|---|"]
    for kind in catalogue.kinds():
        fields = ", ".join(f"`{name}`" for name in kind.model_fields if name != "detail")
        seen = "see it" if kind.open_to_blinded else "do not"
        lines.append(f"| `{kind.type}` | {_summary(kind)} | {fields} | {seen} |")
    return "\n".join(lines) + "\n"


def as_table_by_the_way() -> str:
    """Return the progress messages as a table of Markdown."""
    lines = ["| `event:` | tells | `data:` |", "|---|---|---|"]
    for kind in by_the_way():
        fields = ", ".join(f"`{name}`" for name in kind.model_fields)
        lines.append(f"| `{kind.type}` | {_summary(kind)} | {fields} |")
    return "\n".join(lines) + "\n"


_ENVELOPE: dict[str, Any] = {
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


_WEBHOOK_TEST: dict[str, Any] = {
    "name": TEST_TYPE,
    "title": "WebhookTest",
    "summary": "An owner tries whether an endpoint takes messages. It is in no log.",
    "payload": {
        **_ENVELOPE,
        "description": "CloudEvents 1.0 in JSON, without `sequence`.",
        "required": [name for name in _ENVELOPE["required"] if name != "sequence"],
        "properties": {
            **{name: _ENVELOPE["properties"][name] for name in _ENVELOPE["required"][:-1]},
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


def _channel(
    address: str, server: str | None, names: list[str], description: str, **parameters: str
) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }
    if parameters:
        channel["parameters"] = {name: {"description": text} for name, text in parameters.items()}
    if server is not None:
        channel["servers"] = [{"$ref": f"#/servers/{server}"}]
    return channel


def _message(kind: type[Fact]) -> dict[str, Any]:
    return {
        "name": kind.type,
        "title": kind.__name__,
        "summary": _summary(kind),
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


def _message_by_the_way(kind: type[Progress]) -> dict[str, Any]:
    example = {name: _value(name, field.annotation) for name, field in kind.model_fields.items()}
    example |= _ON_THE_WAY.get(kind.type, {})
    return {
        "name": kind.type,
        "title": kind.__name__,
        "summary": _summary(kind),
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "examples": [{"name": kind.__name__, "payload": kind(**example).model_dump(mode="json")}],
    }


def _summary(kind: type[Fact] | type[Progress]) -> str:
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
    return _IDS[name]


def main() -> None:
    tables = f"{as_table()}\n{as_table_by_the_way()}"
    sys.stdout.write(tables if "--types" in sys.argv[1:] else as_yaml())


if __name__ == "__main__":
    main()
