"""Files of reports over HTTP: added, read, shown, found again, removed."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import pdfs
from application import application
from prepared import Prepared
from service.api.reports_with_texts import TITLES, Api, at_full_text, titled
from tandem.config import Settings
from tandem.operations import lifecycle
from tandem.texts import pages, scanning, uploads
from world import World


@pytest.fixture
def api(client: TestClient, world: World, settings: Settings, prepared: Prepared) -> Api:
    return Api(client, world, settings, prepared(at_full_text, world))


@pytest.fixture
def small(settings: Settings) -> Iterator[TestClient]:
    """Yield an installation that takes files of 1 MiB, and 2 MiB of texts for a review."""
    tiny = settings.model_copy(update={"text_max_mb": 1, "text_quota_mb": 2})
    with TestClient(application(tiny), raise_server_exceptions=False) as client:
        yield client


def test_a_file_is_taken_and_read_and_its_report_is_retrieved(api: Api) -> None:
    content = titled(1)
    before = api.get("/reports/1")["retrieval"]
    assert before == {"state": "sought", "via": None, "note": None, "by": None, "at": None}
    assert "1" in [one["id"] for one in api.get("/reports?retrieval=sought")["items"]]

    taken = api.add(content, name="C:\\papers\\Okafor 2012.PDF")
    assert "1" not in [one["id"] for one in api.get("/reports?retrieval=sought")["items"]]
    assert api.get("/reports/1")["retrieval"]["via"] == "upload"
    api.read()
    text = api.get(f"/texts/{taken['id']}")

    assert (taken["state"], taken["pages"], taken["record_id"]) == ("queued", None, "1")
    assert (text["state"], text["pages"], text["problem"]) == ("ready", 1, None)
    assert text["filename"] == "Okafor 2012.pdf"
    assert text["sha256"] == hashlib.sha256(content).hexdigest()
    assert text["bytes"] == len(content)
    assert text["added_by_name"] == "ann"
    assert api.get("/reports/1")["standing"] == "to_assess"
    assert api.get("/reports/1/texts")["items"] == [text]
    history = api.client.get(f"{api.review}/records/1/history", headers=api.team.owner.auth)
    *_, added, retrieved, read = history.json()["items"]
    types = [one["type"].rpartition(".")[2] for one in (added, retrieved, read)]
    assert types == ["text_added", "retrieval_changed", "text_read"]
    assert (added["name"], added["detail"]["filename"]) == ("ann", "Okafor 2012.pdf")
    assert (read["name"], read["detail"]["state"]) == (None, "ready")
    mine = api.client.get(f"{api.review}/records/1/history", headers=api.team.eve.auth)
    assert [one["type"] for one in mine.json()["items"]] == [
        one["type"] for one in (added, retrieved, read)
    ]


def test_a_supplement_alone_is_no_retrieved_report(api: Api) -> None:
    taken = api.add(pdfs.pdf(["Table S1"]), kind="supplement")

    assert taken["kind"] == "supplement"
    assert api.get("/reports/1")["retrieval"]["state"] == "sought"


def test_the_same_file_again_changes_nothing(api: Api) -> None:
    first, again = api.add(titled(1)), api.add(titled(1), name="other.pdf")

    assert again["id"] == first["id"]
    assert len(api.get("/events")["items"]) == api.get("/events")["items"][-1]["sequence"]
    added = [e for e in api.get("/events")["items"] if e["type"].endswith("text_added")]
    assert [e["data"]["text_id"] for e in added] == [first["id"]]


@pytest.mark.parametrize(
    ("content", "state", "problem"),
    [
        (pdfs.scan(), "no_text", None),
        (pdfs.encrypted(), "failed", "encrypted"),
        (pdfs.many_pages(2001), "failed", "too_costly"),
        (titled(1)[:300], "failed", "damaged"),
    ],
    ids=["scan", "encrypted", "too many pages", "cut off"],
)
def test_a_file_without_text_says_why_and_can_be_opened(
    content: bytes, state: str, problem: str | None, api: Api
) -> None:
    taken = api.add(content)
    api.read()
    path = f"/texts/{taken['id']}"

    text = api.get(path)
    file = api.client.get(f"{api.review}{path}/file", headers=api.team.ann.auth)

    assert (text["state"], text["problem"]) == (state, problem)
    assert file.content == content
    assert api.get(f"{path}/plain", 409)["code"] == "no_text"
    assert api.get(f"{path}/highlights?terms=x", 409)["code"] == "no_text"


def test_a_web_page_that_is_called_pdf_is_refused_and_not_kept(api: Api) -> None:
    refused = api.add(b"<!DOCTYPE html><html>Sign in", status=422)

    assert refused["code"] == "not_a_pdf"
    assert api.stored() == []
    assert api.get("/reports/1/texts")["items"] == []


@pytest.mark.parametrize(("number", "code"), [(4, "not_at_this_stage"), (99, "not_found")])
def test_only_reports_have_texts(number: int, code: str, api: Api) -> None:
    refused = api.add(titled(1), number, status=409 if number == 4 else 404)

    assert refused["code"] == code
    assert api.stored() == []


def test_a_file_is_served_as_what_it_is_and_as_nothing_else(api: Api) -> None:
    taken = api.add(titled(1), name="é; X-Evil: 1.html")
    before = api.get(f"/texts/{taken['id']}/file", 409)
    api.read()

    answer = api.client.get(f"{api.review}/texts/{taken['id']}/file", headers=api.team.ann.auth)

    assert before["code"] == "text_not_read"
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-disposition"] == (
        'inline; filename="__ X-Evil 1.html.pdf"; '
        "filename*=UTF-8''%C3%A9%3B%20X-Evil%201.html.pdf"
    )


def test_a_text_file_with_markup_in_it_is_handed_out_and_not_shown(api: Api) -> None:
    taken = api.add(b"words <script>alert(1)</script>", name="notes.txt")
    api.read()

    for end in ("file", "plain"):
        answer = api.client.get(
            f"{api.review}/texts/{taken['id']}/{end}", headers=api.team.ann.auth
        )
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert api.get("/reports/1/texts")["items"][0]["media_type"] == "text/plain"


def test_plain_text_and_passages_agree_in_their_positions(api: Api) -> None:
    content = pdfs.pdf(["Peer workers and others,", "a peer"], ["Peer", "workers again"])
    taken = api.add(content)
    api.read()
    path = f"{api.review}/texts/{taken['id']}"

    plain = api.client.get(f"{path}/plain", headers=api.team.ann.auth).text
    found = api.get(f"/texts/{taken['id']}/highlights?terms=peer work*&terms=others")["items"]

    assert plain == "Peer workers and others,\na peer\nPeer\nworkers again"
    assert [(one["page"], one["quote"]) for one in found] == [
        (1, "Peer workers"),
        (1, "others"),
        (2, "Peer\nworkers"),
    ]
    for one in found:
        assert plain[one["start"] : one["end"]] == one["quote"]
    assert [len(one["boxes"]) for one in found] == [1, 1, 2]
    assert found[0]["boxes"][0]["left"] == pytest.approx(50 / 595, abs=0.01)
    assert found[0]["after"] == " and others,\na peer"


def test_a_page_is_drawn_and_kept_by_the_browser(api: Api) -> None:
    taken = api.add(titled(1))
    api.read()
    path, auth = f"{api.review}/texts/{taken['id']}/pages/1.png", api.team.ann.auth

    drawn = api.client.get(path, params={"width": 200}, headers=auth)
    tag = drawn.headers["etag"]
    kept = api.client.get(path, params={"width": 200}, headers=auth | {"If-None-Match": tag})
    stranger = api.world.person("stranger")
    refused = api.client.get(
        path, params={"width": 200}, headers=stranger.auth | {"If-None-Match": tag}
    )

    assert drawn.headers["content-type"] == "image/png"
    assert drawn.content.startswith(b"\x89PNG")
    assert drawn.headers["cache-control"] == "private, no-cache"
    assert (kept.status_code, kept.content) == (304, b"")
    assert refused.status_code == 404
    assert api.get(f"/texts/{taken['id']}/pages/2.png", 404)["code"] == "not_found"


def test_pages_are_drawn_by_so_many_children_at_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if others' pages were being drawn: nobody waits for long, and no child is left over."""
    taken = api.add(titled(1))
    api.read()
    path = f"/texts/{taken['id']}/pages/1.png"
    monkeypatch.setattr(pages, "_PATIENCE_SECONDS", 0.01)

    with ExitStack() as others:
        for _ in range(pages.AT_ONCE):
            others.enter_context(pages._drawing)
        busy = api.get(path, 503)
    monkeypatch.setattr("tandem.texts.reading.MOST_SECONDS", 0)
    hung = api.get(path, 503)
    monkeypatch.undo()
    answer = api.client.get(f"{api.review}{path}", headers=api.team.ann.auth)

    assert (busy["code"], hung["code"]) == ("unavailable", "unavailable")
    assert answer.status_code == 200


