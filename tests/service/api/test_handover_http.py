"""The hand-over of what is included, as the tools of the synthesis read it."""

import csv
import hashlib
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import pdfs
import refi
from prepared import Prepared
from service.api.reports_with_texts import Api, at_full_text
from tandem.audit.verify import check
from tandem.config import Settings
from tandem.handover import crate, gathering, service
from tandem.handover.crate_check import check_crate
from tandem.handover.service import HandoverFormat
from tandem.records.models import Record
from tandem.reports.facts import load_facts
from world import Person, Team, World

SYNTHETIC = Path(__file__).parents[4] / "shared/data/prisma/synthetic.qdpx"
ASTRAL = "I had been where they are now \U0001d4ab \U0001f9e0, and that changed it."


@pytest.fixture
def team(client: TestClient, world: World, settings: Settings, prepared: Prepared) -> Team:
    return prepared(build, client, world, settings)


@pytest.fixture
def api(client: TestClient, world: World, settings: Settings, team: Team) -> Api:
    return Api(client, world, settings, team)


def build(client: TestClient, world: World, settings: Settings) -> Team:
    """Reports 1 and 2 are included, 3 is excluded; 1 has a PDF, 2 a text with CRLF."""
    team = at_full_text(world)
    api = Api(client, world, settings, team)
    api.add(pdfs.pdf(["A report", "on peer workers"]), 1, "one.pdf")
    api.add(f"First line\r\nSecond line\r\n{ASTRAL}\r\n".encode(), 2, "two.txt")
    api.add(pdfs.pdf(["Of the third"]), 3, "three.pdf")
    api.read()
    for number, verdict in ((1, "include"), (2, "include"), (3, "exclude")):
        for person in (team.ann, team.ben):
            vote(api, person, number, verdict)
    return team


def vote(api: Api, person: Person, number: int, verdict: str) -> None:
    reasons = ["Not qualitative"] if verdict == "exclude" else []
    answer = api.client.put(
        f"{api.review}/records/{number}/decision",
        json={"verdict": verdict, "stage": "full_text", "reasons": reasons},
        headers=person.auth,
    )
    assert answer.status_code == 200, answer.text


def send(api: Api, method: str, path: str, person: Person, body: Any) -> Any:
    answer = api.client.request(method, f"{api.review}{path}", json=body, headers=person.auth)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def handed(api: Api, query: str, person: Person | None = None) -> bytes:
    by = person or api.team.judge
    answer = api.client.get(f"{api.review}/handover?{query}", headers=by.auth)
    assert answer.status_code == 200, answer.text
    return answer.content


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content: bytes) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(content.decode()))]


@pytest.mark.data
@pytest.mark.skipif(not SYNTHETIC.exists(), reason="the samples are not beside the project")
def test_the_sample_that_others_read_passes_the_same_check() -> None:
    assert len(refi.read(SYNTHETIC.read_bytes()).all("PDFSource")) == 2


@pytest.mark.both_engines
def test_each_included_report_is_a_source_with_its_text_and_variables(api: Api) -> None:
    study = send(api, "POST", "/studies", api.team.ann, {"reports": ["1", "2"], "label": "Lee"})
    send(api, "PUT", "/reports/1/ratings", api.team.ann, {"richness": 4})
    send(api, "PUT", "/reports/1/ratings", api.team.ben, {"richness": 5})

    found = refi.read(handed(api, "format=qdpx"))

    (pdf,), (text,) = found.all("PDFSource"), found.all("TextSource")
    assert (pdf.get("name"), text.get("name")) == ("Lee 2020 [1].pdf", "Lee 2020 [2]")
    values = {"Tandem record": "1", "Study": "S1", "Year": "2020", "Richness": "4.5"}
    assert found.values(pdf) == values
    (inside,) = found.all("Representation")
    assert found.values(inside) == values
    plain = api.client.get(
        f"{api.review}/texts/{api.get('/reports/1/texts')['items'][0]['id']}/plain",
        headers=api.team.ann.auth,
    ).text
    assert found.texts[str(inside.get("guid"))] == plain
    assert ASTRAL in found.texts[str(text.get("guid"))]
    assert "First line\nSecond line\n" in found.texts[str(text.get("guid"))]
    (case,) = found.all("Case")
    assert case.get("name") == "S1 Lee (2 reports)"
    assert found.values(case) == {"Case: reports": "2"}
    assert {one.get("name") for one in found.all("User")} >= {"ann", "ben", "judge"}
    assert found.all("CodeBook") == []
    assert study["id"]


