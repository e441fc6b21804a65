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
from service.api.reports_with_texts import TITLES, Desk, at_full_text, titled
from tandem.config import Settings
from tandem.texts import pages, scanning, uploads
from world import World


@pytest.fixture
def desk(client: TestClient, world: World, settings: Settings) -> Desk:
    return Desk(client, world, settings, at_full_text(world))


@pytest.fixture
def small(settings: Settings) -> Iterator[TestClient]:
    """Yield an installation that takes files of 1 MiB, and 2 MiB of texts for a review."""
    tiny = settings.model_copy(update={"text_max_mb": 1, "text_quota_mb": 2})
    with TestClient(application(tiny), raise_server_exceptions=False) as client:
        yield client


def test_a_file_is_taken_and_read_and_its_report_is_retrieved(desk: Desk) -> None:
    content = titled(1)

    taken = desk.add(content, name="C:\\papers\\Okafor 2012.PDF")
    assert desk.get("/reports/1")["retrieval"]["via"] == "upload"
    desk.read()
    text = desk.get(f"/texts/{taken['id']}")

    assert (taken["state"], taken["pages"], taken["record_id"]) == ("queued", None, "1")
    assert (text["state"], text["pages"], text["problem"]) == ("ready", 1, None)
    assert text["filename"] == "Okafor 2012.pdf"
    assert text["sha256"] == hashlib.sha256(content).hexdigest()
    assert text["bytes"] == len(content)
    assert text["added_by_name"] == "ann"
    assert desk.get("/reports/1")["standing"] == "to_assess"
    assert desk.get("/reports/1/texts")["items"] == [text]
    history = desk.client.get(f"{desk.review}/records/1/history", headers=desk.team.owner.auth)
    *_, added, retrieved, read = history.json()["items"]
    types = [one["type"].rpartition(".")[2] for one in (added, retrieved, read)]
    assert types == ["text_added", "retrieval_changed", "text_read"]
    assert (added["name"], added["detail"]["filename"]) == ("ann", "Okafor 2012.pdf")
    assert (read["name"], read["detail"]["state"]) == (None, "ready")
    mine = desk.client.get(f"{desk.review}/records/1/history", headers=desk.team.eve.auth)
    assert [one["type"] for one in mine.json()["items"]] == [
        one["type"] for one in (added, retrieved, read)
    ]


def test_a_supplement_alone_is_no_retrieved_report(desk: Desk) -> None:
    taken = desk.add(pdfs.pdf(["Table S1"]), kind="supplement")

    assert taken["kind"] == "supplement"
    assert desk.get("/reports/1")["retrieval"] is None


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    first, again = desk.add(titled(1)), desk.add(titled(1), name="other.pdf")

    assert again["id"] == first["id"]
    assert len(desk.get("/events")["items"]) == desk.get("/events")["items"][-1]["sequence"]
    added = [e for e in desk.get("/events")["items"] if e["type"].endswith("text_added")]
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
    content: bytes, state: str, problem: str | None, desk: Desk
) -> None:
    taken = desk.add(content)
    desk.read()
    path = f"/texts/{taken['id']}"

    text = desk.get(path)
    file = desk.client.get(f"{desk.review}{path}/file", headers=desk.team.ann.auth)

    assert (text["state"], text["problem"]) == (state, problem)
    assert file.content == content
    assert desk.get(f"{path}/plain", 409)["code"] == "no_text"
    assert desk.get(f"{path}/highlights?terms=x", 409)["code"] == "no_text"


def test_a_web_page_that_is_called_pdf_is_refused_and_not_kept(desk: Desk) -> None:
    refused = desk.add(b"<!DOCTYPE html><html>Sign in", status=422)

    assert refused["code"] == "not_a_pdf"
    assert desk.stored() == []
    assert desk.get("/reports/1/texts")["items"] == []


@pytest.mark.parametrize(("number", "code"), [(4, "not_at_this_stage"), (99, "not_found")])
def test_only_reports_have_texts(number: int, code: str, desk: Desk) -> None:
    refused = desk.add(titled(1), number, status=409 if number == 4 else 404)

    assert refused["code"] == code
    assert desk.stored() == []


def test_a_file_is_served_as_what_it_is_and_as_nothing_else(desk: Desk) -> None:
    taken = desk.add(titled(1), name="é; X-Evil: 1.html")
    before = desk.get(f"/texts/{taken['id']}/file", 409)
    desk.read()

    answer = desk.client.get(f"{desk.review}/texts/{taken['id']}/file", headers=desk.team.ann.auth)

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


def test_a_text_file_with_markup_in_it_is_handed_out_and_not_shown(desk: Desk) -> None:
    taken = desk.add(b"words <script>alert(1)</script>", name="notes.txt")
    desk.read()

    for end in ("file", "plain"):
        answer = desk.client.get(
            f"{desk.review}/texts/{taken['id']}/{end}", headers=desk.team.ann.auth
        )
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert desk.get("/reports/1/texts")["items"][0]["media_type"] == "text/plain"


