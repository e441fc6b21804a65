"""Whatever the others vote, somebody who has not voted gets the same of every route of texts."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

import pdfs
from prepared import Prepared
from service.api.reports_with_texts import TITLES, Api, at_full_text, titled
from service.api.world_requests import EXEMPT
from tandem.config import Settings
from tandem.ids import RecordNumber
from tandem.reviews.policy import Stage
from tandem.screening.decisions import record_decision
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.rules import Verdict
from world import World

ROUTES = sorted(path for method, path in EXEMPT if "text" in path and method == "GET")


@pytest.fixture
def api(client: TestClient, world: World, settings: Settings, prepared: Prepared) -> Api:
    return Api(client, world, settings, prepared(at_full_text, world))


def seen(api: Api, ids: dict[str, str]) -> dict[str, Any]:
    """Return what Ann gets of every route that shows texts, as bytes and headers."""
    found = {}
    for path in ROUTES:
        filled = path.removeprefix("/reviews/{review_id}")
        for name, value in ids.items():
            filled = filled.replace(f"{{{name}}}", value)
        params = {"terms": "work"} if path.endswith("highlights") else {}
        answer = api.client.get(f"{api.review}{filled}", params=params, headers=api.team.ann.auth)
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        assert answer.status_code == 200, (path, answer.text)
        found[path] = (answer.content, headers)
    assert len(found) == 8
    return found


def test_votes_at_full_text_change_nothing_of_texts(api: Api) -> None:
    text = api.add(titled(1))
    batch = api.send({"b.pdf": titled(1, TITLES[1])})
    api.read()
    ids = {"report_id": "1", "text_id": text["id"], "batch_id": batch["id"], "page": "1"}
    before = seen(api, ids)

    for verdict, reasons in (("include", []), ("exclude", ["wrong setting"]), ("maybe", [])):
        for person in (api.team.ben, api.team.eve):
            with api.world.entered(api.team.review_id, person) as (session, review, viewer):
                record_decision(
                    session,
                    review=review,
                    viewer=viewer,
                    record_number=RecordNumber(1),
                    stage=Stage.FULL_TEXT,
                    given=DecisionInput(Verdict(verdict), reasons=reasons),
                )
            assert seen(api, ids) == before


def test_a_batch_does_not_tell_how_a_half_read_record_was_voted_on(api: Api) -> None:
    titles = [f"A record that only one of two people has read so far, {n}" for n in ("a", "b")]
    numbers = api.world.records(
        api.team.review_id, api.team.owner, texts=[(title, "") for title in titles]
    )
    for number, verdict in zip(numbers, ("include", "exclude"), strict=True):
        api.world.decide(api.team.review_id, api.team.ben, number, verdict)

    sent = api.send({f"{n}.pdf": pdfs.pdf([title]) for n, title in zip("xy", titles, strict=True)})
    api.read()
    one, other = api.get(f"/text-batches/{sent['id']}")["items"]

    assert [one["state"], one["candidates"][0]["is_report"]] == ["unmatched", False]
    assert [other["state"], other["candidates"][0]["is_report"]] == ["unmatched", False]
    refused = [api.settle(sent, at, number, 409) for at, number in enumerate(numbers, start=1)]
    assert {answer["code"] for answer in refused} == {"not_at_this_stage"}
