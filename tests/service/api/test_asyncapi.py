"""The document of the events: the one that is committed, valid, and true of what is sent."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from service.api.scene import API, build
from tandem.db.base import now
from tandem.events import catalogue
from tandem.events.fact import Fact
from tandem.ids import WebhookId, new_id
from tandem.webhooks import deliveries
from tandem.webhooks.models import Webhook, WebhookDelivery
from tandem_api import asyncapi
from world import World

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi.document()


def payload(document: dict[str, Any], name: str) -> Draft202012Validator:
    schema = document["components"]["messages"][name]["payload"]
    return Draft202012Validator(schema | {"components": document["components"]})


def test_the_committed_document_is_that_of_the_catalogue(document: dict[str, Any]) -> None:
    committed = (DOCS / "asyncapi.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(committed) == document, (
        "The events changed. If that is meant: make openapi"
    )


def test_the_page_for_people_has_the_same_types() -> None:
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    for table in (asyncapi.as_table(), asyncapi.as_table_by_the_way()):
        assert table in page, "docs/events.md is old: run `make openapi`"


def test_no_type_is_used_twice() -> None:
    types = [kind.type for kind in catalogue.kinds()]
    types += [kind.type for kind in asyncapi.by_the_way()]
    assert len(types) == len(set(types)) > 15


def test_no_kind_of_event_is_defined_where_the_catalogue_does_not_look() -> None:
    defined, waiting = set[type[Fact]](), [Fact]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        defined |= {kind} if "type" in vars(kind) else set()
    kinds = catalogue.kinds()
    assert (set(kinds), len(kinds)) == (defined, len(defined))


def test_facts_cannot_be_changed() -> None:
    for kind in catalogue.kinds():
        with pytest.raises(ValidationError):
            kind.model_construct().detail = {}


def test_what_only_the_trail_knows_is_in_no_schema(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert "detail" not in schema.get("properties", {}), name


def test_every_example_is_of_its_schema(document: dict[str, Any]) -> None:
    for name, message in document["components"]["messages"].items():
        (example,) = message["examples"]
        payload(document, name).validate(example["payload"])


def test_a_test_message_is_as_the_document_says(document: dict[str, Any], world: World) -> None:
    webhook = Webhook(id=WebhookId(new_id()), review_id=world.team().review_id)
    made = WebhookDelivery(event_id=str(new_id()), created_at=now())

    sent = json.loads(deliveries.test_message(webhook, made).as_text())

    payload(document, "WebhookTest").validate(sent)
    assert {"$ref": "#/channels/webhook/messages/WebhookTest"} in (
        document["operations"]["send_webhook"]["messages"]
    )


def test_what_is_sent_is_as_the_document_says(
    document: dict[str, Any], world: World, client: Any
) -> None:
    scene = build(world)
    answer = client.get(
        f"{API}/reviews/{scene.team.review_id}/events?limit=500", headers=scene.team.owner.auth
    )
    named = {kind.type: kind.__name__ for kind in catalogue.kinds()}
    found = answer.json()["items"]
    assert len({event["type"] for event in found}) > 5
    for event in found:
        payload(document, named[event["type"]]).validate(event)
