"""Messages about wrong values are in plain words, whatever the validation says."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, get_args
from uuid import UUID

import pytest
from fastapi import UploadFile
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticKnownError, core_schema

from service.api.scene import API, METHODS, Scene
from tandem.reviews.policy import Stage
from tandem_api.messages import INSIDE, message
from world import World

CONTEXT: dict[str, Any] = {
    "class_name": "ReviewIn", "class": "ReviewIn", "error": "<class 'str'>", "gt": 1, "ge": 1.0,
    "lt": 1, "le": 1, "multiple_of": 2, "min_length": 1, "max_length": 2, "actual_length": 0,
    "field_type": "Tuple", "pattern": "^a$", "expected": "'a' or <Stage.TITLE_ABSTRACT: 'b'>",
    "tag": "a", "discriminator": "d", "expected_tags": "x", "method_name": "m", "attribute": "a",
    "expected_schemes": "https", "tz_expected": 1, "tz_actual": 2, "max_digits": 1,
    "decimal_places": 1, "whole_digits": 1, "encoding": "utf-8", "encoding_error": "None",
    "expected_version": 4, "expected_plural": "s",
}  # fmt: skip


def every_kind_of_error() -> Iterator[dict[str, Any]]:
    """Yield each error that the validation knows, as a client would get it."""
    for kind in get_args(core_schema.ErrorType):
        known = _known(kind)
        yield {"type": kind, "msg": known.message(), "ctx": CONTEXT}


def _known(kind: Any) -> PydanticKnownError:
    if kind in ("value_error", "assertion_error"):
        return PydanticKnownError(kind, {"error": "Expected UploadFile, received: <class 'str'>"})
    try:
        return PydanticKnownError(kind, CONTEXT)
    except TypeError:
        return PydanticKnownError(kind)


def test_no_kind_of_error_shows_the_inside() -> None:
    reported = {found["type"]: message(found) for found in every_kind_of_error()}

    assert len(reported) > 90
    for kind, words in reported.items():
        assert words, kind
        assert not INSIDE.search(words), (kind, words)
        assert "{" not in words, (kind, words)


class Whatever(BaseModel):
    """Each kind of field that a body here could have, and more."""

    text: str
    number: int
    part: float
    truth: bool
    day: date
    time: datetime
    id: UUID
    exact: Decimal
    share: Fraction
    pair: tuple[int, str]
    some: set[int]
    words: dict[str, int]
    stage: Stage
    word: Literal["a", "b"]
    nothing: None
    upload: UploadFile
    inner: "Whatever"
    either: int | dict[str, str]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*Whatever.model_fields, "odd"]), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(value=JSON)
def test_no_message_speaks_of_the_code_inside(value: Any) -> None:
    try:
        TypeAdapter(Whatever).validate_python(value)
    except ValidationError as error:
        for found in error.errors():
            words = message(dict(found))
            assert not INSIDE.search(words), (found["type"], words)


ODD: tuple[Any, ...] = ([], "text", 17, True, None, {"odd": 1}, [{}])


def test_odd_bodies_are_refused_in_plain_words(scene: Scene, client: TestClient) -> None:
    paths = client.get(f"{API}/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for method in set(operations) & set(METHODS):
            if "requestBody" not in operations[method] or path.endswith("/auth/login"):
                continue
            for body in ODD:
                answer = client.request(
                    method,
                    scene.path(path),
                    content=json.dumps(body),
                    headers=scene.team.owner.auth | {"Content-Type": "application/json"},
                )
                assert answer.status_code < 500, (method, path, body)
                if answer.status_code == 422:
                    assert not INSIDE.search(answer.json()["detail"]), answer.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "body: should be an object"),
        ({}, "title: is needed here"),
        ({"title": ""}, "title: should not be empty"),
        ({"title": 5}, "title: should be a text"),
        ({"title": "T", "policy": []}, "policy: should be an object"),
        ({"title": "T", "policy": {"full_text": {"maybe": "x"}}}, "'conflict' or 'as_include'"),
        ({"title": "T", "quest": ""}, "quest: is not known here"),
        ({"title": "T", "seed_studies": {}}, "seed_studies: should be a list"),
    ],
)
def test_what_is_wrong_is_said(world: World, client: TestClient, body: Any, words: str) -> None:
    answer = client.post(f"{API}/reviews", json=body, headers=world.person("ann").auth)

    assert answer.status_code == 422
    assert words in answer.json()["detail"]
