"""The list of records: filters, orders, pages."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from prepared import Prepared
from service.api.pages_of import pages_of
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.screening import catalogue
from world import Team, World

TEXTS = [
    ("Peer support in hospitals", "Interviews with WORKERS"),
    ("Übergang in die Pflege", "100% of nurses_and others"),
    ("Peer review of journals", "Editors"),
    ("Support by machines", 'The "quoted" one'),
    ("Nothing in common", "At all"),
]


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    made = world.team(n_records=0)
    world.records(made.review_id, made.owner, texts=TEXTS)
    years = [2001, None, 2003, 2003, 1999]
    with world.database.write.begin() as session:
        for number, year in enumerate(years, start=1):
            record = session.get_one(Record, (made.review_id, number))
            record.year, record.authors = year, [f"Author{number}, A."]
        session.get_one(Record, (made.review_id, 4)).source = "Embase"
    return made


AUTHORS: tuple[list[str], ...] = (
    [],
    ["Smith, J.", 'Ó "Neil", A.'],
    ["[Group], The", "back\\slash"],
)


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("%5B", ["3"]),
        ("%5D,", ["3"]),
        ("smith,", ["2"]),
        ("%22", ["2"]),
        ("%C3%B3%20%22neil%22,", ["2"]),
        ("%22,", ["2"]),
        ("j.%22", []),
        ("k%5Cs", ["3"]),
        ("%5C%22", []),
    ],
)
def test_authors_are_searched_as_people_read_them(
    client: TestClient, world: World, word: str, expected: list[str]
) -> None:
    team = world.team(n_records=0)
    world.records(team.review_id, team.owner, texts=[("Title", "Abstract")] * len(AUTHORS))
    with world.database.write.begin() as session:
        for number, authors in enumerate(AUTHORS, start=1):
            session.get_one(Record, (team.review_id, number)).authors = list(authors)

    assert ids(client, team, f"q={word}") == expected


def ids(client: TestClient, team: Team, query: str, who: str = "owner") -> list[str]:
    url = f"/api/v1/reviews/{team.review_id}/records?{query}"
    answer = client.get(url, headers=getattr(team, who).auth)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["1", "2", "3", "4", "5"]),
        ("q=peer", ["1", "3"]),
        ("q=PEER%20support", ["1"]),
        ("q=workers", ["1"]),
        ("q=%C3%BCBERGANG", ["2"]),
        ("q=100%25", ["2"]),
        ("q=%25", ["2"]),
        ("q=_", ["2"]),
        ("q=author3", ["3"]),
        ("q=%22quoted%22", ["4"]),
        ("q=%20%20", ["1", "2", "3", "4", "5"]),
        ("q=peer%20peer%20peer", ["1", "3"]),
        ("q=%27;--", []),
        ("source=Embase", ["4"]),
        ("source=Scopus", []),
        ("source=Medline&q=peer", ["1", "3"]),
        ("order=year", ["3", "4", "1", "5", "2"]),
        ("order=added", ["1", "2", "3", "4", "5"]),
        ("order=rank", ["1", "2", "3", "4", "5"]),
    ],
)
def test_filters_and_orders(
    client: TestClient, team: Team, query: str, expected: list[str]
) -> None:
    assert ids(client, team, query) == expected


def test_by_rank_the_unranked_come_last(client: TestClient, team: Team, world: World) -> None:
    world.rank(team.review_id, 4, 1, 3)

    assert ids(client, team, "order=rank") == ["4", "1", "3", "2", "5"]
    assert ids(client, team, "order=rank&q=peer") == ["1", "3"]


@pytest.mark.parametrize("most", [0, 1, 2, 2000])
def test_by_rank_it_is_all_the_same_how_far_a_ranking_is_looked_through(
    client: TestClient, team: Team, world: World, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(catalogue, "_MOST_LOOKED_UP", most)
    world.rank(team.review_id, 4, 1, 3)
    url = f"/api/v1/reviews/{team.review_id}/records?order=rank&limit=1"
    for filtered, expected in (("", ["4", "1", "3", "2", "5"]), ("&q=peer", ["1", "3"])):
        pages = pages_of(client, url + filtered, team.owner)
        assert [item["id"] for page in pages for item in page] == expected


def test_by_status_and_own_label(client: TestClient, team: Team, world: World) -> None:
    world.decide(team.review_id, team.ann, 1, "include", labels=["pilot", 'odd "%_\\ ü'])
    world.decide(team.review_id, team.ben, 1, "include", labels=["his"])
    world.decide(team.review_id, team.ann, 2, "include", labels=["pil"])
    world.decide(team.review_id, team.ben, 3, "exclude")

    assert ids(client, team, "status=included") == ["1"]
    assert ids(client, team, "status=awaiting") == ["2", "3"]
    assert ids(client, team, "status=unscreened") == ["4", "5"]
    assert ids(client, team, "status=awaiting", "ann") == []
    assert ids(client, team, "status=done", "ann") == ["2"]
    assert ids(client, team, "status=unscreened", "ann") == ["3", "4", "5"]
    assert ids(client, team, "label=pilot", "ann") == ["1"]
    assert ids(client, team, "label=pil", "ann") == ["2"]
    assert ids(client, team, "label=odd%20%22%25_%5C%20%C3%BC", "ann") == ["1"]
    # Both have decided record 1, and it is settled: his label is open to her.
    assert ids(client, team, "label=his", "ann") == ["1"]
    assert ids(client, team, "label=his", "eve") == []


@pytest.mark.parametrize("order", ["rank", "added", "year"])
def test_who_decides_what_a_page_shows_misses_nothing_on_the_next(
    client: TestClient, team: Team, world: World, order: str
) -> None:
    world.rank(team.review_id, 5, 3)
    url = f"/api/v1/reviews/{team.review_id}/records?status=unscreened&order={order}&limit=2"
    seen, cursor = [], ""
    while True:
        page = client.get(url + cursor, headers=team.ann.auth).json()
        for item in page["items"]:
            seen.append(item["id"])
            world.decide(team.review_id, team.ann, int(item["id"]), "exclude")
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert sorted(seen) == ["1", "2", "3", "4", "5"]


def test_pages_by_rank_go_on_in_the_order_they_began_with(
    client: TestClient, team: Team, world: World
) -> None:
    world.rank(team.review_id, 5, 4, 3, 2, 1)
    url = f"/api/v1/reviews/{team.review_id}/records?order=rank&limit=2"
    first = client.get(url, headers=team.ann.auth).json()
    world.decide(team.review_id, team.ben, 1, "include")
    world.rank(team.review_id, 1, 2, 3, 4, 5)
    url = url.replace("limit=2", f"limit=5&cursor={first['next_cursor']}")
    rest = client.get(url, headers=team.ann.auth).json()

    assert [item["id"] for item in first["items"] + rest["items"]] == ["5", "4", "3", "2", "1"]


def test_pages_that_began_before_the_first_ranking_go_on_without_it(
    client: TestClient, team: Team, world: World
) -> None:
    url = f"/api/v1/reviews/{team.review_id}/records?order=rank&limit=2"
    first = client.get(url, headers=team.ann.auth).json()
    world.rank(team.review_id, 5, 4, 3, 1, 2)
    url = url.replace("limit=2", f"limit=5&cursor={first['next_cursor']}")
    rest = client.get(url, headers=team.ann.auth).json()

    assert [item["id"] for item in first["items"] + rest["items"]] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("order", ["rank", "added", "year"])
def test_pages_hold_every_record_once(
    client: TestClient, team: Team, world: World, order: str
) -> None:
    world.rank(team.review_id, 5, 3)
    url = f"/api/v1/reviews/{team.review_id}/records?order={order}&limit=2"
    pages = pages_of(client, url, team.owner)

    assert {len(page) for page in pages[:-1]} == {2}
    found = [item["id"] for page in pages for item in page]
    assert found == ids(client, team, f"order={order}")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        (f"limit={'9' * 5000}", "limit"),
        ("cursor=!!!!", "cursor"),
        ("cursor=LTE=", "cursor"),
        ("cursor=AA==", "cursor"),
        ("cursor=%C3%BC", "cursor"),
        ("cursor=A", "cursor"),
        ("cursor=OTk5OTk5OTk5OTk5OTk5", "cursor"),
        (f"cursor={'A' * 501}", "cursor"),
        ("status=lost", "status"),
        ("order=random", "order"),
        ("stage=abstract", "stage"),
        ("q=%00", "q"),
        (f"q={'x' * 501}", "q"),
        ("source=%00", "source"),
        ("label=%00", "label"),
    ],
)
def test_a_malformed_query_names_its_field(
    client: TestClient, team: Team, query: str, field: str
) -> None:
    url = f"/api/v1/reviews/{team.review_id}/records?{query}"

    answer = client.get(url, headers=team.owner.auth)

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["location"]) == (field, "query")


@pytest.mark.parametrize(
    "path", ["reviews", "reviews/{r}/conflicts", "reviews/{r}/imports", "reviews/{r}/rankings"]
)
@pytest.mark.parametrize("cursor", ["!!!!", "LTE=", "bm90IG9uZQ=="])
def test_a_cursor_that_no_list_gave_is_refused(
    client: TestClient, team: Team, path: str, cursor: str
) -> None:
    url = f"/api/v1/{path.format(r=team.review_id)}?cursor={cursor}"

    answer = client.get(url, headers=team.owner.auth)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"


def test_linked_duplicates_stand_with_their_record(
    client: TestClient, team: Team, world: World
) -> None:
    with world.database.write.begin() as session:
        session.get_one(Record, (team.review_id, 4)).duplicate_of = RecordNumber(1)
    url = f"/api/v1/reviews/{team.review_id}/records"

    def get(path: str) -> Any:
        return client.get(f"{url}{path}", headers=team.owner.auth).json()

    assert ids(client, team, "") == ["1", "2", "3", "5"]
    assert ids(client, team, "source=Embase") == ["1"]
    shown = get("/1")
    assert shown["duplicates"] == [{"id": "4", "title": TEXTS[3][0], "source": "Embase"}]
    assert [source["source"] for source in shown["sources"]] == ["Medline", "Embase"]
    assert get("/4")["duplicate_of"] == "1"
    answer = client.put(f"{url}/4/decision", json={"verdict": "include"}, headers=team.ann.auth)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["record_id"]) == (409, "is_duplicate", "1")


def test_a_record_has_what_the_contract_names(client: TestClient, team: Team, world: World) -> None:
    shown = client.get(f"/api/v1/reviews/{team.review_id}/records/1", headers=team.ann.auth).json()

    with world.database.read() as session:
        import_id = session.get_one(Record, (team.review_id, 1)).import_id
    assert shown["sources"] == [{"source": "Medline", "import_id": str(import_id), "ref": None}]
    assert shown.keys() >= {
        "id", "title", "abstract", "authors", "year", "journal", "doi", "pmid", "url",
        "keywords", "language", "sources", "duplicates", "stage", "status", "my_decision",
    }  # fmt: skip
    assert (shown["stage"], shown["status"], shown["my_decision"]) == (
        "title_abstract",
        "unscreened",
        None,
    )


def test_a_record_says_that_it_is_removed_before_screening(
    client: TestClient, world: World
) -> None:
    team = world.team(n_records=2)
    path = f"/api/v1/reviews/{team.review_id}/records/2"
    assert client.get(path, headers=team.ann.auth).json()["removal"] is None
    body = {"kind": "other", "reason": "Retracted"}
    said = client.put(f"{path}/removal", json=body, headers=team.owner.auth).json()

    for who in (team.ann, team.owner, team.observer):
        assert client.get(path, headers=who.auth).json()["removal"] == said
    client.delete(f"{path}/removal", headers=team.owner.auth)
    assert client.get(path, headers=team.ann.auth).json()["removal"] is None
