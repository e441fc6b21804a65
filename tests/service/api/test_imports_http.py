"""Files over HTTP: taken, refused, or failed with a reason; never half of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from application import application
from service.api.pages_of import pages_of
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.ids import ImportId
from tandem.records import importing, imports
from tandem.records.models import Import
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening.duplicates import deduplication
from world import Team, World

RIS = (
    b"TY  - JOUR\nTI  - First title\nAB  - An abstract.\nDO  - 10.1000/a\nER  - \n"
    b"TY  - JOUR\nTI  - Second title\nER  - \n"
    b"TY  - JOUR\nTI  - First title\nDO  - 10.1000/a\nER  - \n"
)
CUT_OFF = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="f.ris"\r\n\r\n' + RIS
BOUNDARY = {"Content-Type": "multipart/form-data; boundary=cut"}


@pytest.fixture
def team(world: World) -> Team:
    made = world.team(n_records=0)
    with world.database.write.begin() as session:
        session.execute(delete(Import))  # the world's own, which brought no records
    return made


@pytest.fixture
def path(team: Team) -> str:
    return f"/api/v1/reviews/{team.review_id}/imports"


@pytest.fixture
def small(settings: Settings) -> Iterator[TestClient]:
    """Yield an installation that takes 1 MiB at most."""
    tiny = settings.model_copy(update={"max_upload_mb": 1, "max_body_mb": 1})
    with TestClient(application(tiny), raise_server_exceptions=False) as client:
        yield client


def read(world: World, settings: Settings, accepted: dict[str, Any]) -> None:
    """Do what the worker does with an accepted file."""
    store = Artifacts(settings.resolved_artifact_url())
    importing.run(world.database, store, ImportId(UUID(accepted["id"])), link=deduplication.run)


def stored_files(settings: Settings) -> list[Path]:
    folder = Path(settings.resolved_artifact_url())
    return [file for file in folder.rglob("*") if file.is_file()]


def nothing_was_written(client: TestClient, team: Team, path: str, settings: Settings) -> bool:
    listed = client.get(path, headers=team.owner.auth).json()["items"]
    return not listed and not stored_files(settings)


def test_who_is_owner_no_more_when_the_file_is_stored_imports_nothing(
    client: TestClient, team: Team, path: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = imports.store_upload

    def store_and_demote(*given: Any, **named: Any) -> imports.Upload:
        with world.entered(team.review_id, team.owner) as (session, review, _):
            for person, role in ((team.judge, Role.OWNER), (team.owner, Role.REVIEWER)):
                reviews.set_member(session, review, user_id=person.id, role=role)
        return store(*given, **named)

    monkeypatch.setattr(imports, "store_upload", store_and_demote)
    refused = client.post(path, files={"file": ("out.ris", RIS)}, headers=team.owner.auth)
    assert refused.status_code == 403
    assert client.get(path, headers=team.judge.auth).json()["items"] == []


def test_a_file_is_taken_and_read(
    client: TestClient, team: Team, path: str, world: World, settings: Settings
) -> None:
    answer = client.post(
        path,
        files={"file": ("out.ris", RIS)},
        data={"source": " Medline "},
        headers=team.owner.auth,
    )

    assert answer.status_code == 202
    taken = answer.json()
    assert (taken["state"], taken["source"], taken["filename"]) == ("queued", "Medline", "out.ris")
    assert (taken["n_read"], taken["n_total"], taken["error"]) == (0, None, None)
    read(world, settings, taken)
    done = client.get(f"{path}/{taken['id']}", headers=team.ann.auth).json()
    assert (done["state"], done["format"]) == ("done", "ris")
    assert [done[f"n_{part}"] for part in ("total", "read", "added", "duplicates", "rejected")] == [
        3,
        3,
        2,
        1,
        0,
    ]
    assert client.get(path, headers=team.ann.auth).json() == {"items": [done], "next_cursor": None}


def test_a_file_that_breaks_off_says_so(
    client: TestClient, team: Team, path: str, world: World, settings: Settings
) -> None:
    cut = RIS[: RIS.rindex(b"ER")]
    answer = client.post(path, files={"file": ("cut.ris", cut)}, headers=team.owner.auth)

    assert answer.json()["warnings"] == []
    read(world, settings, answer.json())
    done = client.get(f"{path}/{answer.json()['id']}", headers=team.ann.auth).json()
    (warning,) = done["warnings"]
    assert (done["n_read"], done["n_rejected"], warning["code"]) == (3, 0, "breaks_off")
    assert "inside its last record" in warning["detail"]


def test_the_very_same_file_under_another_name_says_when_it_came(
    client: TestClient, team: Team, path: str, world: World, settings: Settings
) -> None:
    def sent(name: str, content: bytes) -> dict[str, Any]:
        files = {"file": (name, content)}
        taken: dict[str, Any] = client.post(path, files=files, headers=team.owner.auth).json()
        return taken

    first, other = sent("medline.ris", RIS), sent("medline.ris", RIS + b"\n")
    again = sent("medline (1).ris", RIS)

    assert first["warnings"] == other["warnings"] == []
    assert [warning["code"] for warning in again["warnings"]] == ["same_file"]
    assert "as “medline.ris”" in again["warnings"][0]["detail"]
    read(world, settings, again)
    read(world, settings, first)
    taken_back = client.delete(f"{path}/{first['id']}", headers=team.owner.auth)
    assert taken_back.status_code == 200, taken_back.text
    left = client.get(f"{path}/{again['id']}", headers=team.ann.auth).json()
    assert left["warnings"] == []
    assert "medline (1).ris" in sent("medline (2).ris", RIS)["warnings"][0]["detail"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b" \n\n", "The file is empty."),
        (b"\x00\x01\x02\xff" * 500, "This file looks like binary data: export the records as RIS"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"PK\x03\x04 xl/worksheets", "an Excel workbook"),
        (b"Dear colleague, here are my records.", "begins with 'Dear colleague"),
        (b"title,abstract\n", "no record in it"),
    ],
    ids=["blank", "binary", "pdf", "excel", "prose", "header only"],
)
def test_what_cannot_be_read_fails_and_says_why(
    content: bytes,
    reason: str,
    client: TestClient,
    team: Team,
    path: str,
    world: World,
    settings: Settings,
) -> None:
    taken = client.post(path, files={"file": ("f", content)}, headers=team.owner.auth).json()
    read(world, settings, taken)

    failed = client.get(f"{path}/{taken['id']}", headers=team.owner.auth).json()
    assert failed["state"] == "failed"
    assert reason in failed["error"]
    records = client.get(path.replace("imports", "records"), headers=team.owner.auth).json()
    assert records["items"] == []
    listed = client.get(path.replace("imports", "events"), headers=team.owner.auth).json()
    assert listed["items"][-1]["type"] == "tandem.import.failed"


def test_an_empty_file_is_an_import_that_failed(
    client: TestClient, team: Team, path: str, world: World, settings: Settings
) -> None:
    answer = client.post(path, files={"file": ("empty.ris", b"")}, headers=team.owner.auth)

    assert answer.status_code == 202
    read(world, settings, answer.json())
    failed = client.get(path, headers=team.owner.auth).json()["items"][0]
    assert (failed["state"], failed["error"]) == ("failed", "The file is empty.")


def test_a_format_that_the_file_is_not_in_fails(
    client: TestClient, team: Team, path: str, world: World, settings: Settings
) -> None:
    answer = client.post(
        path, files={"file": ("f", RIS)}, data={"format": "nbib"}, headers=team.owner.auth
    )
    read(world, settings, answer.json())

    failed = client.get(path, headers=team.owner.auth).json()["items"][0]
    assert failed["state"] == "failed"
    assert failed["error"].startswith("This file looks like RIS (")
    assert "leave `format` out" in failed["error"]
    assert "Found no MEDLINE" in failed["error"]


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown format": ({"files": {"file": ("f", RIS)}, "data": {"format": "docx"}}, "format"),
    "no file": ({"files": {"document": ("f", RIS)}}, "file"),
    "a file that is none": ({"files": {"file": (None, "text")}}, "file"),
    "a form without files": ({"data": {"file": "text"}}, "file"),
    "json": ({"json": {"file": "text"}}, "file"),
    "nothing": ({}, "file"),
    "a source with NUL": ({"files": {"file": ("f", RIS), "source": (None, b"a\x00")}}, "source"),
    "a long source": ({"files": {"file": ("f", RIS), "source": (None, b"a" * 501)}}, "source"),
    "no boundary": ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, "body"),
    "junk": ({"content": b"\xff\x00junk", "headers": BOUNDARY}, "body"),
    "cut off": ({"content": CUT_OFF}, "file"),
    "too many files": ({"files": [("file", ("f", b"x"))] * 1001}, "body"),
}


# Of a form that is cut off Starlette leaves the part's temporary file to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("sent", "field"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_upload_names_its_field_and_leaves_nothing(
    sent: dict[str, Any],
    field: str,
    client: TestClient,
    team: Team,
    path: str,
    settings: Settings,
) -> None:
    headers = sent.get("headers", BOUNDARY if "content" in sent else {})
    answer = client.post(path, **sent | {"headers": headers | team.owner.auth})

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert nothing_was_written(client, team, path, settings)


def too_large(size: int) -> Iterator[bytes]:
    """Yield a form in parts, so that no Content-Length tells its size."""
    yield b'--cut\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    for _ in range(size // 65536):
        yield b"x" * 65536
    yield b"\r\n--cut--\r\n"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_file_that_is_too_large_is_refused(
    streamed: bool, small: TestClient, team: Team, path: str, settings: Settings
) -> None:
    sent: dict[str, Any] = (
        {"content": too_large(3 << 20), "headers": BOUNDARY | team.owner.auth}
        if streamed
        else {"files": {"file": ("f", b"x" * (3 << 20))}, "headers": team.owner.auth}
    )

    answer = small.post(path, **sent)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"
    assert "1 MiB" in answer.json()["detail"]
    assert nothing_was_written(small, team, path, settings)


@pytest.mark.parametrize("streamed", [False, True])
def test_any_other_body_that_is_too_large_is_refused(
    streamed: bool, small: TestClient, team: Team, path: str
) -> None:
    json = b'{"title": "' + b"x" * (2 << 20) + b'"}'

    answer = small.post(
        "/api/v1/reviews",
        content=iter([json[: 1 << 20], json[1 << 20 :]]) if streamed else json,
        headers={"Content-Type": "application/json"} | team.owner.auth,
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_length_of_thousands_of_digits_is_too_large(small: TestClient, team: Team) -> None:
    answer = small.post(
        "/api/v1/reviews",
        content=b"{}",
        headers={"Content-Type": "application/json", "Content-Length": "9" * 5000}
        | team.owner.auth,
    )

    assert answer.status_code == 413


def test_nobodys_body_is_not_read(client: TestClient, path: str, settings: Settings) -> None:
    read_parts = 0

    def parts() -> Iterator[bytes]:
        nonlocal read_parts
        for part in too_large(1 << 20):
            read_parts += 1
            yield part

    answer = client.post(path, content=parts(), headers=BOUNDARY)

    assert answer.status_code == 401
    assert read_parts == 0 or not stored_files(settings)


def test_a_file_is_taken_once_under_one_key(
    client: TestClient, team: Team, path: str, settings: Settings
) -> None:
    headers = team.owner.auth | {"Idempotency-Key": "one"}

    def send(content: bytes) -> Any:
        return client.post(path, files={"file": ("f.ris", content)}, headers=headers)

    first, again, other = send(RIS), send(RIS), send(RIS + b"\n")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert len(client.get(path, headers=team.owner.auth).json()["items"]) == 1
    assert len(stored_files(settings)) == 1


def test_imports_are_listed_in_pages_the_newest_first(
    client: TestClient, team: Team, path: str
) -> None:
    for name in "abc":
        client.post(path, files={"file": (name, RIS)}, headers=team.owner.auth)
    pages = pages_of(client, f"{path}?limit=2", team.owner)

    assert [item["filename"] for page in pages for item in page] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("named", "filename"),
    [
        ("filename*=UTF-8''%e6%96%87%e7%8c%ae%20%22a%22%3b%20b.ris", '文献 "a"; b.ris'),
        ("filename*=iso-8859-1'de'B%fccher.ris", "Bücher.ris"),
        ("FileName*=\"utf-8''out.ris\"", "out.ris"),
        ("filename*=UTF-8''", "unnamed"),
        ("filename*=UTF-8''a%0D%0AX-Odd%3A%20b%00.ris", "a  X-Odd: b .ris"),
        ("filename*=none''%ff.ris", "ÿ.ris"),
        ("filename=\"out.ris\"; filename*=UTF-8''other.ris", "out.ris"),
    ],
)
def test_a_file_may_be_named_in_the_extended_way_alone(
    client: TestClient, team: Team, path: str, named: str, filename: str
) -> None:
    part = f'--cut\r\nContent-Disposition: form-data; name="file"; {named}\r\n\r\n'
    body = part.encode() + RIS + b"\r\n--cut--\r\n"

    answer = client.post(path, content=body, headers=BOUNDARY | team.owner.auth)

    assert answer.status_code == 202, answer.text
    assert answer.json()["filename"] == filename


def test_a_part_without_a_filename_is_no_file(client: TestClient, team: Team, path: str) -> None:
    answer = client.post(path, data={"file": "TY  - JOUR"}, headers=team.owner.auth)

    assert answer.status_code == 422
    assert answer.json()["detail"] == (
        "file: should be a file: a part of the form that has a filename"
    )


@pytest.mark.parametrize(
    "day", ["0", "20261123", "2026-11-23T00:00:00", "23.11.2026", "2026-02-30"]
)
def test_the_day_of_a_search_is_a_date(client: TestClient, team: Team, path: str, day: str) -> None:
    answer = client.post(
        path,
        files={"file": ("f.ris", RIS)},
        data={"searched_on": day},
        headers=team.owner.auth,
    )

    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"] == "searched_on: should be a date, such as 2027-01-31"


def test_what_is_said_of_a_search_can_be_corrected(client: TestClient, world: World) -> None:
    team = world.team(n_records=1)
    review = f"/api/v1/reviews/{team.review_id}"
    body = {
        "source": "Embase",
        "platform": "Ovid",
        "searched_on": "2026-10-01",
        "strategy": "(peer work*).ti,ab.",
    }
    (made,) = client.get(f"{review}/imports", headers=team.owner.auth).json()["items"]
    path = f"{review}/imports/{made['id']}"
    changed = client.patch(path, json=body, headers=team.owner.auth)
    assert changed.status_code == 200
    assert {name: changed.json()[name] for name in body} == body
    emptied = client.patch(
        path, json={"strategy": "", "searched_on": None}, headers=team.owner.auth
    )
    assert (emptied.json()["strategy"], emptied.json()["searched_on"]) == (None, None)
    assert emptied.json()["platform"] == "Ovid"
    again = client.patch(path, json={"strategy": None}, headers=team.owner.auth)
    assert again.status_code == 200

    events = client.get(f"{review}/events", headers=team.owner.auth).json()
    said = [
        one["data"]["changed"] for one in events["items"] if one["type"] == "tandem.import.changed"
    ]
    assert said == [["platform", "searched_on", "source", "strategy"], ["searched_on", "strategy"]]
