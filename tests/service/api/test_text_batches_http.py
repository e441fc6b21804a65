"""Many files at once: placed where it is certain whose they are, asked about where it is not."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

import pdfs
from application import application
from prepared import Prepared
from service.api.reports_with_texts import TITLES, Api, at_full_text, titled
from tandem.audit.verify import check
from tandem.config import Settings
from tandem.records.imports import Found
from tandem.records.origin import FoundBy
from world import World


@pytest.fixture
def api(client: TestClient, world: World, settings: Settings, prepared: Prepared) -> Api:
    return Api(client, world, settings, prepared(at_full_text, world))


def batch(api: Api, sent: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/text-batches/{sent['id']}")
    return found


def states(found: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(one["filename"], one["state"], one["record_id"]) for one in found["items"]]


def test_files_are_placed_by_what_is_in_them(api: Api) -> None:
    sent = api.send(
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
    api.read()
    found = batch(api, sent)

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
    assert api.get("/reports/2")["retrieval"]["via"] == "upload"
    assert api.get("/reports/2/texts")["items"][0]["added_by_name"] == "ann"
    assert api.get("/text-batches")["items"] == [
        {name: value for name, value in found.items() if name != "items"}
    ]


def test_files_of_reports_that_start_at_full_text_are_placed_too(api: Api) -> None:
    title = "A thesis that somebody found in the references of another one"
    found = Found(FoundBy.CITATION)
    api.world.records(api.team.review_id, api.team.owner, texts=[(title, "")], found=found)

    sent = api.send({"a.pdf": pdfs.pdf([title, "A. Author"])})
    api.read()

    assert states(batch(api, sent)) == [("a.pdf", "matched", "5")]
    assert api.get("/reports/5")["standing"] == "to_assess"


def test_no_file_is_placed_at_a_record_that_was_removed_since(api: Api) -> None:
    for person in (api.team.ann, api.team.ben):
        api.world.withdraw(api.team.review_id, person, 2)
    api.world.remove(api.team.review_id, api.team.owner, 2)

    sent = api.send({"a.pdf": titled(2), "b.pdf": titled(3)})
    api.read()

    assert states(batch(api, sent)) == [("a.pdf", "unmatched", None), ("b.pdf", "matched", "3")]


def test_a_zip_brings_its_files_and_its_map(api: Api) -> None:
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

    sent = api.send({"papers.zip": content})
    api.read()

    assert states(batch(api, sent)) == [
        ("article.pdf", "matched", "1"),
        ("article.pdf", "matched", "2"),
    ]


def test_a_map_may_come_beside_the_files(api: Api) -> None:
    sent = api.send({"x.pdf": pdfs.scan()}, map=b"file;record\nx.pdf;3\n")
    api.read()

    found = batch(api, sent)["items"][0]
    assert (found["state"], found["record_id"]) == ("matched", "3")
    assert found["candidates"][0]["evidence"] == "map"


def test_a_map_that_names_nothing_is_refused_and_no_file_kept(api: Api) -> None:
    refused = api.send({"x.pdf": titled(1)}, map=b"nothing", status=422)

    assert refused["errors"][0]["field"] == "map"
    assert api.stored() == []


def test_what_is_sent_again_is_known(api: Api) -> None:
    api.send({"a.pdf": titled(1)})
    api.read()

    again = api.send({"b.pdf": titled(1)})

    assert states(again) == [("b.pdf", "known", "1")]
    assert len(api.get("/reports/1/texts")["items"]) == 1


def test_a_doubt_is_settled_and_settled_otherwise_and_undone(api: Api) -> None:
    sent = api.send({"b.pdf": titled(1, TITLES[1]), "a_suppl.pdf": titled(3)})
    early = api.settle(sent, 1, 1, status=409)
    api.read()

    one = api.settle(sent, 1, 1)
    two = api.settle(sent, 1, 2)
    texts = api.get("/reports/1/texts")["items"], api.get("/reports/2/texts")["items"]
    none = api.settle(sent, 2, None)

    assert early["code"] == "unfinished"
    assert (one["state"], one["record_id"], one["title"]) == ("matched", "1", TITLES[0])
    assert (two["state"], two["record_id"]) == ("matched", "2")
    assert [len(found) for found in texts] == [0, 1]
    assert texts[1][0]["id"] == two["text_id"]
    assert (none["state"], none["record_id"], none["text_id"]) == ("set_aside", None, None)
    assert api.get("/reports/3/texts")["items"] == []
    assert len(api.stored()) == 1
    assert api.settle(sent, 2, 3, status=409)["code"] == "text_not_there"


def test_a_report_whose_file_was_of_another_one_is_sought_as_before(api: Api) -> None:
    def retrieval(number: int) -> tuple[str, str | None]:
        found = api.get(f"/reports/{number}")
        return found["standing"], found["retrieval"]["note"]

    said = {"state": "requested", "note": "Asked the library"}
    url = f"{api.review}/reports/1/retrieval"
    api.client.post(url, json=said, headers=api.team.ben.auth)
    sent = api.send({"b.pdf": titled(1, TITLES[1])})
    api.read()
    api.settle(sent, 1, 1)
    assert retrieval(1) == ("to_assess", None)

    api.settle(sent, 1, 2)
    assert retrieval(1) == ("being_sought", "Asked the library")
    assert retrieval(2)[0] == "to_assess"
    vote = {"verdict": "include", "stage": "full_text"}
    url = f"{api.review}/records/2/decision"
    assert api.client.put(url, json=vote, headers=api.team.ann.auth).status_code == 200
    api.settle(sent, 1, 3)
    assert retrieval(2)[0] == "to_assess", "somebody has read it"
    api.settle(sent, 1, None)
    assert retrieval(3) == ("being_sought", None)
    trail = api.client.get(f"{api.review}/export?format=trail", headers=api.team.owner.auth)
    assert check(trail.text.splitlines()).difference is None


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
    position: int, number: int, status: int, code: str, api: Api
) -> None:
    sent = api.send({"a.pdf": pdfs.pdf(["Nothing that is known"]), "b.pdf": b"<html>"})
    api.read()

    assert api.settle(sent, position, number, status)["code"] == code


def test_a_removed_text_is_forgotten_by_its_batch(api: Api) -> None:
    sent = api.send({"a.pdf": titled(1)})
    api.read()
    text_id = batch(api, sent)["items"][0]["text_id"]

    api.client.delete(f"{api.review}/texts/{text_id}", headers=api.team.ann.auth)

    found = batch(api, sent)["items"][0]
    assert (found["state"], found["text_id"]) == ("matched", None)
    assert api.stored() == []


def test_supplements_are_recognised_by_their_names(api: Api) -> None:
    api.send({"Okafor_suppl_1.pdf": titled(1)})
    api.read()

    assert api.get("/reports/1/texts")["items"][0]["kind"] == "supplement"
    assert api.get("/reports/1")["retrieval"]["state"] == "sought"


def test_a_quarantined_file_fails(api: Api) -> None:
    sent = api.send({"a.pdf": titled(1)})
    api.read("false")

    assert states(batch(api, sent)) == [("a.pdf", "failed", None)]
    assert api.get("/reports/1/texts")["items"] == []


@pytest.fixture
def small(settings: Settings) -> Iterator[TestClient]:
    tiny = settings.model_copy(update={"text_max_mb": 1, "text_quota_mb": 3})
    with TestClient(application(tiny), raise_server_exceptions=False) as client:
        yield client


def test_a_zip_bomb_is_refused_whatever_it_says_of_itself(
    small: TestClient, world: World, settings: Settings
) -> None:
    api = Api(small, world, settings, at_full_text(world))
    many = pdfs.packed({f"{n}.pdf": titled(1) + b" " * 900_000 + b"%d" % n for n in range(5)})
    large = pdfs.packed({"a.pdf": titled(1) + b" " * 3_500_000})
    lying = bytearray(large)
    place = lying.rindex(b"PK\x01\x02") + 24
    lying[place : place + 4] = (100).to_bytes(4, "little")

    refused = api.send({"many.zip": many}, status=413)
    single = api.send({"large.zip": large})
    damaged = api.send({"lying.zip": bytes(lying)}, status=422)

    assert refused["code"] == "zip_too_large"
    assert [(i["state"], i["problem"]) for i in single["items"]] == [("failed", "too_costly")]
    assert damaged["code"] == "unreadable_zip"
    assert api.stored() == []


def test_a_zip_that_is_cut_off_or_locked_says_so(api: Api) -> None:
    whole = pdfs.packed({"a.pdf": titled(1)})
    locked = bytearray(whole)
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(sign) + place] |= 1

    cut = api.send({"a.zip": whole[:60]}, status=422)
    sent = api.send({"b.zip": bytes(locked)})

    assert cut["code"] == "unreadable_zip"
    assert [(one["state"], one["problem"]) for one in sent["items"]] == [("failed", "encrypted")]


def test_links_in_a_zip_are_not_followed(api: Api) -> None:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        link = zipfile.ZipInfo("a.pdf")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("../../b.pdf", titled(2))

    sent = api.send({"a.zip": made.getvalue()})
    api.read()

    assert states(batch(api, sent)) == [("b.pdf", "matched", "2")]


def test_nothing_sent_is_refused(api: Api) -> None:
    assert api.send({"a.zip": pdfs.packed({})}, status=422)["errors"][0]["field"] == "files"


def test_the_same_request_again_makes_no_second_batch(api: Api) -> None:
    headers = api.team.ann.auth | {"Idempotency-Key": "once"}
    files = {"files": ("a.pdf", titled(1))}

    first = api.client.post(f"{api.review}/texts", files=files, headers=headers)
    again = api.client.post(f"{api.review}/texts", files=files, headers=headers)

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(api.get("/text-batches")["items"]) == 1