def test_plain_text_and_passages_agree_in_their_positions(desk: Desk) -> None:
    content = pdfs.pdf(["Peer workers and others,", "a peer"], ["Peer", "workers again"])
    taken = desk.add(content)
    desk.read()
    path = f"{desk.review}/texts/{taken['id']}"

    plain = desk.client.get(f"{path}/plain", headers=desk.team.ann.auth).text
    found = desk.get(f"/texts/{taken['id']}/highlights?terms=peer work*&terms=others")["items"]

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


def test_a_page_is_drawn_and_kept_by_the_browser(desk: Desk) -> None:
    taken = desk.add(titled(1))
    desk.read()
    path, auth = f"{desk.review}/texts/{taken['id']}/pages/1.png", desk.team.ann.auth

    drawn = desk.client.get(path, params={"width": 200}, headers=auth)
    tag = drawn.headers["etag"]
    kept = desk.client.get(path, params={"width": 200}, headers=auth | {"If-None-Match": tag})
    stranger = desk.world.person("stranger")
    refused = desk.client.get(
        path, params={"width": 200}, headers=stranger.auth | {"If-None-Match": tag}
    )

    assert drawn.headers["content-type"] == "image/png"
    assert drawn.content.startswith(b"\x89PNG")
    assert drawn.headers["cache-control"] == "private, no-cache"
    assert (kept.status_code, kept.content) == (304, b"")
    assert refused.status_code == 404
    assert desk.get(f"/texts/{taken['id']}/pages/2.png", 404)["code"] == "not_found"


def test_pages_are_drawn_by_so_many_children_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if others' pages were being drawn: nobody waits for long, and no child is left over."""
    taken = desk.add(titled(1))
    desk.read()
    path = f"/texts/{taken['id']}/pages/1.png"
    monkeypatch.setattr(pages, "_PATIENCE_SECONDS", 0.01)

    with ExitStack() as others:
        for _ in range(pages.AT_ONCE):
            others.enter_context(pages._drawing)
        busy = desk.get(path, 503)
    monkeypatch.setattr("tandem.texts.reading.MOST_SECONDS", 0)
    hung = desk.get(path, 503)
    monkeypatch.undo()
    answer = desk.client.get(f"{desk.review}{path}", headers=desk.team.ann.auth)

    assert (busy["code"], hung["code"]) == ("unavailable", "unavailable")
    assert answer.status_code == 200


def test_who_added_a_text_and_owners_remove_it(desk: Desk) -> None:
    mine, theirs = desk.add(titled(1)), desk.add(titled(2), 2)
    path = f"{desk.review}/texts"

    refused = desk.client.delete(f"{path}/{mine['id']}", headers=desk.team.ben.auth)
    by_me = desk.client.delete(f"{path}/{mine['id']}", headers=desk.team.ann.auth)
    by_owner = desk.client.delete(f"{path}/{theirs['id']}", headers=desk.team.owner.auth)

    assert refused.status_code == 403
    assert (by_me.status_code, by_owner.status_code) == (204, 204)
    assert desk.get(f"/texts/{mine['id']}", 404)["code"] == "not_found"
    assert desk.stored() == []
    assert desk.get("/reports/1")["retrieval"]["state"] == "retrieved"
    removed = [e for e in desk.get("/events")["items"] if e["type"].endswith("text_removed")]
    assert [e["data"]["record_id"] for e in removed] == ["1", "2"]


def test_a_file_stays_while_another_report_needs_it(desk: Desk) -> None:
    first = desk.add(titled(1), 1)
    second = desk.add(titled(1), 2)
    assert len(desk.stored()) == 1

    desk.client.delete(f"{desk.review}/texts/{first['id']}", headers=desk.team.ann.auth)
    assert len(desk.stored()) == 1
    desk.read()

    assert desk.get(f"/texts/{second['id']}")["state"] == "ready"


def test_a_record_that_is_merged_brings_its_texts(desk: Desk) -> None:
    desk.add(titled(1), 1)
    desk.add(titled(2), 2)
    desk.world.merge(desk.team.review_id, desk.team.judge, 1, 2)

    items = desk.get("/reports/1/texts")["items"]

    assert [one["record_id"] for one in items] == ["1", "1"]
    assert desk.get(f"/texts/{items[1]['id']}")["record_id"] == "1"


