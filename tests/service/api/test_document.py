"""The OpenAPI document as such: valid, complete, and the one that is committed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schemathesis import openapi as reader

from application import document_of_the_api
from tandem import errors
from tandem_api.errors import STATUS
from tandem_api.openapi import as_text
from tandem_api.problems import FAILURES

VERBS = {
    *("Add", "Answer", "Archive", "Ask", "Become", "Begin", "Bring", "Change", "Check", "Confirm"),
    *("Correct", "Count", "Create", "Delete", "Draw", "End", "Export", "Give", "Have", "Let"),
    *("List", "Make", "Measure", "Print", "Read", "Record", "Remove", "Restore", "Say", "Send"),
    *("Rate", "Serve"),
    *("Set", "Settle", "Show", "Sign", "Split", "Stand", "Start", "Take", "Try", "Vote"),
    "Withdraw",
}
"""What an operation's summary may begin with: it is a whole sentence that says what is done."""

SNAPSHOT = Path(__file__).parents[3] / "docs" / "openapi.json"
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return document_of_the_api()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def contents(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return every body of the document, asked and answered, with where it stands."""
    found = []
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        found += [
            (where, body) for body in operation.get("requestBody", {}).get("content", {}).values()
        ]
        for status, answer in operation["responses"].items():
            found += [(f"{where} {status}", body) for body in answer.get("content", {}).values()]
    for name, answer in document["components"]["responses"].items():
        found += [(name, body) for body in answer["content"].values()]
    return found


def test_the_snapshot_is_the_document(document: dict[str, Any]) -> None:
    assert SNAPSHOT.read_text(encoding="utf-8") == as_text(document), (
        "The outside changed. If that is meant: make openapi"
    )


def test_it_is_served_and_needs_nobody_signed_in(client: Any, document: dict[str, Any]) -> None:
    answer = client.get("/api/v1/openapi.json")

    assert answer.status_code == 200
    assert answer.json() == document


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    reader.from_dict(document).validate()


def test_every_schema_is_valid_json_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
        # Limits by the names that Python gives them would be no limits.
        assert not re.search('"(ge|gt|le|lt|min_length|max_length)": [0-9]', json.dumps(schema))


def test_operations_have_names_and_words(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(names) == len(set(names))
    assert all(name.islower() and "__" not in name for name in names)
    for _, path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["tags"], path


def test_a_summary_is_one_whole_sentence_that_says_what_is_done(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        summary = operation["summary"]
        assert summary.endswith("."), (path, summary)
        assert ". " not in summary, (path, summary)
        assert len(summary) <= 110, (path, summary)
        assert summary.split()[0] in VERBS, f"{path}: {summary!r} begins with no verb of VERBS"


def schemas_of(document: dict[str, Any], *parts: Any) -> dict[str, dict[str, Any]]:
    """Return the schemas that parts of the document refer to, through others too."""
    every, found, waiting = document["components"]["schemas"], dict[str, Any](), list(parts)
    while waiting:
        for name in set(re.findall(r"#/components/schemas/(\w+)", json.dumps(waiting.pop()))):
            if name not in found:
                found[name] = every[name]
                waiting.append(every[name])
    return found


def test_names_of_schemas_are_plain(document: dict[str, Any]) -> None:
    for name in document["components"]["schemas"]:
        assert re.fullmatch("([A-Z][a-z0-9]*)+", name), name


def test_every_schema_is_used(document: dict[str, Any]) -> None:
    used = schemas_of(document, document["paths"], document["components"]["responses"])

    assert set(document["components"]["schemas"]) == set(used)


def test_a_field_with_a_default_need_not_be_sent(document: dict[str, Any]) -> None:
    bodies = [operation.get("requestBody", {}) for _, _, operation in operations(document)]
    for name, schema in schemas_of(document, bodies).items():
        for field, reported in schema.get("properties", {}).items():
            # Makers of clients take what has a default for what has to be there.
            assert "default" not in reported, (name, field)


def test_a_body_whose_fields_may_all_be_left_out_may_be_left_out(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        body = operation.get("requestBody")
        if body is None:
            continue
        (content,) = body["content"].values()
        named = content["schema"].get("anyOf", [content["schema"]])[0]["$ref"].rpartition("/")[2]
        needed = document["components"]["schemas"][named].get("required", [])
        assert needed or not body.get("required", False), path


def test_an_answer_has_all_its_fields(document: dict[str, Any]) -> None:
    answers = [operation["responses"] for _, _, operation in operations(document)]
    for name, schema in schemas_of(document, answers).items():
        # Nothing happened to a review as a whole; a problem has what there is to say; a brief
        # list has no abstracts.
        optional = {"EventOut": {"subject"}, "ListedRecordOut": {"abstract"}}
        optional |= {"PlaceOut": {"counted"}}  # where a vote counts nothing is said
        sometimes = optional.get(name, set())
        if name not in {"Problem", "FieldError"}:
            left_out = set(schema.get("properties", {})) - set(schema.get("required", []))
            assert left_out == sometimes, name


NO_IDS = {
    ("ConflictOut", "resolved_by"),  # what ended it
    ("StageDisagreementsOut", "settled_by"),  # the same, counted
    ("PilotOut", "records_done_by"),  # a list, with ids and names
    ("ShownInvitationOut", "invited_by"),  # a name: everybody who has the link may ask
}


def test_every_id_of_a_person_has_the_name_beside_it(document: dict[str, Any]) -> None:
    # By what an import's records were found (a database, a register) is no person.
    of_people = re.compile("(user|owner|author|reviewer|resolver|member)_id|(?!found_by).+_by")
    for name, schema in document["components"]["schemas"].items():
        fields = set(schema.get("properties", {}))
        for field in filter(of_people.fullmatch, fields):
            base = field.removesuffix("_id")
            beside = {f"{base}_name"} | ({base} if base != field else set())
            beside |= {"name"} if base == "user" else set()
            assert beside & fields or (name, field) in NO_IDS, (name, field)


def test_closed_sets_of_words_are_enums(document: dict[str, Any]) -> None:
    closed = {"kind", "role", "scope", "stage", "standing", "state", "status", "verdict", "via"}
    found = [
        (f"{name}.{field}", one)
        for name, schema in document["components"]["schemas"].items()
        for field, said in schema.get("properties", {}).items()
        if field in closed
        for one in said.get("anyOf", [said])
    ]
    texts = [(name, one) for name, one in found if one.get("type") == "string"]

    assert len(found) > 60
    assert [name for name, one in texts if "enum" not in one and "const" not in one] == []


def test_every_code_of_an_error_is_in_the_document_with_its_status() -> None:
    waiting = [errors.TandemError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        elsewhere = ("tandem.cli", "tandem.demo", "tandem.installation", "tandem.migrate")
        inside = ("tandem.ranking", "tandem.records", "tandem.audit.checked")
        general = kind is errors.Conflict  # each has a code of its own
        if not general and not kind.__module__.startswith(("test", *elsewhere, *inside)):
            status = next((STATUS[one] for one in kind.__mro__ if one in STATUS), 500)
            known = FAILURES[status]
            assert kind.code in known, f"FAILURES[{status}] lacks {kind.code} of {kind.__name__}"


def test_every_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    shared = {"components": document["components"]}
    for where, body in contents(document):
        examples = [body["example"]] if "example" in body else []
        examples += [example["value"] for example in body.get("examples", {}).values()]
        assert examples, where
        validator = Draft202012Validator(body["schema"] | shared)
        for example in examples:
            validator.validate(example)


def test_security_is_named_and_applied(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {scheme["type"] for scheme in schemes.values()} == {"http", "apiKey"}
    open_to_all = {
        path for _, path, operation in operations(document) if not operation.get("security")
    }

    invitation = "/api/v1/invitations/{token}"
    assert open_to_all == {
        *("/healthz", "/readyz", "/api/v1/auth/login", "/api/v1/auth/logout"),
        *("/api/v1/auth/reset", "/api/v1/setup"),
        *(invitation, f"{invitation}/acceptance"),
    }


def test_failures_are_problems(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if not path.startswith("/api/"):
            continue
        failures = {
            status: answer for status, answer in operation["responses"].items() if status >= "400"
        }
        expected = {"500", "503"}
        if operation.get("security"):
            expected.add("401")
        if method != "get":
            expected.add("403")
        if "{" in path:
            expected.add("404")
        if "requestBody" in operation:
            expected |= {"413", "422"}
        assert expected <= set(failures), (method, path)
        for answer in failures.values():
            name = answer["$ref"].rpartition("/")[2]
            assert set(document["components"]["responses"][name]["content"]) == {
                "application/problem+json"
            }
