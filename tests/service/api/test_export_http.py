"""Files out of a review: who gets what of it, and under which name."""

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from fastapi.testclient import TestClient

from prepared import Prepared
from tandem.errors import NotFound
from tandem.ids import RecordNumber
from tandem.records.export.names import ExportFormat
from tandem.records.formats import reading
from tandem.records.formats.entry import Entry
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.screening import export, export_ledger
from world import Person, Team, World

API = "/api/v1"


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Ann and Ben differ on 1 and 2, and agree on 3; 1 is settled; Ann has taken 4 back."""
    team = world.team(n_records=6)
    said: dict[str, Any] = {"reasons": ["wrong population"], "labels": ["odd"], "seconds": 4.5}
    for number, ann, ben in ((1, "include", "exclude"), (2, "maybe", "exclude")):
        world.decide(team.review_id, team.ann, number, ann, note="see table 2")
        world.decide(team.review_id, team.ben, number, ben, **said)
    for who in (team.ann, team.ben):
        world.decide(team.review_id, who, 3, "exclude", **said)
    world.resolve(team.review_id, team.judge, 1, "include")
    world.decide(team.review_id, team.ann, 4, "include")
    world.withdraw(team.review_id, team.ann, 4)
    link(world, team, 6, 5)
    return team


def link(world: World, team: Team, number: int, duplicate_of: int) -> None:
    with world.database.write.begin() as session:
        record = session.get_one(Record, (team.review_id, number))
        record.duplicate_of, record.source, record.ref = RecordNumber(duplicate_of), "Embase", "L7"


class Exporting:
    def __init__(self, client: TestClient, team: Team) -> None:
        self.client, self.team = client, team

    def __call__(self, who: Person, format: str, **query: Any) -> Any:
        url = f"{API}/reviews/{self.team.review_id}/export"
        answer = self.client.get(url, params={"format": format} | query, headers=who.auth)
        assert answer.status_code == 200, answer.text
        return answer

    def lines(self, who: Person, **query: Any) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self(who, "jsonl", **query).text.splitlines()]

    def ledger(self, who: Person, **query: Any) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self(who, "decisions", **query).text)))


@pytest.fixture
def exported(client: TestClient, team: Team) -> Exporting:
    return Exporting(client, team)


TYPES = {
    "ris": "application/x-research-info-systems",
    "bibtex": "application/x-bibtex",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csl_json": "application/vnd.citationstyles.csl+json",
    "jsonl": "application/jsonl",
    "decisions": "text/csv; charset=utf-8",
}


@pytest.mark.parametrize(("format", "media_type"), TYPES.items())
def test_every_format_is_a_file(format: str, media_type: str, exported: Exporting) -> None:
    answer = exported(exported.team.owner, format)

    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"].startswith('attachment; filename="a-review-')
    assert len(answer.content) > 100


@pytest.mark.parametrize(
    ("title", "plain", "own"),
    [
        ("Peer support: who, & why?", "peer-support-who-why", "peer-support-who-why"),
        ("Pflege über Grenzen", "pflege-uber-grenzen", "pflege-über-grenzen"),
        ("看護の研究", "review", "看護の研究"),
        ('"; rm -rf /\r\nSet-Cookie: x', "rm-rf-set-cookie-x", "rm-rf-set-cookie-x"),
        ("../../etc/passwd", "etc-passwd", "etc-passwd"),
        ("?!", "review", "review"),
    ],
)
def test_the_file_bears_the_title_of_the_review(
    title: str, plain: str, own: str, exported: Exporting, world: World
) -> None:
    with world.database.write.begin() as session:
        reviews.lock(session, exported.team.review_id).title = title

    header = exported(exported.team.owner, "bibtex", status="included").headers[
        "content-disposition"
    ]

    assert header == (
        f'attachment; filename="{plain}-records-included.bib"; '
        f"filename*=UTF-8''{quote(own)}-records-included.bib"
    )


def test_those_who_see_all_get_every_decision_by_name(exported: Exporting) -> None:
    for who in (exported.team.owner, exported.team.judge):
        first, second, third, fourth, fifth = exported.lines(who)

        votes = [(vote["reviewer"], vote["verdict"]) for vote in first["decisions"]]
        assert votes == [("ann", "include"), ("ben", "exclude")]
        assert first["decisions"][1]["reasons"] == ["wrong population"]
        assert first["decisions"][0]["note"] == "see table 2"
        assert (first["status"], first["resolution"]["reviewer"]) == ("included", "judge")
        assert (second["status"], second["resolution"]) == ("conflict", None)
        assert third["status"] == "excluded"
        assert (fourth["status"], fourth["decisions"]) == ("unscreened", [])
        assert fifth["decisions"] == []


def test_a_blinded_reviewer_gets_their_own(exported: Exporting) -> None:
    ann = exported.lines(exported.team.ann)

    assert [record["status"] for record in ann] == [
        *("included", "done", "excluded", "unscreened", "unscreened")
    ]
    assert [[vote["reviewer"] for vote in record["decisions"]] for record in ann] == [
        *(["ann"], ["ann"], ["ann"], [], [])
    ]
    assert all(record["resolution"] is None for record in ann)
    for who in (exported.team.eve, exported.team.observer):
        for record in exported.lines(who):
            assert (record["status"], record["decisions"]) == ("unscreened", [])


@pytest.mark.parametrize(
    ("sees", "names"),
    [("all", ["ann", "ben"]), ("anonymous", [None, None]), ("nothing", [])],
)
def test_an_open_conflict_shows_what_the_policy_shows_who_settles_it(
    sees: str, names: list[str | None], exported: Exporting, world: World
) -> None:
    team = exported.team
    world.change_policy(team.review_id, team.owner, adjudicator_sees=sees)

    settled, open_ = exported.lines(team.judge)[:2]
    own = [row["reviewer"] for row in exported.ledger(team.judge) if row["record_id"] == "2"]

    assert [vote["reviewer"] for vote in settled["decisions"]] == ["ann", "ben"]
    assert [vote["reviewer"] for vote in open_["decisions"]] == names
    assert own == (["ann", "ben"] if sees == "all" else [])
    if sees == "anonymous":
        assert [vote["verdict"] for vote in open_["decisions"]] == ["exclude", "maybe"]
        assert all(vote["decided_at"] is None for vote in open_["decisions"])


def test_without_blinding_everybody_sees_all(exported: Exporting, world: World) -> None:
    world.change_policy(exported.team.review_id, exported.team.owner, blind=False)

    assert len(exported.lines(exported.team.observer)[0]["decisions"]) == 2
    assert len(exported.ledger(exported.team.observer)) == 9


def test_filters(exported: Exporting) -> None:
    def ids(who: Person, **query: Any) -> list[str]:
        return [record["id"] for record in exported.lines(who, **query)]

    owner, ann = exported.team.owner, exported.team.ann
    assert ids(owner) == ids(owner, stage="title_abstract") == ["1", "2", "3", "4", "5"]
    assert ids(owner, status="conflict") == ["2"]
    assert ids(owner, status="unscreened") == ["4", "5"]
    assert ids(owner, status="done") == []
    assert ids(ann, status="done") == ["2"]
    assert ids(ann, status="conflict") == []
    assert ids(owner, include_duplicates="true") == ["1", "2", "3", "4", "5", "6"]


def test_linked_duplicates_stand_once_with_all_their_sources(exported: Exporting) -> None:
    owner = exported.team.owner
    shown = exported.lines(owner)[-1]
    linked = exported.lines(owner, include_duplicates="true")[-1]

    both = [{"source": "Medline", "ref": None}, {"source": "Embase", "ref": "L7"}]
    assert (shown["id"], shown["duplicate_of"], shown["sources"]) == ("5", None, both)
    assert (linked["id"], linked["duplicate_of"], linked["sources"]) == ("6", "5", both)


def test_a_linked_duplicate_is_screened_as_the_record_shown(
    exported: Exporting, world: World
) -> None:
    link(world, exported.team, 4, 3)
    linked = exported.lines(exported.team.owner, include_duplicates="true")[3]

    assert (linked["id"], linked["status"], len(linked["decisions"])) == ("4", "excluded", 2)


def test_the_ledger_is_whole(exported: Exporting, world: World) -> None:
    team = exported.team
    rows = exported.ledger(team.owner)

    assert [(row["record_id"], row["reviewer"], row["entry"], row["verdict"]) for row in rows] == [
        ("1", "ann", "decision", "include"),
        ("1", "ben", "decision", "exclude"),
        ("2", "ann", "decision", "maybe"),
        ("2", "ben", "decision", "exclude"),
        ("3", "ann", "decision", "exclude"),
        ("3", "ben", "decision", "exclude"),
        ("1", "judge", "resolution", "include"),
        ("4", "ann", "decision", "include"),
        ("4", "ann", "withdrawal", ""),
    ]
    assert rows[1]["reasons"] == "wrong population"
    assert (rows[1]["labels"], rows[1]["seconds"], rows[1]["informed"]) == ("odd", "4.5", "false")
    assert rows[0]["note"] == "see table 2"
    assert rows[0]["reviewer_id"] == str(team.ann.id)
    assert [row["in_force"] for row in rows] == ["true"] * 7 + ["false"] * 2
    assert all(row["at"].endswith("Z") for row in rows)
    sequence = [int(row["seq"]) for row in rows]
    assert sequence == sorted(set(sequence))


def test_the_ledger_says_where_the_record_stood(exported: Exporting, world: World) -> None:
    team = exported.team
    ranking = world.rank(team.review_id, 5, 4, 3, 2, 1)
    world.serve(team.review_id, team.eve, limit=3)
    world.decide(team.review_id, team.eve, 5, "include")

    (row,) = exported.ledger(team.eve)

    assert (row["rank"], row["ranking_id"]) == ("1", str(ranking.id))


def test_the_ledger_of_the_blinded_is_their_own(exported: Exporting) -> None:
    team = exported.team

    assert {row["reviewer"] for row in exported.ledger(team.ann)} == {"ann"}
    assert len(exported.ledger(team.ann)) == 5
    assert exported.ledger(team.eve) == exported.ledger(team.observer) == []


def test_the_ledger_by_status(exported: Exporting) -> None:
    def records(who: Person, status: str) -> list[str]:
        return [row["record_id"] for row in exported.ledger(who, status=status)]

    team = exported.team
    assert records(team.owner, "included") == ["1", "1", "1"]
    assert records(team.owner, "unscreened") == ["4", "4"]
    assert records(team.ann, "done") == ["2"]
    assert len(exported.ledger(team.owner, stage="title_abstract")) == 9


@pytest.mark.both_engines
@pytest.mark.parametrize("page", [1, 2, 3])
def test_pages_lose_and_repeat_nothing(
    page: int, exported: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = exported.team.owner
    whole = exported(owner, "jsonl", include_duplicates="true").text, exported.ledger(owner)
    monkeypatch.setattr(export, "PAGE", page)
    monkeypatch.setattr(export_ledger, "PAGE", page)

    paged = exported(owner, "jsonl", include_duplicates="true").text, exported.ledger(owner)

    assert paged == whole
    assert len(whole[1]) == 9


@pytest.mark.parametrize("format", ["ris", "csv"])
def test_a_file_can_be_imported(format: ExportFormat, exported: Exporting) -> None:
    found = list(reading.read(exported(exported.team.eve, format).content).entries)

    assert [entry.title for entry in found if isinstance(entry, Entry)] == [
        f"Title {number}" for number in range(1, 6)
    ]


def test_a_workbook_opens(exported: Exporting) -> None:
    content = exported(exported.team.owner, "xlsx").content
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active

    assert sheet is not None
    assert [row[1] for row in sheet.values] == ["title", *(f"Title {n}" for n in range(1, 6))]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "format"),
        ("format=pdf", "format"),
        ("format=ris&status=lost", "status"),
        ("format=ris&stage=third", "stage"),
        ("format=ris&include_duplicates=perhaps", "include_duplicates"),
    ],
)
def test_a_malformed_query_is_refused_before_anything_is_sent(
    query: str, field: str, exported: Exporting
) -> None:
    url = f"{API}/reviews/{exported.team.review_id}/export?{query}"
    answer = exported.client.get(url, headers=exported.team.owner.auth)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("format", ["ris", "xlsx"])
def test_what_fails_before_the_first_byte_is_a_problem(
    format: str, exported: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(export, "_page", fail)
    url = f"{API}/reviews/{exported.team.review_id}/export?format={format}"
    answer = exported.client.get(url, headers=exported.team.owner.auth)

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_who_is_removed_meanwhile_gets_no_further_page(
    exported: Exporting, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    team = exported.team
    found = export.exported_records(
        world.database, review_id=team.review_id, user_id=team.ann.id, selection=export.Selection()
    )
    assert [next(found).id, next(found).id] == ["1", "2"]
    with world.database.write.begin() as session:
        review = reviews.lock(session, team.review_id)
        reviews.remove_member(session, review, user_id=team.ann.id)

    with pytest.raises(NotFound):
        next(found)
