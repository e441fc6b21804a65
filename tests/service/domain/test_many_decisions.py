"""Many decisions at once come to the same as one after the other."""

import random
from typing import Any

import pytest
from sqlalchemy import select

from tandem.db.session import Database
from tandem.errors import TandemError
from tandem.events.log import Event
from tandem.ids import RecordNumber, ReviewId
from tandem.reviews.policy import Stage
from tandem.screening import decisions
from tandem.screening.decisions import Asked, NewWithdrawal
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.queue.order import NO_ORDER
from tandem.screening.recording import NewVote, Recorded
from tandem.screening.rules import Verdict
from world import Team, World

TA = Stage.TITLE_ABSTRACT
N_RECORDS = 12
CONSENSUS = {"resolution": "consensus", "adjudicator_sees": "anonymous"}


def made(world: World) -> Team:
    """Return a review in which others have decided, settled, differed and seen one another."""
    team = world.team(n_records=N_RECORDS, policy=CONSENSUS)
    r = team.review_id
    for who, number, verdict in (
        (team.ann, 1, "include"),
        (team.ben, 1, "include"),
        (team.ben, 2, "exclude"),
        (team.ann, 3, "exclude"),
        (team.ben, 3, "include"),
        (team.ben, 4, "exclude"),
        (team.ann, 6, "exclude"),
        (team.ben, 7, "include"),
        (team.eve, 8, "include"),
    ):
        world.decide(r, who, number, verdict)
    world.withdraw(r, team.ann, 3)  # she has seen that they differ
    world.merge(r, team.owner, 4, 5)
    return team


def some(dice: random.Random) -> list[Asked]:
    asked: list[Asked] = []
    for _ in range(30):
        number = RecordNumber(dice.randint(1, N_RECORDS + 1))
        if dice.random() < 0.15:
            asked.append((TA, NewWithdrawal(number)))
        else:
            verdict = dice.choice(list(Verdict))
            asked.append((dice.choice([TA, TA, TA, Stage.FULL_TEXT]), vote(number, verdict)))
    return asked


def vote(number: RecordNumber, verdict: Verdict) -> NewVote:
    return NewVote(number, DecisionInput(verdict, reasons=["why"]))


def at_once(world: World, team: Team, asked: list[Asked]) -> list[Recorded | TandemError]:
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        return decisions.decide_many(
            session, review=review, viewer=viewer, asked=asked, newest=lambda _: NO_ORDER
        )


def one_by_one(world: World, team: Team, asked: list[Asked]) -> list[Recorded | TandemError]:
    done: list[Recorded | TandemError] = []
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        which = {"review": review, "viewer": viewer}
        for stage, each in asked:
            named: Any = which | {"record_number": each.record_number, "stage": stage}
            try:
                if isinstance(each, NewVote):
                    done.append(decisions.record_decision(session, given=each.given, **named))
                else:
                    done.append(decisions.withdraw_decision(session, **named))
            except TandemError as error:
                done.append(error)
    return done


def results_of(answers: list[Recorded | TandemError]) -> list[Any]:
    return [
        each.code
        if isinstance(each, TandemError)
        else (
            each.status,
            each.changed,
            each.labels_seq,
            each.decision and (each.decision.verdict, each.decision.informed),
        )
        for each in answers
    ]


def stored(database: Database, review_id: ReviewId) -> list[Any]:
    """Return the ledger, what is in force, the statuses and the log, without ids and times."""
    d, s, e = Decision, ScreenedRecord, Event
    with database.read() as session:
        rows = [
            select(d.labels_seq, d.record_number, d.verdict, d.informed).order_by(d.labels_seq),
            select(s.record_number, s.stage, s.status, s.n_decisions).order_by(
                s.stage, s.record_number
            ),
            select(e.seq, e.open_seq, e.type).order_by(e.seq),
            select(d.labels_seq)
            .join(PresentDecision, PresentDecision.decision_id == d.id)
            .order_by(d.labels_seq),
        ]
        return [session.execute(query.where(_review(query) == review_id)).all() for query in rows]


def _review(query: Any) -> Any:
    return query.column_descriptions[0]["entity"].review_id


@pytest.mark.both_engines
@pytest.mark.parametrize("seed", [1, 2])
def test_they_come_to_the_same_as_one_by_one(world: World, database: Database, seed: int) -> None:
    asked = some(random.Random(seed))
    one, other = made(world), made(world)

    answers = at_once(world, one, asked)

    assert results_of(answers) == results_of(one_by_one(world, other, asked))
    assert stored(database, one.review_id) == stored(database, other.review_id)
    assert any(isinstance(each, TandemError) for each in answers)
    assert any(row.informed for row in stored(database, one.review_id)[0])