def test_what_is_not_sampled_stays_out(api: Api) -> None:
    study = send(api, "POST", "/studies", api.team.ann, {"reports": ["1"]})
    send(api, "PUT", f"/studies/{study['id']}/sampling", api.team.judge, {"sampled": False})

    assert refi.read(handed(api, "format=qdpx")).all("PDFSource") == []
    assert b"ID  - 1\r\n" not in members(handed(api, "format=zip"))["included.ris"]


def test_a_report_without_a_text_is_its_title_and_abstract_and_says_so(
    api: Api, world: World
) -> None:
    with world.database.write.begin() as session:
        record = session.get_one(Record, (api.team.review_id, 2))
        record.title, record.abstract = f"Peers \x0b {ASTRAL}", "One.\r\nTwo."

    found = refi.read(handed(api, "format=qdpx&texts=false"))

    assert found.all("PDFSource") == []
    names = [str(one.get("name")) for one in found.all("TextSource")]
    assert names == [f"Lee 2020 [{n}] (title and abstract only)" for n in (1, 2)]
    text = found.texts[str(found.all("TextSource")[1].get("guid"))]
    assert text == f"Peers \x0b {ASTRAL}\n\nOne.\nTwo.\n"


def test_a_scan_is_handed_over_beside_its_title_and_abstract(api: Api) -> None:
    api.add(pdfs.scan(), 3, "scan.pdf")
    for one in api.get("/reports/3/texts")["items"]:
        if one["filename"] == "three.pdf":
            send(api, "DELETE", f"/texts/{one['id']}", api.team.ann, None)
    api.read()
    for person in (api.team.ann, api.team.ben):
        vote(api, person, 3, "include")

    found = refi.read(handed(api, "format=qdpx"))

    names = [str(one.get("name")) for tag in ("PDFSource", "TextSource") for one in found.all(tag)]
    assert "Lee 2020 [3].pdf" in names
    assert "Lee 2020 [3] (title and abstract only)" in names


@pytest.mark.parametrize("format", ["qdpx", "qdc", "zip"])
def test_the_same_bytes_twice(api: Api, format: str) -> None:
    assert handed(api, f"format={format}") == handed(api, f"format={format}")


def test_nothing_included_is_a_project_too(
    client: TestClient, world: World, settings: Settings
) -> None:
    api = Api(client, world, settings, world.team(n_records=1))
    found = refi.read(handed(api, "format=qdpx"))
    assert [child.tag.removeprefix(refi.NS) for child in found.root] == ["Users", "Description"]


def test_the_zip_links_references_to_files_and_hashes_all_of_them(api: Api) -> None:
    send(api, "POST", "/studies", api.team.ann, {"reports": ["2"], "fields": {"country": "=1+1"}})

    found = members(handed(api, "format=zip"))

    assert [*found][:4] == ["included.ris", "included.json", "studies.csv", "excluded.csv"]
    assert {*found} >= {"texts/0001_Lee_2020.pdf", "texts/0002_Lee_2020.txt"}
    assert b"L1  - texts/0001_Lee_2020.pdf\r\nER  - \r\n" in found["included.ris"]
    assert [item["id"] for item in json.loads(found["included.json"])] == ["1", "2"]
    studies = rows(found["studies.csv"])
    assert [(one["study"], one["reports"]) for one in studies] == [("S1", "1"), ("S2", "2")]
    assert studies[1]["country"].endswith("=1+1")
    assert not studies[1]["country"].startswith("=")
    (excluded,) = rows(found["excluded.csv"])
    assert (excluded["record_id"], excluded["reason"]) == ("3", "Not qualitative")
    event = send(api, "GET", f"/events?after={int(excluded['seq']) - 1}", api.team.owner, None)
    assert event["items"][0]["type"] == "tandem.record.excluded"
    assert event["items"][0]["data"]["record_id"] == "3"
    manifest = {one["file"]: one for one in rows(found["manifest.csv"])}
    assert {*manifest} == {*found} - {"manifest.csv"}
    for name, content in found.items():
        if name in manifest:
            assert manifest[name]["sha256"] == hashlib.sha256(content).hexdigest()
            assert manifest[name]["bytes"] == str(len(content))


def test_files_stay_out_of_the_zip_where_nobody_wants_them(api: Api) -> None:
    found = members(handed(api, "format=zip&texts=false"))
    assert not [name for name in found if name.startswith("texts/")]
    assert b"L1  - " not in found["included.ris"]


def test_the_code_book_is_empty(api: Api) -> None:
    assert b"<Codes/>" in handed(api, "format=qdc")


