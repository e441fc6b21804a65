"""Decisions of real reviewers, stored by the services, against scikit-learn."""

import sys
from itertools import combinations
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from tandem.ids import ReviewId
from tandem.reviews import members
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening import decisions
from tandem.screening.agreement.service import AgreementOn, agreement
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.rules import Verdict
from world import TA, Person, World

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from dual_data import DualFile, counted, read_dual

DUAL = Path(__file__).parents[3].parent / "shared/data/dual"
BATCH = 50


@pytest.mark.data
@pytest.mark.parametrize(
    "name", [pytest.param("friends_2023", marks=pytest.mark.soak), "covid_misinformation"]
)
def test_kappa_of_real_decisions_is_scikit_learns(name: str, world: World) -> None:
    path = DUAL / f"{name}.csv.gz"
    if not path.is_file():
        pytest.skip("no shared/data/dual beside the checkout")
    data = read_dual(path)
    owner, review_id, people = store(world, data)

    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=owner.id)
        found = agreement(session, viewer=viewer, stage=TA, on=AgreementOn.ALL)

    assert len(found.pairs) == len(people) * (len(people) - 1) // 2
    for i, j in combinations(range(len(people)), 2):
        (pair,) = [
            p
            for p in found.pairs
            if {p.first.user_id, p.second.user_id} == {people[i].id, people[j].id}
        ]
        first, second = ([counted(row.verdicts[k]) for row in data.rows] for k in (i, j))
        assert pair.compared.figures.n == len(data.rows)
        assert pair.compared.figures.kappa.value == pytest.approx(cohen_kappa_score(first, second))
        agreed = sum(a == b for a, b in zip(first, second, strict=True))
        assert pair.compared.figures.percent.value == pytest.approx(agreed / len(data.rows))
    if len(people) == 2:
        figures = found.overall.figures
        assert figures.b + figures.c == sum(row.differs for row in data.rows)


def store(world: World, data: DualFile) -> tuple[Person, ReviewId, list[Person]]:
    """Decide all records as the reviewers of the file did, one after the other."""
    owner, *people = world.people("owner", *(f"reader{n}" for n in range(data.n_reviewers)))
    review_id = world.review(owner)
    texts = [(row.texts["title"], row.texts["abstract"]) for row in data.rows]
    numbers = world.records(review_id, owner, texts=texts)
    with world.database.write.begin() as session:
        review = reviews.lock(session, review_id)
        for person in people:
            members.set_member(session, review, user_id=person.id, role=Role.REVIEWER)
    for place, person in enumerate(people):
        decided = list(zip(numbers, data.rows, strict=True))
        for begin in range(0, len(decided), BATCH):
            with world.entered(review_id, person) as (session, review, viewer):
                for number, row in decided[begin : begin + BATCH]:
                    decisions.record_decision(
                        session,
                        review=review,
                        viewer=viewer,
                        record_number=number,
                        stage=TA,
                        given=DecisionInput(Verdict(row.verdicts[place])),
                    )
    return owner, review_id, people