def test_who_added_a_text_and_owners_remove_it(api: Api) -> None:
    mine, theirs = api.add(titled(1)), api.add(titled(2), 2)
    path = f"{api.review}/texts"

    refused = api.client.delete(f"{path}/{mine['id']}", headers=api.team.ben.auth)
    by_me = api.client.delete(f"{path}/{mine['id']}", headers=api.team.ann.auth)
    by_owner = api.client.delete(f"{path}/{theirs['id']}", headers=api.team.owner.auth)

    assert refused.status_code == 403
    assert (by_me.status_code, by_owner.status_code) == (204, 204)
    assert api.get(f"/texts/{mine['id']}", 404)["code"] == "not_found"
    assert api.stored() == []
    assert api.get("/reports/1")["retrieval"]["state"] == "retrieved"
    removed = [e for e in api.get("/events")["items"] if e["type"].endswith("text_removed")]
    assert [e["data"]["record_id"] for e in removed] == ["1", "2"]


def test_a_file_stays_while_another_report_needs_it(api: Api) -> None:
    first = api.add(titled(1), 1)
    second = api.add(titled(1), 2)
    assert len(api.stored()) == 1

    api.client.delete(f"{api.review}/texts/{first['id']}", headers=api.team.ann.auth)
    assert len(api.stored()) == 1
    api.read()

    assert api.get(f"/texts/{second['id']}")["state"] == "ready"


