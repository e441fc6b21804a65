"""Many files at once: placed where it is certain whose they are, asked about where it is not."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

import pdfs
from application import application
from service.api.reports_with_texts import TITLES, Desk, at_full_text, titled
from tandem.config import Settings
from world import World


@pytest.fixture
def desk(client: TestClient, world: World, settings: Settings) -> Desk:
    return Desk(client, world, settings, at_full_text(world))


def batch(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = desk.get(f"/text-batches/{sent['id']}")
    return found


def states(found: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(one["filename"], one["state"], one["record_id"]) for one in found["items"]]


def test_files_are_placed_by_what_is_in_them(desk: Desk) -> None:
    sent = desk.send(
        {
            "a.pdf": titled(2),
            "b.pdf": titled(1, TITLES[1]),
            "0003_nurses.pdf": pdfs.scan(),
            "d.pdf": pdfs.pdf(["Something else altogether, and at some length"]),
            "e.pdf": b"<html>",
            "f.pdf": titled(4),
        }
    )
    before = states(sent)
    desk.read()
    found = batch(desk, sent)

    assert [state for _, state, _ in before] == ["reading"] * 4 + ["failed", "reading"]
    assert sent["state"] == "reading"
    assert states(found) == [
        ("a.pdf", "matched", "2"),
        ("b.pdf", "proposed", None),
        ("0003_nurses.pdf", "matched", "3"),
        ("d.pdf", "unmatched", None),
        ("e.pdf", "failed", None),
        # It is of a record that is not at full text.
        ("f.pdf", "unmatched", None),
    ]
    counts = [found[name] for name in ("state", "n_files", "n_matched", "n_to_settle", "n_failed")]
    assert counts == ["done", 6, 2, 3, 1]
    assert found["items"][4]["problem"] == "not_a_pdf"
    assert [one["record_id"] for one in found["items"][1]["candidates"]] == ["1", "2"]
    assert found["items"][5]["candidates"] == [
        {
            "record_id": "4",
            "title": TITLES[3],
            "evidence": "title",
            "score": 100,
            "is_report": False,
        }
    ]
    assert desk.get("/reports/2")["retrieval"]["via"] == "upload"
    assert desk.get("/reports/2/texts")["items"][0]["added_by_name"] == "ann"
    assert desk.get("/text-batches")["items"] == [
        {name: value for name, value in found.items() if name != "items"}
    ]


def test_a_zip_brings_its_files_and_its_map(desk: Desk) -> None:
    content = pdfs.packed(
        {
            "lib/12/article.pdf": pdfs.scan(),
            "lib/34/article.pdf": titled(2),
            "__MACOSX/lib/._article.pdf": b"x",
            ".DS_Store": b"x",
            "lib.ris": f"TY  - JOUR\nTI  - {TITLES[0]}\nL1  - internal-pdf://12/article.pdf\n"
            "ER  - \n".encode(),
        }
    )

    sent = desk.send({"papers.zip": content})
    desk.read()

    assert states(batch(desk, sent)) == [
        ("article.pdf", "matched", "1"),
        ("article.pdf", "matched", "2"),
    ]


def test_a_map_may_come_beside_the_files(desk: Desk) -> None:
    sent = desk.send({"x.pdf": pdfs.scan()}, map=b"file;record\nx.pdf;3\n")
    desk.read()

    found = batch(desk, sent)["items"][0]
    assert (found["state"], found["record_id"]) == ("matched", "3")
    assert found["candidates"][0]["evidence"] == "map"


def test_a_map_that_names_nothing_is_refused_and_no_file_kept(desk: Desk) -> None:
    refused = desk.send({"x.pdf": titled(1)}, map=b"nothing", status=422)

    assert refused["errors"][0]["field"] == "map"
    assert desk.stored() == []


def test_what_is_sent_again_is_known(desk: Desk) -> None:
    desk.send({"a.pdf": titled(1)})
    desk.read()

    again = desk.send({"b.pdf": titled(1)})

    assert states(again) == [("b.pdf", "known", "1")]
    assert len(desk.get("/reports/1/texts")["items"]) == 1


def test_a_doubt_is_settled_and_settled_otherwise_and_undone(desk: Desk) -> None:
    sent = desk.send({"b.pdf": titled(1, TITLES[1]), "a_suppl.pdf": titled(3)})
    early = desk.settle(sent, 1, 1, status=409)
    desk.read()

    one = desk.settle(sent, 1, 1)
    two = desk.settle(sent, 1, 2)
    texts = desk.get("/reports/1/texts")["items"], desk.get("/reports/2/texts")["items"]
    none = desk.settle(sent, 2, None)

    assert early["code"] == "unfinished"
    assert (one["state"], one["record_id"], one["title"]) == ("matched", "1", TITLES[0])
    assert (two["state"], two["record_id"]) == ("matched", "2")
    assert [len(found) for found in texts] == [0, 1]
    assert texts[1][0]["id"] == two["text_id"]
    assert (none["state"], none["record_id"], none["text_id"]) == ("set_aside", None, None)
    assert desk.get("/reports/3/texts")["items"] == []
    assert len(desk.stored()) == 1
    assert desk.settle(sent, 2, 3, status=409)["code"] == "text_not_there"


@pytest.mark.parametrize(
    ("position", "number", "status", "code"),
    [
        (1, 4, 409, "not_at_this_stage"),
        (1, 99, 404, "not_found"),
        (7, 1, 404, "not_found"),
        (2, 1, 409, "text_not_there"),
    ],
)
def test_what_cannot_be_settled(
    position: int, number: int, status: int, code: str, desk: Desk
) -> None:
    sent = desk.send({"a.pdf": pdfs.pdf(["Nothing that is known"]), "b.pdf": b"<html>"})
    desk.read()

    assert desk.settle(sent, position, number, status)["code"] == code


def test_a_removed_text_is_forgotten_by_its_batch(desk: Desk) -> None:
    sent = desk.send({"a.pdf": titled(1)})
    desk.read()
    text_id = batch(desk, sent)["items"][0]["text_id"]

    desk.client.delete(f"{desk.review}/texts/{text_id}", headers=desk.team.ann.auth)

    found = batch(desk, sent)["items"][0]
    assert (found["state"], found["text_id"]) == ("matched", None)
    assert desk.stored() == []


def test_supplements_are_recognised_by_their_names(desk: Desk) -> None:
    desk.send({"Okafor_suppl_1.pdf": titled(1)})
    desk.read()

    assert desk.get("/reports/1/texts")["items"][0]["kind"] == "supplement"
    assert desk.get("/reports/1")["retrieval"] is None


def test_a_quarantined_file_fails(desk: Desk) -> None:
    sent = desk.send({"a.pdf": titled(1)})
    desk.read("false")

    assert states(batch(desk, sent)) == [("a.pdf", "failed", None)]
    assert desk.get("/reports/1/texts")["items"] == []


@pytest.fixture
def small(settings: Settings) -> Iterator[TestClient]:
    tiny = settings.model_copy(update={"text_max_mb": 1, "text_quota_mb": 3})
    with TestClient(application(tiny), raise_server_exceptions=False) as client:
        yield client


def test_a_zip_bomb_is_refused_whatever_it_says_of_itself(
    small: TestClient, world: World, settings: Settings
) -> None:
    desk = Desk(small, world, settings, at_full_text(world))
    many = pdfs.packed({f"{n}.pdf": titled(1) + b" " * 900_000 + b"%d" % n for n in range(5)})
    large = pdfs.packed({"a.pdf": titled(1) + b" " * 3_500_000})
    lying = bytearray(large)
    place = lying.rindex(b"PK\x01\x02") + 24
    lying[place : place + 4] = (100).to_bytes(4, "little")

    refused = desk.send({"many.zip": many}, status=413)
    single = desk.send({"large.zip": large})
    damaged = desk.send({"lying.zip": bytes(lying)}, status=422)

    assert refused["code"] == "zip_too_large"
    assert [(i["state"], i["problem"]) for i in single["items"]] == [("failed", "too_costly")]
    assert damaged["code"] == "unreadable_zip"
    assert desk.stored() == []


def test_a_zip_that_is_cut_off_or_locked_says_so(desk: Desk) -> None:
    whole = pdfs.packed({"a.pdf": titled(1)})
    locked = bytearray(whole)
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(sign) + place] |= 1

    cut = desk.send({"a.zip": whole[:60]}, status=422)
    sent = desk.send({"b.zip": bytes(locked)})

    assert cut["code"] == "unreadable_zip"
    assert [(one["state"], one["problem"]) for one in sent["items"]] == [("failed", "encrypted")]


def test_links_in_a_zip_are_not_followed(desk: Desk) -> None:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        link = zipfile.ZipInfo("a.pdf")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("../../b.pdf", titled(2))

    sent = desk.send({"a.zip": made.getvalue()})
    desk.read()

    assert states(batch(desk, sent)) == [("b.pdf", "matched", "2")]


def test_nothing_sent_is_refused(desk: Desk) -> None:
    assert desk.send({"a.zip": pdfs.packed({})}, status=422)["errors"][0]["field"] == "files"


def test_the_same_request_again_makes_no_second_batch(desk: Desk) -> None:
    headers = desk.team.ann.auth | {"Idempotency-Key": "once"}
    files = {"files": ("a.pdf", titled(1))}

    first = desk.client.post(f"{desk.review}/texts", files=files, headers=headers)
    again = desk.client.post(f"{desk.review}/texts", files=files, headers=headers)

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(desk.get("/text-batches")["items"]) == 1
