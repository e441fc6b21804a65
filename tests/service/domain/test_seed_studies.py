"""Which records the studies are that a team knew before."""

from collections.abc import Sequence

import pytest
from sqlalchemy import update

from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.records import seeds
from tandem.records.models import Record
from world import Team, World

pytestmark = pytest.mark.both_engines

TITLES = ["Walking after surgery: a trial", "Naïve Bayes and ﬁnance", "Το περπάτημα", ""]


@pytest.fixture
def team(world: World) -> Team:
    made = world.team(n_records=0)
    world.records(made.review_id, made.owner, texts=[(title, "Text") for title in TITLES])
    return made


def edit(database: Database, review_id: ReviewId, number: int, **values: object) -> None:
    record = (Record.review_id == review_id, Record.number == number)
    with database.write.begin() as session:
        session.execute(update(Record).where(*record).values(**values))


def found(
    database: Database, review_id: ReviewId, given: Sequence[str]
) -> dict[str, RecordNumber | None]:
    with database.read() as session:
        return seeds.find(session, review_id, given)


def test_each_is_found_by_what_it_is_named_by(database: Database, team: Team) -> None:
    edit(database, team.review_id, 1, doi="10.1000/walk", pmid="22000017")
    edit(database, team.review_id, 4, pmid="1984")
    given = {
        "https://doi.org/10.1000/WALK": 1,
        "PMID: 22000017": 1,
        "walking after surgery - a trial.": 1,
        "NAIVE BAYES AND FINANCE": 2,
        "ΤΟ ΠΕΡΠΆΤΗΜΑ": 3,
        "1984": 4,
        "10.1000/walk.2": None,
        "22000018": None,
        "Walking after surgery": None,
        "…": None,
    }

    assert found(database, team.review_id, [*given]) == given
    assert list(found(database, team.review_id, [*given])) == [*given], "in the order given"


def test_by_identifiers_alone_too(database: Database, team: Team) -> None:
    edit(database, team.review_id, 2, doi="10.1000/walk")
    edit(database, team.review_id, 3, pmid="17")

    answer = found(database, team.review_id, ["10.1000/walk", "pmid 17", "18"])

    assert answer == {"10.1000/walk": 2, "pmid 17": 3, "18": None}


def test_a_match_on_a_duplicate_counts_for_the_record_that_is_shown(
    database: Database, team: Team
) -> None:
    edit(database, team.review_id, 3, duplicate_of=1, doi="10.1000/elsewhere")

    answer = found(database, team.review_id, ["10.1000/elsewhere", "Το περπάτημα"])

    assert answer == {"10.1000/elsewhere": 1, "Το περπάτημα": 1}


def test_of_several_it_is_the_lowest_number(database: Database, team: Team) -> None:
    for number in (4, 2, 3):
        edit(database, team.review_id, number, doi="10.1000/supplement")
    edit(database, team.review_id, 4, duplicate_of=1)

    assert found(database, team.review_id, ["10.1000/supplement"]) == {"10.1000/supplement": 1}


def test_other_reviews_are_not_searched(world: World, database: Database, team: Team) -> None:
    other = world.team(n_records=1)
    edit(database, team.review_id, 1, doi="10.1000/walk")

    answer = found(database, other.review_id, ["10.1000/walk", TITLES[0]])

    assert answer == {"10.1000/walk": None, TITLES[0]: None}


def test_only_titles_that_are_no_record_are_missing(database: Database, team: Team) -> None:
    given = [TITLES[0], "Nobody found this", "10.1000/nor.this", "99", "…"]

    assert seeds.missing_titles(found(database, team.review_id, given)) == ["Nobody found this"]