def test_a_record_that_is_merged_brings_its_texts(api: Api) -> None:
    api.add(titled(1), 1)
    api.add(titled(2), 2)
    api.world.merge(api.team.review_id, api.team.judge, 1, 2)

    items = api.get("/reports/1/texts")["items"]

    assert [one["record_id"] for one in items] == ["1", "1"]
    assert api.get(f"/texts/{items[1]['id']}")["record_id"] == "1"


def test_files_and_reviews_have_their_bounds(
    small: TestClient, world: World, settings: Settings
) -> None:
    api = Api(small, world, settings, at_full_text(world))
    padding = b"\n%" + b"x" * 900_000

    too_large = api.add(titled(1) + b"\n%" + b"x" * 1_100_000, status=413)
    api.add(titled(1) + padding)
    api.add(titled(2) + padding, 2)
    too_much = api.add(titled(3) + padding, 3, status=413)
    again = api.add(titled(1) + padding, 3)

    assert too_large["code"] == "text_too_large"
    assert "TANDEM_TEXT_MAX_MB" in too_large["detail"]
    assert too_much["code"] == "text_quota_exceeded"
    assert again["state"] == "queued"
    assert len(api.stored()) == 2


@pytest.mark.parametrize(("status", "state"), [(0, "ready"), (1, "quarantined")])
def test_a_scanner_decides_whether_anybody_gets_a_file(
    status: int, state: str, api: Api, tmp_path: Path
) -> None:
    taken = api.add(titled(1))

    api.read(_scanner(tmp_path, f'test -s "$2" && exit {status}'))

    assert api.get(f"/texts/{taken['id']}")["state"] == state
    if state == "quarantined":
        for end in ("file", "plain", "pages/1.png", "highlights?terms=work"):
            assert api.get(f"/texts/{taken['id']}/{end}", 409)["code"] == "quarantined"


def test_a_scanner_that_fails_is_asked_again(api: Api, tmp_path: Path) -> None:
    taken = api.add(titled(1))

    with pytest.raises(Exception, match="TANDEM_SCAN_COMMAND ended with 2: no database"):
        api.read(_scanner(tmp_path, "echo no database >&2; exit 2"))

    assert api.get(f"/texts/{taken['id']}")["state"] == "queued"
    assert api.get(f"/texts/{taken['id']}/file", 409)["code"] == "text_not_read"


