"""The OpenAPI document: what FastAPI derives from the routes, and what it cannot know.

`python -m tandem_api.openapi > docs/openapi.json` writes the committed snapshot.
"""

import json
import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from tandem_api.errors import Problem
from tandem_api.examples import Schemas, example_of
from tandem_api.problems import HEADERS, REQUEST_ID, reference, responses
from tandem_api.schemas.decisions import DecisionItemIn

DESCRIPTION = """Two people screen each record independently; a ranking that learns from their
decisions brings the likely ones first; where they differ, a third person decides.

Errors are `application/problem+json` with a stable `code`. Writes accept an `Idempotency-Key`.
A review that you are not a member of does not exist for you: 404. Every answer carries an
`X-Request-ID`, the one that was sent or a new one; the server's log can be searched for it."""

TAGS = [
    {"name": "accounts", "description": "Signing in, tokens, people."},
    {"name": "reviews", "description": "Reviews, their policies and their members."},
    {"name": "criteria", "description": "The criteria, version by version; second looks."},
    {"name": "imports", "description": "Files of records into a review."},
    {"name": "duplicates", "description": "Records that are one, may be, or are not."},
    {"name": "records", "description": "The records, with their status as you may see it."},
    {"name": "screening", "description": "What to screen next, and what you decide."},
    {"name": "full text", "description": "Records at full text, and getting hold of their texts."},
    {"name": "conflicts", "description": "Where reviewers differ."},
    {"name": "progress", "description": "How far the review is."},
    {"name": "studies", "description": "Groups of reports; sampling, ratings, near misses."},
    {"name": "flow", "description": "The PRISMA 2020 flow diagram and what it counts."},
    {"name": "synthesis", "description": "Coded projects that come back, and their account."},
    {"name": "stopping", "description": "When to stop, and the certificate that proves it."},
    {"name": "agreement", "description": "How far reviewers agree, and how steady they are."},
    {"name": "rankings", "description": "What the order of the queue was learned from."},
    {"name": "events", "description": "Everything that happens, as a list or a live stream."},
    {"name": "webhooks", "description": "Events sent to a URL of yours, signed and in order."},
    {"name": "operations", "description": "Background work, for administrators."},
    {"name": "health", "description": "For monitoring. Open to everybody."},
]

_SENTENCE = re.compile(r".+?[.](?=\s|$)", re.DOTALL)
_WRITES = {"post", "put", "patch", "delete"}


def operation_id(route: APIRoute) -> str:
    """Name an operation after its function: clients made from the document read well."""
    return route.name


def document(app: FastAPI) -> dict[str, Any]:
    """Return the application's OpenAPI document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _document(app)
    return app.openapi_schema


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        tags=TAGS,
        routes=app.routes,
        servers=app.servers or None,
    )
    components = made["components"]
    # Named by hand: the routes refer to them without a model of FastAPI's own.
    for model in (Problem, DecisionItemIn):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        for field in schema["properties"].values():
            field.pop("default", None)
        components["schemas"] |= {model.__name__: schema} | schema.pop("$defs", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["headers"] = HEADERS
    for form in ("Body_upload", "Body_send_texts"):
        _without_null(components["schemas"][form])
    components["responses"] = responses()
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation, components["schemas"])
    _left_out(made["paths"], components["schemas"])
    return _plainly_named(made)


def _left_out(paths: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say in words what a body's field is when it is left out.

    A `default` would say the same, but makers of clients take a field with one for one that has
    to be sent: `openapi-typescript` among them.
    """
    bodies = [
        operation.get("requestBody", {}) for item in paths.values() for operation in item.values()
    ]
    for name in _named_in(bodies, schemas):
        for field in schemas[name].get("properties", {}).values():
            default = field.pop("default", None)
            if isinstance(default, bool | int | str):
                note = f"Left out: {json.dumps(default)}."
                field["description"] = " ".join(filter(None, [field.get("description"), note]))


