"""The report of a review's methods, in three formats made of one document."""

import io
from datetime import date
from html import escape
from typing import Any

import docx
import docx.shared
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from prepared import Prepared
from service.api.scene import API
from tandem.records.models import Import, ImportState
from world import Team, World

EVIL = "Peers <script>alert(1)</script> & *stars* | pipes"


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Records 1 and 2 included, 3 excluded, 4 a settled conflict; one import is described."""
    criteria: dict[str, Any] = {"include": ["Adults"], "exclude": [EVIL]}
    team = world.team(n_records=5, title=EVIL, exclusion_reasons=["Not qualitative"], **criteria)
    for number, ann, ben in (
        (1, "include", "include"),
        (2, "include", "include"),
        (3, "exclude", "exclude"),
        (4, "include", "exclude"),
    ):
        world.decide(team.review_id, team.ann, number, ann)
        world.decide(team.review_id, team.ben, number, ben)
    world.resolve(team.review_id, team.judge, 4, "exclude")
    with world.database.write.begin() as session:
        row = session.scalars(select(Import)).one()
        row.searched_on, row.strategy = date(2026, 1, 31), "peer AND work"
    return team


def get(client: TestClient, team: Team, format: str) -> Any:
    answer = client.get(
        f"{API}/reviews/{team.review_id}/methods-report?format={format}", headers=team.judge.auth
    )
    assert answer.status_code == 200, answer.text
    return answer


def cells(content: bytes) -> list[list[str]]:
    tables = docx.Document(io.BytesIO(content)).tables
    return [[cell.text for cell in row.cells] for table in tables for row in table.rows]


@pytest.mark.both_engines
def test_its_numbers_are_those_of_the_flow(team: Team, client: TestClient) -> None:
    address = f"{API}/reviews/{team.review_id}/prisma"
    flow = client.get(address, headers=team.judge.auth).json()

    rows = cells(get(client, team, "docx").content)

    shown = [row[0] for row in rows]
    for key in ("database_results", "records_screened", "records_excluded", "dbr_sought_reports"):
        box = flow["boxes"][key]
        assert [box["label"], str(box["n"])] in rows
        assert shown.count(box["label"]) == 1, "a number stands there once"
    assert "Records identified from: Specific databases" not in shown
    assert ["… Medline", "5"] in rows
    assert ["Box of the flow diagram", f"n [as of event {flow['as_of']}]"] in rows
    assert ["Conflict about the verdict, resolved", "1"] in rows
    assert ["Percent agreement", "0.750"] in [[name, of[:5]] for name, of, *_ in rows]


@pytest.mark.both_engines
def test_each_search_whose_records_the_flow_counts_is_listed(
    team: Team, client: TestClient, world: World
) -> None:
    """Reading a file was given up; what had been read of it stays in the review."""
    world.records(team.review_id, team.owner, 2, source="Embase")
    with world.database.write.begin() as session:
        row = session.scalars(select(Import).where(Import.source == "Embase")).one()
        row.state, row.n_read, row.n_added = ImportState.FAILED, 2, 2

    rows = cells(get(client, team, "docx").content)

    assert ["… Embase", "2"] in rows
    (listed,) = [row for row in rows if row[0] == "Embase"]
    assert listed[5:7] == ["2", "2"]


def test_three_formats_say_the_same(team: Team, client: TestClient) -> None:
    word = docx.Document(io.BytesIO(get(client, team, "docx").content))
    html, markdown = get(client, team, "html").text, get(client, team, "md").text

    texts = [paragraph.text for paragraph in word.paragraphs]
    assert len(texts) > 20
    for text in texts:
        assert escape(text) in html
    plain = markdown.replace("\\", "")
    for text in texts:
        assert text in plain
    for table in word.tables:
        for row in table.rows:
            assert f"| {' | '.join(cell.text for cell in row.cells)} |" in plain


def test_no_word_of_a_table_is_broken_and_its_header_is_on_each_page(
    team: Team, client: TestClient
) -> None:
    found = docx.Document(io.BytesIO(get(client, team, "docx").content))
    for table in found.tables:
        widths = [column.width or 0 for column in table.columns]
        assert sum(widths) <= docx.shared.Inches(6)
        for column, width in zip(table.columns, widths, strict=True):
            words = [word for cell in column.cells for word in cell.text.split()]
            # At 9 points a letter takes 0.07 inches or less.
            assert width >= docx.shared.Inches(0.07 * max(map(len, words)))
        assert table.rows[0]._tr.xpath("w:trPr/w:tblHeader")


def test_texts_of_users_are_texts(team: Team, client: TestClient) -> None:
    answer = get(client, team, "html")
    assert "<script" not in answer.text
    assert escape(EVIL) in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "\\<script\\>" in get(client, team, "md").text


def test_what_is_left_to_the_team_is_visible(team: Team, client: TestClient) -> None:
    text = get(client, team, "md").text
    assert "The team adds: the full search strategy" not in text
    with_strategy = text.count("The team adds: ")
    assert with_strategy >= 8
    assert "peer AND work" in text
    assert "no certificate of recall" in text
    assert "No ranking was made: nothing ordered the records" in text


def test_a_ranking_ordered_and_excluded_nothing(
    team: Team, client: TestClient, world: World
) -> None:
    world.rank(team.review_id, 5, 4, 3, 2, 1)
    text = get(client, team, "md").text
    assert "given (1 ranking), seed 1" in text
    assert "ordered the records and never excluded one" in text


def test_each_version_of_the_criteria_is_in_it(team: Team, client: TestClient) -> None:
    answer = client.patch(
        f"{API}/reviews/{team.review_id}",
        json={"criteria": {"include": ["Adults of any age"], "exclude": []}},
        headers=team.owner.auth,
    )
    assert answer.status_code == 200, answer.text
    text = get(client, team, "md").text
    assert "Version 1, " in text
    assert "Version 2, " in text
    assert "Adults of any age" in text


def test_an_empty_review_has_one_too(client: TestClient, world: World) -> None:
    team = world.team(n_records=0)
    assert "Nobody has decided anything" in get(client, team, "md").text


def test_the_blinded_get_none(team: Team, client: TestClient) -> None:
    address = f"{API}/reviews/{team.review_id}/methods-report?format=md"
    assert client.get(address, headers=team.ann.auth).status_code == 403