def _scanner(folder: Path, script: str) -> str:
    file = folder / "scan.sh"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return f"{file} --quiet"


def test_what_waits_is_listed_and_may_be_tried_again(
    api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken = api.add(titled(1))
    admin = api.world.person("admin", is_admin=True)
    job = _text_job(api, admin)
    assert job["state"] == "queued"

    monkeypatch.setattr("tandem.work.attempts.MOST_TRIES", 1)
    with pytest.raises(scanning.ScanFailed):
        api.read(_scanner(tmp_path, "exit 2"))
    parked = _text_job(api, admin)
    given_up = api.get(f"/texts/{taken['id']}")
    retried = api.client.post(f"/api/v1/jobs/{parked['id']}/retry", headers=admin.auth)
    api.read()

    assert (parked["state"], "exit" in parked["cause"] or "2" in parked["cause"]) == (
        "parked",
        True,
    )
    assert (given_up["state"], given_up["problem"]) == ("failed", "not_read")
    assert retried.status_code == 202
    assert api.get(f"/texts/{taken['id']}")["state"] == "ready"
    assert _text_job(api, admin) is None


def _text_job(api: Api, admin: Any) -> Any:
    found = api.client.get("/api/v1/jobs?kind=text", headers=admin.auth).json()["items"]
    assert len(found) < 2
    return found[0] if found else None


def test_a_file_that_vanished_meanwhile_is_to_be_sent_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if another report's text of the same content had been removed at this very moment."""
    store = uploads.store

    def and_removed(*args: Any, **how: Any) -> Any:
        stored = store(*args, **how)
        api.artifacts.remove(stored.artifact)
        return stored

    monkeypatch.setattr(uploads, "store", and_removed)

    assert api.add(titled(1), status=503)["code"] == "unavailable"
    assert api.get("/reports/1/texts")["items"] == []


def test_titles_are_long_enough_to_differ() -> None:
    assert all(len(title.replace(" ", "")) >= 30 for title in TITLES)


def test_reports_show_their_texts_and_are_found_by_them(api: Api) -> None:
    text = api.add(titled(1, "We asked seventeen Cobblers."))
    api.add(titled(2), 2)
    api.read()

    def numbers(query: str) -> list[str]:
        return [one["id"] for one in api.get(f"/reports?{query}")["items"]]

    assert numbers("q=cobblers") == ["1"]
    assert numbers("q=peer cobblers SEVENTEEN") == ["1"]
    assert numbers("q=cobblers appetite") == []
    assert numbers("q=appetite") == ["2"]
    assert numbers("has_text=true") == ["1", "2"]
    assert numbers("has_text=false&q=coffee") == ["3"]
    assert [one["id"] for one in api.get("/reports/1")["texts"]] == [text["id"]]
    assert [len(one["texts"]) for one in api.get("/reports")["items"]] == [1, 1, 0]
    api.world.merge(api.team.review_id, api.team.judge, 1, 2)
    assert numbers("q=cobblers") == ["1"]
    assert [len(one["texts"]) for one in api.get("/reports")["items"]] == [2, 0]


@pytest.mark.parametrize("end", ["removed", "review deleted"])
def test_what_is_sent_again_after_its_end_leaves_no_file(
    api: Api, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer of the first time got lost; or the review is deleted while a file is stored."""
    url = f"{api.review}/reports/1/texts"
    headers = api.team.ann.auth | {"Idempotency-Key": "the same"}

    def send() -> Any:
        return api.client.post(url, files={"file": ("a.pdf", titled(1))}, headers=headers)

    if end == "removed":
        text_id = send().json()["id"]
        api.client.delete(f"{api.review}/texts/{text_id}", headers=api.team.ann.auth)
        assert send().headers["idempotency-replayed"] == "true"
    else:
        store = uploads.store

        def store_and_delete(*given: Any, **named: Any) -> uploads.StoredFile:
            with api.world.entered(api.team.review_id, api.team.owner) as (session, review, viewer):
                lifecycle.delete_review(session, review, viewer, title=review.title)
            return store(*given, **named)

        monkeypatch.setattr(uploads, "store", store_and_delete)
        assert send().status_code == 404
    assert api.stored() == []