def _named_in(part: Any, schemas: dict[str, Any]) -> set[str]:
    """Return the names of all schemas that a part of the document refers to, through others too."""
    found, waiting = set[str](), [part]
    while waiting:
        text = json.dumps(waiting.pop())
        new = set(re.findall(r'"#/components/schemas/([^"]+)"', text)) - found
        found |= new
        waiting += [schemas[name] for name in new]
    return found


_PLAIN = {
    "Body_add_text": "TextIn",
    "Body_give_code_book": "CodeBookIn",
    "Body_import_coded_project": "CodedProjectIn",
    "Body_send_texts": "TextsIn",
    "Body_upload": "ImportIn",
    "Cause": "ConflictCause",
    "Kind": "PublicationKind",
    "Relation": "RecordRelation",
    "Status": "RecordStatus",
}
"""Names that say too little outside of the module that they are in."""


def _plainly_named(made: dict[str, Any]) -> dict[str, Any]:
    """Give schemas plain names in place of those that the framework makes up."""
    schemas = made["components"]["schemas"]
    text = json.dumps(made)
    taken = {name for name in schemas if "_" not in name and name not in _PLAIN}
    for name in [name for name in schemas if name in _PLAIN or "_" in name]:
        plain_name = schemas[name]["title"] = _PLAIN.get(name, schemas[name]["title"])
        if plain_name in taken:
            raise ValueError(f"Two schemas would be named {plain_name}: rename one of them.")
        taken.add(plain_name)
        text = text.replace(f'"{name}":', f'"{plain_name}":')
        text = text.replace(
            f'"#/components/schemas/{name}"', f'"#/components/schemas/{plain_name}"'
        )
    plain: dict[str, Any] = json.loads(text)
    return plain


def _without_null(form: dict[str, Any]) -> None:
    """A form has no null: what is left out is left out."""
    for name, field in form["properties"].items():
        if "anyOf" in field:
            form["properties"][name] = field["anyOf"][0] | {
                key: value for key, value in field.items() if key != "anyOf"
            }


def first_sentence(text: str) -> str:
    """Return a text's first sentence, with its full stop."""
    found = _SENTENCE.match(text)
    return " ".join(found[0].split()) if found else text


def _complete(path: str, method: str, operation: dict[str, Any], schemas: Schemas) -> None:
    operation["summary"] = first_sentence(operation["description"])
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            # What the router takes for one: not the empty one, nothing with a slash.
            parameter["schema"]["pattern"] = "^[^/]+$"
    if "requestBody" in operation:
        for content in operation["requestBody"]["content"].values():
            content["example"] = example_of(content["schema"], schemas, sent=True)
    answers = operation["responses"]
    failures = _failures(path, method, operation)
    answers.pop("422", None)
    keyed = any(item["name"] == "Idempotency-Key" for item in operation.get("parameters", ()))
    for answer in answers.values():
        answer["headers"] = REQUEST_ID | answer.get("headers", {})
        if keyed:
            answer["headers"]["Idempotency-Replayed"] = {"$ref": "#/components/headers/Replayed"}
        for content in answer.get("content", {}).values():
            if "example" not in content and {"$ref", "anyOf"} & content.get("schema", {}).keys():
                content["example"] = example_of(content["schema"], schemas)
    for status in failures:
        if "content" not in answers.get(str(status), {}):
            answers[str(status)] = reference(status)


def _failures(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    """Return how this operation may fail: as its route says, and by what it takes."""
    found = {
        int(status) for status in operation["responses"] if int(status) >= HTTPStatus.BAD_REQUEST
    }
    found.add(422)  # an unknown query parameter, at the least
    if not path.startswith("/api/"):
        return sorted(found)
    found |= {500, 503}
    if operation.get("security"):
        found.add(401)
    if method in _WRITES:
        found.add(403)
    if "{" in path:
        found.add(404)
    if any(item["name"] == "Idempotency-Key" for item in operation.get("parameters", ())):
        found.add(409)
    if "requestBody" in operation:
        found.add(413)
    return sorted(found)


def as_text(made: dict[str, Any]) -> str:
    return json.dumps(made, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
