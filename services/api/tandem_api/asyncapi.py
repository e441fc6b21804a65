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
from tandem.events.progress import Progress
from tandem_api.event_messages import (
    ENVELOPE,
    WEBHOOK_TEST,
    event_message,
    progress_message,
    summary,
)


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
                **{kind.__name__: event_message(kind) for kind in kinds},
                **{kind.__name__: progress_message(kind) for kind in passing},
                "WebhookTest": WEBHOOK_TEST,
            },
            "schemas": {"Envelope": ENVELOPE, **data},
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
        lines.append(f"| `{kind.type}` | {summary(kind)} | {fields} | {seen} |")
    return "\n".join(lines) + "\n"


def as_table_by_the_way() -> str:
    """Return the progress messages as a table of Markdown."""
    lines = ["| `event:` | tells | `data:` |", "|---|---|---|"]
    for kind in by_the_way():
        fields = ", ".join(f"`{name}`" for name in kind.model_fields)
        lines.append(f"| `{kind.type}` | {summary(kind)} | {fields} |")
    return "\n".join(lines) + "\n"


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


def main() -> None:
    tables = f"{as_table()}\n{as_table_by_the_way()}"
    sys.stdout.write(tables if "--types" in sys.argv[1:] else as_yaml())


if __name__ == "__main__":
    main()
