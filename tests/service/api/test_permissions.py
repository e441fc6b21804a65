"""Who may do what: every route of the OpenAPI document, asked by every kind of caller."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from application import document_of_the_api
from service.api.scene import API, METHODS, Scene, build
from service.filled import filled
from tandem.accounts import service as accounts
from whole_answers import Answer, Request, ask_all
from world import World

ROLES = ("owner", "adjudicator", "reviewer", "observer", "stranger", "admin", "nobody")
R = f"{API}/reviews/{{review_id}}"


def allowed(least: str, answer: int) -> dict[str, int]:
    """Expect `answer` for members from `least` upwards, 403 below, 404 for everybody else.

    To administer the installation gives no right in a review.
    """
    order = ("observer", "reviewer", "adjudicator", "owner")
    may = order[order.index(least) :]
    members = {role: answer if role in may else 403 for role in order}
    return members | {"stranger": 404, "admin": 404, "nobody": 401}


def signed_in(answer: int) -> dict[str, int]:
    return dict.fromkeys(ROLES, answer) | {"nobody": 401}


def everybody(answer: int) -> dict[str, int]:
    return dict.fromkeys(ROLES, answer)


ADMINS = dict.fromkeys(ROLES, 403) | {"nobody": 401}

EXPECTED: dict[tuple[str, str], dict[str, int]] = {
    ("POST", f"{API}/auth/login"): everybody(401),
    ("POST", f"{API}/auth/logout"): everybody(204),
    # The world has accounts, and the token is of no link.
    # All guess from one place: the owner comes last, after five.
    ("POST", f"{API}/auth/reset"): everybody(403) | {"adjudicator": 429, "owner": 429},
    ("GET", f"{API}/setup"): everybody(200),
    ("POST", f"{API}/setup"): everybody(409),
    ("GET", f"{API}/me"): signed_in(200),
    ("PATCH", f"{API}/me"): signed_in(200),
    # All are signed in by tokens: nobody has a password to change, nor a session.
    ("PUT", f"{API}/me/password"): signed_in(403),
    ("GET", f"{API}/me/sessions"): signed_in(200),
    ("DELETE", f"{API}/me/sessions"): signed_in(204),
    # The session is the owner's; for all others there is none.
    ("GET", f"{API}/me/sessions/{{session_id}}"): signed_in(404) | {"owner": 200},
    ("DELETE", f"{API}/me/sessions/{{session_id}}"): signed_in(404) | {"owner": 204},
    ("GET", f"{API}/me/tokens"): signed_in(200),
    ("POST", f"{API}/me/tokens"): signed_in(201),
    # The token is the owner's; for all others there is none.
    ("DELETE", f"{API}/me/tokens/{{token_id}}"): signed_in(404) | {"owner": 204},
    ("GET", f"{API}/users"): ADMINS | {"admin": 200},
    ("POST", f"{API}/users"): ADMINS | {"admin": 201},
    ("PATCH", f"{API}/users/{{user_id}}"): ADMINS | {"admin": 200},
    ("POST", f"{API}/users/{{user_id}}/reset"): ADMINS | {"admin": 201},
    ("GET", f"{API}/reviews"): signed_in(200),
    ("POST", f"{API}/reviews"): signed_in(201),
    ("GET", R): allowed("observer", 200),
    ("PATCH", R): allowed("owner", 200),
    ("DELETE", R): allowed("owner", 204),
    ("GET", f"{R}/waiting"): allowed("observer", 200),
    ("POST", f"{R}/archive"): allowed("owner", 200),
    ("POST", f"{R}/unarchive"): allowed("owner", 200),
    ("GET", f"{R}/members"): allowed("observer", 200),
    ("PUT", f"{R}/members/{{user_id}}"): allowed("owner", 200),
    ("DELETE", f"{R}/members/{{user_id}}"): allowed("owner", 204),
    ("PATCH", f"{R}/members/{{user_id}}"): allowed("owner", 200),
    ("GET", f"{R}/invitations"): allowed("owner", 200),
    ("POST", f"{R}/invitations"): allowed("owner", 201),
    ("DELETE", f"{R}/invitations/{{invitation_id}}"): allowed("owner", 204),
    ("GET", f"{API}/invitations/{{token}}"): everybody(200),
    # Good once, and the administrator comes first of those who are signed in.
    ("POST", f"{API}/invitations/{{token}}/acceptance"): signed_in(404) | {"admin": 200},
    ("GET", f"{R}/pilot"): allowed("observer", 200),
    ("POST", f"{R}/pilot"): allowed("owner", 201),
    # None runs: those who may end one get a conflict.
    ("POST", f"{R}/pilot/end"): allowed("owner", 409),
    ("GET", f"{R}/interests"): allowed("observer", 200),
    ("PUT", f"{R}/records/{{record_id}}/interest"): allowed("reviewer", 200),
    ("GET", f"{R}/imports"): allowed("observer", 200),
    ("POST", f"{R}/imports"): allowed("owner", 202),
    ("GET", f"{R}/imports/{{import_id}}"): allowed("observer", 200),
    # Three of its records are decided: those who may take it back get a conflict.
    ("DELETE", f"{R}/imports/{{import_id}}"): allowed("owner", 409),
    ("GET", f"{R}/records"): allowed("observer", 200),
    ("GET", f"{R}/records/{{record_id}}"): allowed("observer", 200),
    ("PATCH", f"{R}/records/{{record_id}}"): allowed("owner", 200),
    # Nobody has decided record 4: who may confirm finds nothing to confirm.
    ("POST", f"{R}/records/{{record_id}}/decision/confirm"): allowed("reviewer", 404),
    ("GET", f"{R}/criteria"): allowed("observer", 200),
    ("GET", f"{R}/criteria/affected"): allowed("observer", 200),
    ("GET", f"{R}/criteria/affected/reviewers"): allowed("adjudicator", 200),
    ("GET", f"{R}/exclusion-reasons"): allowed("adjudicator", 200),
    ("GET", f"{R}/labels"): allowed("observer", 200),
    ("GET", f"{R}/records/{{record_id}}/history"): allowed("observer", 200),
    ("PUT", f"{R}/records/{{record_id}}/decision"): allowed("reviewer", 200),
    # Nobody has decided record 4: who may withdraw finds nothing to withdraw.
    ("DELETE", f"{R}/records/{{record_id}}/decision"): allowed("reviewer", 404),
    ("POST", f"{R}/decisions"): allowed("reviewer", 207),
    ("GET", f"{R}/reports"): allowed("observer", 200),
    ("GET", f"{R}/reports/{{report_id}}"): allowed("observer", 200),
    ("POST", f"{R}/reports/{{report_id}}/retrieval"): allowed("reviewer", 200),
    ("GET", f"{R}/reports/{{report_id}}/texts"): allowed("observer", 200),
    ("POST", f"{R}/reports/{{report_id}}/texts"): allowed("reviewer", 202),
    ("GET", f"{R}/texts/{{text_id}}"): allowed("observer", 200),
    # The owner has added it.
    ("DELETE", f"{R}/texts/{{text_id}}"): allowed("owner", 204),
    # It could not be read: those who may have it get a conflict.
    ("GET", f"{R}/texts/{{text_id}}/file"): allowed("observer", 409),
    ("GET", f"{R}/texts/{{text_id}}/plain"): allowed("observer", 409),
    ("GET", f"{R}/texts/{{text_id}}/pages/{{page}}.png"): allowed("observer", 409),
    ("GET", f"{R}/texts/{{text_id}}/highlights"): allowed("observer", 409),
    ("POST", f"{R}/texts"): allowed("reviewer", 202),
    ("GET", f"{R}/text-batches"): allowed("observer", 200),
    ("GET", f"{R}/text-batches/{{batch_id}}"): allowed("observer", 200),
    # Its file was refused.
    ("POST", f"{R}/text-batches/{{batch_id}}/items/{{position}}"): allowed("reviewer", 409),
    ("POST", f"{R}/queue"): allowed("reviewer", 200),
    ("DELETE", f"{R}/queue/{{record_id}}"): allowed("reviewer", 204),
    ("POST", f"{R}/imports/{{import_id}}/prior-decisions"): allowed("owner", 200),
    ("GET", f"{R}/duplicates"): allowed("observer", 200),
    ("GET", f"{R}/duplicates/{{duplicate_id}}"): allowed("observer", 200),
    ("POST", f"{R}/duplicates/{{duplicate_id}}/merge"): allowed("adjudicator", 200),
    ("POST", f"{R}/duplicates/{{duplicate_id}}/keep"): allowed("adjudicator", 200),
    # It is proposed only: who may split finds nothing that is linked.
    ("POST", f"{R}/duplicates/{{duplicate_id}}/split"): allowed("adjudicator", 409),
    ("GET", f"{R}/conflicts"): allowed("observer", 200),
    # A blinded reviewer, also one whose vote is in it, cannot tell that there is a conflict.
    ("GET", f"{R}/conflicts/{{conflict_id}}"): allowed("adjudicator", 200)
    | {"reviewer": 404, "observer": 404},
    ("POST", f"{R}/conflicts/{{conflict_id}}/resolution"): allowed("adjudicator", 200),
    # It is open: who may open it again finds no resolution to take back.
    ("POST", f"{R}/conflicts/{{conflict_id}}/reopen"): allowed("adjudicator", 409),
    # Those who know of it have no vote in it, and who has one knows nothing of it.
    ("POST", f"{R}/conflicts/{{conflict_id}}/vote"): allowed("adjudicator", 403)
    | {"reviewer": 404, "observer": 404},
    ("GET", f"{R}/conflicts/{{conflict_id}}/messages"): allowed("adjudicator", 200)
    | {"reviewer": 404, "observer": 404},
    ("POST", f"{R}/conflicts/{{conflict_id}}/messages"): allowed("adjudicator", 201)
    | {"reviewer": 404, "observer": 404},
    ("GET", f"{R}/disagreements"): allowed("adjudicator", 200),
    ("GET", f"{R}/progress"): allowed("observer", 200),
    # The reviewers and the observer are blinded.
    ("GET", f"{R}/agreement"): allowed("adjudicator", 200),
    ("GET", f"{R}/plots/agreement.svg"): allowed("adjudicator", 200),
    # To the blinded they show their own.
    ("GET", f"{R}/plots/recall.svg"): allowed("observer", 200),
    ("GET", f"{R}/plots/progress.svg"): allowed("observer", 200),
    ("GET", f"{R}/second-looks"): allowed("adjudicator", 200),
    ("POST", f"{R}/second-looks"): allowed("adjudicator", 202),
    # Eve's, for herself and the owner.
    ("GET", f"{R}/reviewers/{{user_id}}/record"): allowed("owner", 200),
    ("GET", f"{R}/rankings"): allowed("observer", 200),
    ("POST", f"{R}/rankings"): allowed("reviewer", 202),
    ("GET", f"{R}/rankings/{{ranking_id}}"): allowed("observer", 200),
    ("GET", f"{R}/events"): allowed("observer", 200),
    ("GET", f"{R}/export"): allowed("observer", 200),
    ("POST", f"{R}/webhooks"): allowed("owner", 201),
    ("GET", f"{R}/stopping"): allowed("observer", 200),
    ("GET", f"{R}/plots/stopping.svg"): allowed("adjudicator", 200),
    ("GET", f"{R}/audits"): allowed("observer", 200),
    # There is one already.
    ("POST", f"{R}/audits"): allowed("owner", 409),
    ("GET", f"{R}/audits/{{audit_id}}"): allowed("adjudicator", 200),
    ("PATCH", f"{R}/audits/{{audit_id}}"): allowed("owner", 200),
    ("POST", f"{R}/audits/{{audit_id}}/reframe"): allowed("owner", 201),
    ("GET", f"{R}/audits/{{audit_id}}/draws"): allowed("adjudicator", 200),
    # It has none yet.
    ("GET", f"{R}/audits/{{audit_id}}/certificate"): allowed("adjudicator", 404),
    ("GET", f"{R}/audits/{{audit_id}}/certificate.json"): allowed("adjudicator", 404),
    ("GET", f"{R}/audits/{{audit_id}}/certificate.md"): allowed("adjudicator", 404),
    # The reviewers and the observer are blinded.
    **{
        ("GET", f"{R}/prisma{ending}"): allowed("adjudicator", 200)
        for ending in ("", ".json", ".svg", ".png", ".csv", "/boxes/{key}")
    },
    ("GET", f"{R}/handover"): allowed("adjudicator", 200),
    ("GET", f"{R}/methods-report"): allowed("adjudicator", 200),
    ("GET", f"{R}/synthesis/imports"): allowed("adjudicator", 200),
    # No project came back: those who may see one, or take one back, get a 404.
    ("GET", f"{R}/synthesis/imports/{{synthesis_import_id}}"): allowed("adjudicator", 404),
    ("GET", f"{R}/synthesis/imports/{{synthesis_import_id}}/passages"): allowed("adjudicator", 404),
    ("DELETE", f"{R}/synthesis/imports/{{synthesis_import_id}}"): allowed("owner", 404),
    # It is no project: those who may send one get a 422.
    ("POST", f"{R}/synthesis/imports"): allowed("owner", 422),
    ("GET", f"{R}/synthesis/codes"): allowed("adjudicator", 200),
    ("PATCH", f"{R}/synthesis/codes/{{code_id}}"): allowed("owner", 404),
    ("PUT", f"{R}/synthesis/code-book"): allowed("owner", 204),
    ("GET", f"{R}/synthesis/matrix"): allowed("adjudicator", 200),
    ("GET", f"{R}/synthesis/agreement"): allowed("adjudicator", 200),
    ("PATCH", f"{R}/imports/{{import_id}}"): allowed("owner", 200),
    ("PUT", f"{R}/records/{{record_id}}/removal"): allowed("owner", 200),
    # It is not removed: those who may restore it get a 404.
    ("DELETE", f"{R}/records/{{record_id}}/removal"): allowed("owner", 404),
    ("GET", f"{R}/waves"): allowed("observer", 200),
    ("POST", f"{R}/waves"): allowed("owner", 201),
    ("GET", f"{R}/studies"): allowed("observer", 200),
    ("POST", f"{R}/studies"): allowed("reviewer", 201),
    ("POST", f"{R}/separate-reports"): allowed("reviewer", 204),
    ("PATCH", f"{R}/studies/{{study_id}}"): allowed("reviewer", 200),
    # The first who may part it has done so: for all others it is gone.
    ("DELETE", f"{R}/studies/{{study_id}}"): allowed("reviewer", 404) | {"reviewer": 204},
    ("PUT", f"{R}/studies/{{study_id}}/reports/{{report_id}}"): allowed("reviewer", 200),
    # The study has no other report, so it is gone with the first.
    ("DELETE", f"{R}/studies/{{study_id}}/reports/{{report_id}}"): allowed("reviewer", 404)
    | {"reviewer": 204},
    ("PUT", f"{R}/studies/{{study_id}}/sampling"): allowed("adjudicator", 200),
    ("GET", f"{R}/reports/{{report_id}}/ratings"): allowed("observer", 200),
    ("PUT", f"{R}/reports/{{report_id}}/ratings"): allowed("reviewer", 200),
    ("GET", f"{R}/near-misses"): allowed("adjudicator", 200),
    # It is not excluded: those who may list it get a 404.
    ("PUT", f"{R}/reports/{{report_id}}/near-miss"): allowed("owner", 404),
    ("GET", f"{R}/webhooks"): allowed("owner", 200),
    ("GET", f"{R}/webhooks/{{webhook_id}}"): allowed("owner", 200),
    ("PATCH", f"{R}/webhooks/{{webhook_id}}"): allowed("owner", 200),
    ("DELETE", f"{R}/webhooks/{{webhook_id}}"): allowed("owner", 204),
    ("POST", f"{R}/webhooks/{{webhook_id}}/secret"): allowed("owner", 200),
    ("POST", f"{R}/webhooks/{{webhook_id}}/test"): allowed("owner", 202),
    ("GET", f"{R}/webhooks/{{webhook_id}}/deliveries"): allowed("owner", 200),
    ("POST", f"{R}/webhooks/{{webhook_id}}/deliveries/{{delivery_id}}/redeliver"): allowed(
        "owner", 202
    ),
    ("GET", f"{API}/jobs"): ADMINS | {"admin": 200},
    # It waits for a worker: only what failed is tried again.
    ("POST", f"{API}/jobs/{{job_id}}/retry"): ADMINS | {"admin": 409},
    ("GET", "/metrics"): everybody(200),
    ("GET", "/healthz"): everybody(200),
    ("GET", "/readyz"): everybody(200),
}

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", f"{R}/studies"): {"json": {"reports": ["2"]}},
    ("POST", f"{R}/separate-reports"): {"json": {"reports": ["2", "2"]}},
    ("PATCH", f"{R}/studies/{{study_id}}"): {"json": {"label": "Okafor 2012"}},
    ("PUT", f"{R}/studies/{{study_id}}/sampling"): {"json": {"sampled": False}},
    ("PUT", f"{R}/reports/{{report_id}}/ratings"): {"json": {"richness": 4}},
    ("PUT", f"{R}/reports/{{report_id}}/near-miss"): {"json": {"listed": True}},
    ("PUT", f"{R}/records/{{record_id}}/removal"): {
        "json": {"kind": "other", "reason": "No abstract"}
    },
    ("POST", f"{R}/synthesis/imports"): {"files": {"file": ("a.qdpx", b"PK")}},
    ("PUT", f"{R}/synthesis/code-book"): {"files": {"file": ("a.txt", b"Trust\n")}},
    ("PATCH", f"{R}/synthesis/codes/{{code_id}}"): {"json": {"kind": "theme"}},
    ("POST", f"{R}/waves"): {"json": {"label": "Update", "reason": "update"}},
    ("PATCH", f"{R}/imports/{{import_id}}"): {"json": {"source": "Scopus"}},
    ("POST", f"{API}/auth/login"): {"json": {"email": "x@example.org", "password": "wrong"}},
    ("POST", f"{API}/auth/reset"): {"json": {"token": "guessed", "password": "staple orbit"}},
    ("POST", f"{API}/setup"): {
        "json": {"token": "x", "name": "X", "email": "x@example.org", "password": "staple orbit"}
    },
    ("PATCH", f"{API}/me"): {"json": {"name": "Somebody"}},
    ("PUT", f"{API}/me/password"): {"json": {"current": "wrong", "new": "staple orbit"}},
    ("PATCH", f"{API}/users/{{user_id}}"): {"json": {"name": "Eve Stone"}},
    ("POST", f"{API}/me/tokens"): {"json": {"name": "another"}},
    ("POST", f"{API}/users"): {"json": {"email": "new@example.org", "name": "New"}},
    ("POST", f"{API}/reviews"): {"json": {"title": "Mine"}},
    ("PATCH", R): {"json": {"title": "Renamed"}},
    ("DELETE", R): {"json": {"title": "A review"}},
    ("PUT", f"{R}/members/{{user_id}}"): {"json": {"role": "observer"}},
    ("PATCH", f"{R}/members/{{user_id}}"): {"json": {"paused": True}},
    ("POST", f"{R}/invitations"): {"json": {"role": "reviewer"}},
    ("POST", f"{R}/pilot"): {"json": {"size": 2}},
    ("PUT", f"{R}/records/{{record_id}}/interest"): {"json": {"has_interest": True}},
    ("GET", f"{R}/export"): {"params": {"format": "ris"}},
    ("GET", f"{R}/handover"): {"params": {"format": "qdpx"}},
    ("GET", f"{R}/methods-report"): {"params": {"format": "docx"}},
    ("POST", f"{R}/imports"): {"files": {"file": ("a.ris", b"TY  - JOUR\nTI  - T\nER  - \n")}},
    ("PUT", f"{R}/records/{{record_id}}/decision"): {"json": {"verdict": "include"}},
    ("PATCH", f"{R}/records/{{record_id}}"): {"json": {"year": 2001}},
    ("POST", f"{R}/decisions"): {"json": {"items": []}},
    ("POST", f"{R}/queue"): {"json": {}},
    ("POST", f"{R}/reports/{{report_id}}/retrieval"): {"json": {"state": "sought"}},
    ("POST", f"{R}/reports/{{report_id}}/texts"): {"files": {"file": ("a.pdf", b"%PDF-1.7")}},
    ("GET", f"{R}/texts/{{text_id}}/highlights"): {"params": {"terms": "work"}},
    ("POST", f"{R}/texts"): {"files": {"files": ("a.pdf", b"%PDF-1.7")}},
    ("POST", f"{R}/text-batches/{{batch_id}}/items/{{position}}"): {"json": {"record_id": "2"}},
    ("POST", f"{R}/audits"): {
        "json": {"stage": "title_abstract", "target_recall": 0.9, "confidence": 0.9}
    },
    ("PATCH", f"{R}/audits/{{audit_id}}"): {"json": {"serving": "draws_only"}},
    ("POST", f"{R}/webhooks"): {"json": {"url": "https://9.9.9.9/another"}},
    ("PATCH", f"{R}/webhooks/{{webhook_id}}"): {"json": {"description": "Another one"}},
    ("POST", f"{R}/conflicts/{{conflict_id}}/resolution"): {"json": {"verdict": "include"}},
    ("POST", f"{R}/conflicts/{{conflict_id}}/reopen"): {"json": {"note": "We disagree."}},
    ("POST", f"{R}/conflicts/{{conflict_id}}/vote"): {"json": {"verdict": "include"}},
    ("POST", f"{R}/conflicts/{{conflict_id}}/messages"): {"json": {"text": "Who is right?"}},
}

ROUTES = list(EXPECTED)
"""Method and path of every route: `test_every_route_is_listed` compares them with the document."""


@pytest.fixture(scope="module")
def built(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scene]:
    """A database with the scene in it, which each test gets a copy of."""
    return filled(migrated_sqlite, tmp_path_factory.mktemp("scene"), build)


@pytest.fixture
def database_url(built: tuple[Path, Scene], tmp_path: Path) -> str:
    shutil.copy(built[0], tmp_path / "tandem.sqlite3")
    return f"sqlite:///{tmp_path}/tandem.sqlite3"


@pytest.fixture
def scene(built: tuple[Path, Scene]) -> Scene:
    return built[1]


def headers(scene: Scene, role: str) -> dict[str, str]:
    team = scene.team
    people = {
        "owner": team.owner,
        "adjudicator": team.judge,
        # Ann's own vote is in the conflict.
        "reviewer": team.ann,
        "observer": team.observer,
        "stranger": scene.stranger,
        "admin": scene.admin,
    }
    return people[role].auth if role in people else {}


def ask(
    client: TestClient, method: str, path: str, headers: dict[str, str], said: dict[str, Any]
) -> Answer:
    """Ask without the work of a client, thousands of times, except for what it has to encode."""
    if "files" in said:
        answer = client.request(method, path, headers=headers, **said)
        return Answer(answer.status_code, answer.headers.multi_items(), answer.content)
    url = f"{path}?{urlencode(said['params'])}" if "params" in said else path
    (only,) = ask_all(client, [Request(method, url, headers, said.get("json"))])
    return only


def test_every_route_is_listed() -> None:
    documented = {
        (method.upper(), path)
        for path, operations in document_of_the_api()["paths"].items()
        for method in operations
        if method in METHODS
    }
    missing = documented - set(EXPECTED)
    assert not missing, f"Say in EXPECTED who may call {sorted(missing)}."
    assert not set(EXPECTED) - documented


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda value: str(value))
def test_who_may(method: str, path: str, scene: Scene, client: TestClient) -> None:
    # The mighty last: what they change would change the others' answers.
    answers = {}
    for role in reversed(ROLES):
        said = _once(BODIES.get((method, path), {}), role)
        answer = ask(client, method, scene.path(path), headers(scene, role), said)
        if answer.status >= 400:
            assert dict(answer.headers)["content-type"] == "application/problem+json"
        if answer.status == 404 and role in ("stranger", "admin"):
            _assert_same_as_nowhere(client, method, path, scene, role, json.loads(answer.body))
        answers[role] = answer.status

    expected = dict(EXPECTED[method, path])
    if path.endswith("/resolution"):
        # The adjudicator settled it before the owner came.
        expected["owner"] = 409
    if path.endswith("/members/{user_id}") and method == "DELETE":
        assert answers.pop("owner") == 204
        expected.pop("owner")
    assert answers == expected


def _once(said: dict[str, Any], role: str) -> dict[str, Any]:
    """Give everybody a body of their own where two of the same would collide."""
    if "email" in said.get("json", {}):
        return {"json": said["json"] | {"email": f"{role}@example.org"}}
    return said


def _assert_same_as_nowhere(
    client: TestClient, method: str, path: str, scene: Scene, role: str, found: dict[str, Any]
) -> None:
    """Nobody can tell a review that is not theirs from one that is not there."""
    if "{review_id}" not in path:
        return
    nowhere = "00000000-0000-4000-8000-000000000000"
    said = BODIES.get((method, path), {})
    other = ask(client, method, scene.path(path, review_id=nowhere), headers(scene, role), said)
    assert other.status == 404
    there, not_there = found["detail"], json.loads(other.body)["detail"]
    assert there.replace(scene.ids["review_id"], nowhere) == not_there


def test_a_session_in_a_browser_has_the_rights_of_its_person(
    scene: Scene, client: TestClient, world: World
) -> None:
    with world.database.write.begin() as session:
        made = accounts.sign_in(session, user_id=scene.team.observer.id, lasting=timedelta(hours=1))
    client.cookies.set("tandem_session", made.secret)

    assert client.get(scene.review).status_code == 200
    assert client.post(f"{scene.review}/queue", json={}).status_code == 403


@pytest.mark.parametrize(
    "kind",
    [
        *("conflict_id", "duplicate_id", "import_id", "ranking_id", "record_id", "report_id"),
        *("webhook_id", "delivery_id", "text_id", "batch_id"),
    ],
)
@pytest.mark.parametrize("unknown", ["00000000-0000-4000-8000-000000000000", "none", "7" * 5000])
def test_unknown_ids_are_not_found(
    kind: str, unknown: str, scene: Scene, client: TestClient
) -> None:
    routes = [route for route in ROUTES if f"{{{kind}}}" in route[1]]
    assert routes
    for method, path in routes:
        said, owner = BODIES.get((method, path), {}), scene.team.owner
        answer = ask(client, method, scene.path(path, **{kind: unknown}), owner.auth, said)
        code = json.loads(answer.body)["code"]
        assert (answer.status, code) == (404, "not_found"), (method, path)


def test_things_of_another_review_are_not_found_in_mine(scene: Scene, client: TestClient) -> None:
    listed = client.get(f"{API}/reviews", headers=scene.stranger.auth).json()["items"]
    theirs = listed[0]["id"]
    for method, path in ROUTES:
        if "{review_id}" not in path or path.endswith(("{user_id}", "{review_id}", "{key}")):
            continue
        if path.count("{") < 2:
            continue
        said, auth = BODIES.get((method, path), {}), scene.stranger.auth
        answer = ask(client, method, scene.path(path, review_id=theirs), auth, said)
        assert answer.status == 404, (method, path)
