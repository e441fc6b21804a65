"""Every body in the OpenAPI document has an example, and it is what its schema says."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from application import document_of_the_api
from tandem_api.examples import NoExample, example_of


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = document_of_the_api()
    return found


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            answer = [operation.get("requestBody", {}), *operation["responses"].values()]
            for part in answer:
                for media_type, content in part.get("content", {}).items():
                    yield f"{operation['operationId']} {media_type}", content


def test_every_body_has_an_example_of_its_schema(document: dict[str, Any]) -> None:
    wrong = dict[str, list[str]]()
    for name, content in bodies(document):
        assert "example" in content, name
        schema = content.get("schema", {}) | {"components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        if found := [error.message for error in validator.iter_errors(content["example"])]:
            wrong[name] = found
    assert wrong == {}


def test_examples_of_fields_are_of_their_schemas(document: dict[str, Any]) -> None:
    components = {"components": document["components"]}
    wrong = [
        f"{name}.{field}: {error.message}"
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        for example in described.get("examples", ())
        for error in Draft202012Validator(described | components).iter_errors(example)
    ]
    assert wrong == []


def test_a_text_without_an_example_is_not_made_up() -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    with pytest.raises(NoExample, match="There is no example"):
        example_of(schema, {})
    assert example_of(schema | {"required": []}, {}, sent=True) == {}