def test_files_and_reviews_have_their_bounds(
    small: TestClient, world: World, settings: Settings
) -> None:
    desk = Desk(small, world, settings, at_full_text(world))
    padding = b"\n%" + b"x" * 900_000

    too_large = desk.add(titled(1) + b"\n%" + b"x" * 1_100_000, status=413)
    desk.add(titled(1) + padding)
    desk.add(titled(2) + padding, 2)
    too_much = desk.add(titled(3) + padding, 3, status=413)
    again = desk.add(titled(1) + padding, 3)

    assert too_large["code"] == "text_too_large"
    assert "TANDEM_TEXT_MAX_MB" in too_large["detail"]
    assert too_much["code"] == "text_quota_exceeded"
    assert again["state"] == "queued"
    assert len(desk.stored()) == 2


@pytest.mark.parametrize(("status", "state"), [(0, "ready"), (1, "quarantined")])
def test_a_scanner_decides_whether_anybody_gets_a_file(
    status: int, state: str, desk: Desk, tmp_path: Path
) -> None:
    taken = desk.add(titled(1))

    desk.read(_scanner(tmp_path, f'test -s "$2" && exit {status}'))

    assert desk.get(f"/texts/{taken['id']}")["state"] == state
    if state == "quarantined":
        for end in ("file", "plain", "pages/1.png", "highlights?terms=work"):
            assert desk.get(f"/texts/{taken['id']}/{end}", 409)["code"] == "quarantined"


def test_a_scanner_that_fails_is_asked_again(desk: Desk, tmp_path: Path) -> None:
    taken = desk.add(titled(1))

    with pytest.raises(Exception, match="TANDEM_SCAN_COMMAND ended with 2: no database"):
        desk.read(_scanner(tmp_path, "echo no database >&2; exit 2"))

    assert desk.get(f"/texts/{taken['id']}")["state"] == "queued"
    assert desk.get(f"/texts/{taken['id']}/file", 409)["code"] == "text_not_read"


def _scanner(folder: Path, script: str) -> str:
    file = folder / "scan.sh"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)
    return f"{file} --quiet"


def test_what_waits_is_listed_and_may_be_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken = desk.add(titled(1))
    admin = desk.world.person("admin", is_admin=True)
    job = _text_job(desk, admin)
    assert job["state"] == "queued"

    monkeypatch.setattr("tandem.work.attempts.MOST_TRIES", 1)
    with pytest.raises(scanning.ScanFailed):
        desk.read(_scanner(tmp_path, "exit 2"))
    parked = _text_job(desk, admin)
    given_up = desk.get(f"/texts/{taken['id']}")
    retried = desk.client.post(f"/api/v1/jobs/{parked['id']}/retry", headers=admin.auth)
    desk.read()

    assert (parked["state"], "exit" in parked["cause"] or "2" in parked["cause"]) == (
        "parked",
        True,
    )
    assert (given_up["state"], given_up["problem"]) == ("failed", "not_read")
    assert retried.status_code == 202
    assert desk.get(f"/texts/{taken['id']}")["state"] == "ready"
    assert _text_job(desk, admin) is None


def _text_job(desk: Desk, admin: Any) -> Any:
    found = desk.client.get("/api/v1/jobs?kind=text", headers=admin.auth).json()["items"]
    assert len(found) < 2
    return found[0] if found else None


def test_a_file_that_vanished_meanwhile_is_to_be_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if another report's text of the same content had been removed at this very moment."""
    store = uploads.store

    def and_removed(*args: Any, **how: Any) -> Any:
        stored = store(*args, **how)
        desk.artifacts.remove(stored.artifact)
        return stored

    monkeypatch.setattr(uploads, "store", and_removed)

    assert desk.add(titled(1), status=503)["code"] == "unavailable"
    assert desk.get("/reports/1/texts")["items"] == []


def test_titles_are_long_enough_to_differ() -> None:
    assert all(len(title.replace(" ", "")) >= 30 for title in TITLES)


def test_reports_show_their_texts_and_are_found_by_them(desk: Desk) -> None:
    text = desk.add(titled(1, "We asked seventeen Cobblers."))
    desk.add(titled(2), 2)
    desk.read()

    def numbers(query: str) -> list[str]:
        return [one["id"] for one in desk.get(f"/reports?{query}")["items"]]

    assert numbers("q=cobblers") == ["1"]
    assert numbers("q=peer cobblers SEVENTEEN") == ["1"]
    assert numbers("q=cobblers appetite") == []
    assert numbers("q=appetite") == ["2"]
    assert numbers("has_text=true") == ["1", "2"]
    assert numbers("has_text=false&q=coffee") == ["3"]
    assert [one["id"] for one in desk.get("/reports/1")["texts"]] == [text["id"]]
    assert [len(one["texts"]) for one in desk.get("/reports")["items"]] == [1, 1, 0]
    desk.world.merge(desk.team.review_id, desk.team.judge, 1, 2)
    assert numbers("q=cobblers") == ["1"]
    assert [len(one["texts"]) for one in desk.get("/reports")["items"]] == [2, 0]
