"""What follows from correcting a record: trainings, seed studies, the trail."""

from typing import Any

import pytest
from sqlalchemy import select

from tandem.events.log import Event
from tandem.ids import RecordNumber
from tandem.records import corrections, seeds
from tandem.records.models import Record
from tandem.reviews import service as reviews
from world import Team, World

pytestmark = pytest.mark.both_engines


def correct(world: World, team: Team, number: int = 1, **changes: Any) -> tuple[int, int]:
    """Correct a record as its owner; return how far corpus and labels have moved."""
    with world.entered(team.review_id, team.owner) as (session, review, _):
        before = review.corpus_seq, review.labels_seq
        corrections.correct(
            session, review, number=RecordNumber(number), changes=changes, by=team.owner.id
        )
        return review.corpus_seq - before[0], review.labels_seq - before[1]


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"title": "Another title"}, (1, 1)),
        ({"abstract": "Another abstract", "year": 1999}, (1, 1)),
        ({"keywords": ["peers"]}, (1, 1)),
        ({"year": 1999, "doi": "10.1000/17", "authors": ["Moran, Galia"]}, (0, 0)),
        ({"title": "Title 1", "year": 2020}, (0, 0)),
    ],
)
def test_other_texts_ask_for_features_and_a_ranking(
    world: World, changes: dict[str, Any], moved: tuple[int, int]
) -> None:
    assert correct(world, world.team(n_records=1), **changes) == moved


def test_a_seed_study_is_found_by_a_corrected_identifier(world: World) -> None:
    team = world.team(n_records=2, seed_studies=["10.1000/17"])

    assert correct(world, team, 2, doi="https://doi.org/10.1000/17") == (0, 1)
    assert correct(world, team, 2, volume="3") == (0, 0)
    with world.database.read() as session:
        review = reviews.get_review(session, team.review_id)
        assert seeds.find(session, review.id, review.seed_studies) == {"10.1000/17": 2}


def test_the_trail_says_who_changed_what_and_the_file_s_text_stays(world: World) -> None:
    team = world.team(n_records=1)
    with world.database.write.begin() as session:
        session.get_one(Record, (team.review_id, 1)).raw = "TI  - Title 1"
    correct(world, team, title="Another title", year=2020, pmid="PMID: 0017")

    with world.database.read() as session:
        record = session.get_one(Record, (team.review_id, 1))
        event = session.scalars(select(Event).order_by(Event.seq.desc()).limit(1)).one()
    assert (record.title, record.pmid, record.raw) == ("Another title", "17", "TI  - Title 1")
    assert event.data == {"changed": ["records/1"]}
    assert event.detail["by"] == str(team.owner.id)
    assert event.detail["from"] == {"title": "Title 1", "pmid": None}
    assert event.detail["to"] == {"title": "Another title", "pmid": "17"}
