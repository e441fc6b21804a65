"""The application against its own OpenAPI document, by requests that schemathesis thinks up."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.hypothesis.builder import SETTINGS_ATTRIBUTE_NAME
from schemathesis.generation.meta import TestPhase
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

import effort
from application import application, document_of_the_api
from service.api.scene import Scene, build, promote
from service.api.test_permissions import ROUTES
from tandem.accounts import service as accounts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.reviews.policy import Stage
from world import World


@cache
def schema() -> OpenApiSchema:
    return schemathesis.openapi.from_dict(
        document_of_the_api(),
        config=schemathesis.Config.from_dict(
            {
                "max-stream-events": 1,
                # Of what never ends; on a busy machine ten seconds are soon over.
                "request-timeout": 120,
                # Refused everywhere, which a schema can hardly say.
                "generation": {"allow-x00": False},
            }
        ),
    )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("contract")
    copy(migrated_sqlite, folder / "tandem.sqlite3")
    url = f"sqlite:///{folder}/tandem.sqlite3"
    database = Database(url)
    world = World(database)
    made = build(world)
    promote(world, made, made.admin)
    with database.write.begin() as session:
        token, _ = accounts.add_token(session, user_id=made.admin.id, name="spare", expires_at=None)
    made.ids["token_id"] = str(token.id)
    made.ids["another_review"] = str(world.review(made.admin, title="Another one"))
    schema().app = application(
        Settings(
            data_dir=folder,
            database_url=url,
            redis_url=f"unix://{folder}/nobody-listens.sock",
            artifact_url=str(folder / "artifacts"),
        )
    )
    yield made
    asgi.shutdown_lifespans()
    database.close()


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=str)
def test_every_answer_is_as_documented(method: str, path: str, scene: Scene) -> None:
    @settings(
        max_examples=effort.examples(5),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answer_is_as_documented(case: Any) -> None:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = scene.ids[name]
        if path.endswith("/archive"):  # the others are to find theirs open
            case.path_parameters["review_id"] = scene.ids["another_review"]
        case.call_and_validate(headers=scene.admin.auth, excluded_checks=_not_meant(case))

    # As `schema.parametrize()` does, which makes all cases of all routes when tests are collected:
    # in each process, for the few routes that it gets.
    test: Any = build_operation_test(
        config=schema().config,
        operation=schema()[path][method],
        test_func=answer_is_as_documented,
        given_kwargs={},
        feedback=FeedbackSources(),
    )
    cases = test.hypothesis_explicit_examples  # of the document, and those at the schemas' limits
    limits = [one for one in cases if one.kwargs["case"].meta.phase.name is TestPhase.COVERAGE]
    others = [one for one in cases if one.kwargs["case"].meta.phase.name is not TestPhase.COVERAGE]
    test.hypothesis_explicit_examples = [*others, *effort.part(limits)]
    if test.hypothesis_explicit_examples and not effort.is_soak():
        # Draws that are the same in each run are a soak's, but for routes that have nothing else.
        used = getattr(test, SETTINGS_ATTRIBUTE_NAME)
        setattr(test, SETTINGS_ATTRIBUTE_NAME, settings(used, phases=[Phase.explicit]))
    test()


def _not_meant(case: Any) -> list[Any]:
    """Name the checks that ask for something else than is promised here."""
    if "cursor" in (case.query or {}):
        return [positive_data_acceptance]  # a schema cannot say which cursors a list gave
    if "since" in (case.query or {}):
        return [positive_data_acceptance]  # nor that it goes with another parameter only
    if case.method == "DELETE" and case.operation.path.endswith("/{review_id}"):
        return [positive_data_acceptance]  # nor the title that has to be repeated
    if isinstance(case.body, dict) and case.body.get("made_at") is not None:
        return [positive_data_acceptance]  # nor the server's clock
    if case.operation.path.endswith("/decision") and _is_of_full_text(case.body):
        return [positive_data_acceptance]  # nor which fields go together there
    if case.operation.path.endswith(("/users", "/me/password", "/setup", "/reset", "/acceptance")):
        return [positive_data_acceptance]  # nor which passwords are too common
    if case.operation.path.endswith(("/me", "/me/tokens")):
        return [positive_data_acceptance]  # nor how large an object is, nor which times are over
    if case.operation.path.endswith(("/webhooks", "/webhooks/{webhook_id}")):
        return [positive_data_acceptance]  # a schema cannot say where a name leads, nor which types
    if case.operation.path.endswith(("/synthesis/imports", "/synthesis/code-book")):
        return [positive_data_acceptance, negative_data_rejection]  # nor what is in a file
    if case.method == "POST" and case.operation.path.endswith("/texts"):
        return [positive_data_acceptance, negative_data_rejection]  # nor what is in a file
    if case.operation.path.endswith("/decisions"):
        return [negative_data_rejection]  # a bad item is reported in its place among the results
    if case.operation.path.endswith("/imports"):
        return [negative_data_rejection]  # in a form a number is a text like any other
    return []


def _is_of_full_text(body: Any) -> bool:
    return isinstance(body, dict) and bool(
        body.get("classification") or body.get("stage") == Stage.FULL_TEXT
    )