def test_the_blinded_get_none_and_strangers_know_of_none(api: Api, world: World) -> None:
    address = f"{api.review}/handover?format=qdpx"
    refused = api.client.get(address, headers=api.team.ann.auth)
    assert refused.status_code == 403
    assert "hand-over tells how others voted" in refused.json()["detail"]
    assert api.client.get(address, headers=world.person().auth).status_code == 404


@pytest.mark.both_engines
def test_a_crate_describes_each_of_its_files_and_its_trail_verifies(api: Api) -> None:
    content = handed(api, "format=rocrate", api.team.owner)

    found = members(content)

    graph = {one["@id"]: one for one in json.loads(found["ro-crate-metadata.json"])["@graph"]}
    assert graph["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    parts = [one["@id"] for one in graph["./"]["hasPart"]]
    assert {*parts} == {*found} - {"ro-crate-metadata.json"}
    for name in parts:
        assert graph[name]["sha256"] == hashlib.sha256(found[name]).hexdigest()
    assert not [name for name in found if name.startswith("texts/")]
    assert check(found["trail.jsonl"].decode().splitlines()).ok
    flow = json.loads(found["flow.json"])["boxes"]
    assert flow["new_reports"]["items"] == [{"record_id": "1"}, {"record_id": "2"}]
    again = members(handed(api, "format=rocrate", api.team.owner))
    with_times = {"trail.jsonl", "ro-crate-metadata.json"}  # when it was exported, and its digest
    assert {name for name in found if found[name] != again[name]} <= with_times
    refused = api.client.get(f"{api.review}/handover?format=rocrate", headers=api.team.judge.auth)
    assert refused.status_code == 403


def begun(api: Api) -> service.HandedOver:
    """Return a crate whose parts are not sent yet."""
    return service.hand_over(
        api.world.database,
        api.artifacts,
        review_id=api.team.review_id,
        user_id=api.team.owner.id,
        format=HandoverFormat.RO_CRATE,
    )


@pytest.mark.both_engines
def test_what_is_decided_while_a_crate_is_sent_is_not_in_half_of_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both take report 1 out while the crate is made, and report 2 while it is sent."""

    def and_then_one_is_taken_out(*asked: Any) -> Any:
        monkeypatch.undo()
        for person in (api.team.ann, api.team.ben):
            vote(api, person, 1, "exclude")
        return load_facts(*asked)

    monkeypatch.setattr(gathering, "load_facts", and_then_one_is_taken_out)
    made = begun(api)
    for person in (api.team.ann, api.team.ben):
        vote(api, person, 2, "exclude")
    content = b"".join(made.parts)

    assert check_crate(io.BytesIO(content)).difference is None
    found = members(content)
    assert [row["reports"] for row in rows(found["studies.csv"])] == ["1", "2"]
    assert [row["record_id"] for row in rows(found["excluded.csv"])] == ["3"]
    assert json.loads(found["flow.json"])["boxes"]["new_reports"]["n"] == 2
    statuses = [json.loads(line) for line in found["records.jsonl"].decode().splitlines()]
    assert len(statuses) == 4
    entries = rows(found["decisions.csv"])
    assert len([one for one in entries if one["stage"] == "full_text"]) == 6


@pytest.mark.both_engines
def test_a_text_that_is_removed_while_a_crate_is_made_is_gone_by_right(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    (text,) = api.get("/reports/1/texts")["items"]

    def and_then_it_is_removed(*asked: Any) -> Any:
        monkeypatch.undo()
        path = f"{api.review}/texts/{text['id']}"
        assert api.client.delete(path, headers=api.team.owner.auth).status_code == 204
        return load_facts(*asked)

    monkeypatch.setattr(gathering, "load_facts", and_then_it_is_removed)
    made = begun(api)

    assert check_crate(io.BytesIO(b"".join(made.parts))).difference is None


def test_a_crate_that_is_broken_off_leaves_no_file_open(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = list[Any]()

    def noted(size: int) -> Any:
        kept.append(tempfile.SpooledTemporaryFile(size))  # noqa: SIM115  # what is tested
        return kept[-1]

    monkeypatch.setattr(crate, "_IN_MEMORY", 1)
    monkeypatch.setattr(crate, "SpooledTemporaryFile", noted)
    made = begun(api).parts
    assert next(made)
    assert len(kept) == 3
    assert not any(file.closed for file in kept)
    made.close()  # type: ignore[attr-defined]  # a generator, as the server drops it
    assert all(file.closed for file in kept)
