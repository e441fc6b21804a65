"""Excludes that look like includes: asked for, worked out by a worker, listed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from service.domain.ranked_review import SLEEP, SOIL, TEXTS
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.base import now
from tandem.db.keyset import START, Cursor
from tandem.errors import Forbidden
from tandem.ids import ReviewId
from tandem.ranking import second_look_scores, second_looks
from tandem.ranking.models import SecondLook
from tandem.reviews import service as reviews
from tandem.screening import second_look
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines

SOIL_NUMBERS, SLEEP_NUMBERS = (1, 3, 5, 7), (2, 4, 6, 8)


class Worker:
    def __init__(self, world: World, settings: Settings) -> None:
        self.database = world.database
        self.artifacts = Artifacts(settings.resolved_artifact_url())
        self.cache = settings.data_dir / "cache"

    def make(self, review_id: ReviewId) -> bool:
        return second_look_scores.make(self.database, self.artifacts, self.cache, review_id)


@pytest.fixture
def worker(world: World, settings: Settings) -> Worker:
    return Worker(world, settings)


def screened(world: World, *, mistaken: int, policy: dict[str, Any] | None = None) -> Team:
    """Return a review that asks about sleep, where one record about sleep was excluded."""
    team = world.team(n_records=0, policy=policy or {}, question="Does sleep help memory?")
    world.records(team.review_id, team.owner, texts=TEXTS)
    for number in range(1, len(SLEEP) + len(SOIL) + 1):
        wanted = number in SLEEP_NUMBERS and number != mistaken
        for person in (team.ann, team.ben):
            world.decide(team.review_id, person, number, "include" if wanted else "exclude")
    return team


def ask(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, _):
        second_looks.ask(session, review, TA)


def listed(
    world: World, team: Team, who: Person, limit: int = 50, cursor: Cursor = START
) -> list[second_look.Doubtful]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=who.id)
        looks = second_looks.newest(session, team.review_id, TA)
        return list(
            second_look.doubtful(
                session,
                viewer=viewer,
                stage=TA,
                numbers=looks.numbers,
                scores=looks.scores,
                limit=limit,
                cursor=cursor,
            ).items
        )


def state(world: World, team: Team) -> str:
    with world.database.read() as session:
        return second_looks.newest(session, team.review_id, TA).state


@pytest.mark.parametrize("mistaken", SLEEP_NUMBERS)
def test_the_mistaken_exclude_comes_first(mistaken: int, world: World, worker: Worker) -> None:
    team = screened(world, mistaken=mistaken)
    ask(world, team)

    assert worker.make(team.review_id)

    found = listed(world, team, team.judge)
    assert {item.shown.record.number for item in found} == {*SOIL_NUMBERS, mistaken}
    assert found[0].shown.record.number == mistaken
    assert [item.likeness for item in found] == sorted(
        (item.likeness for item in found), reverse=True
    )
    assert all(0 <= item.likeness <= 1 for item in found)


def test_read_by_one_comes_before_what_two_have_read(world: World, worker: Worker) -> None:
    team = screened(world, mistaken=2, policy={"reviewers_per_record": 1})
    world.withdraw(team.review_id, team.ben, 7)
    ask(world, team)
    worker.make(team.review_id)

    found = listed(world, team, team.judge)

    assert [item.shown.record.number for item in found][:2] == [7, 2]
    assert [item.n_decisions for item in found] == [1, 2, 2, 2, 2]
    behind = Cursor((0, found[0].likeness, 7))
    assert listed(world, team, team.judge, 1, behind)[0].shown.record.number == 2


def test_what_is_no_longer_excluded_is_no_longer_listed(world: World, worker: Worker) -> None:
    team = screened(world, mistaken=2)
    ask(world, team)
    worker.make(team.review_id)
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, 2, "include")

    assert 2 not in {item.shown.record.number for item in listed(world, team, team.judge)}


def test_it_is_worked_out_when_asked_and_once(world: World, worker: Worker) -> None:
    team = screened(world, mistaken=2)

    assert state(world, team) == "none"
    assert not worker.make(team.review_id)
    ask(world, team)
    ask(world, team)
    assert state(world, team) == "asked"
    assert worker.make(team.review_id)
    assert state(world, team) == "ready"
    assert not worker.make(team.review_id)
    ask(world, team)
    assert state(world, team) == "asked"
    assert listed(world, team, team.judge)  # of before, meanwhile
    assert worker.make(team.review_id)


def test_too_few_decisions_give_no_scores(world: World, worker: Worker) -> None:
    team = world.team(n_records=3)
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, 1, "exclude")
    ask(world, team)

    assert worker.make(team.review_id)

    assert state(world, team) == "ready"
    assert listed(world, team, team.judge) == []


def let_time_pass(world: World) -> None:
    """Let the lease run out, and the wait after a failed try be over."""
    before = now() - timedelta(seconds=1)
    with world.database.write.begin() as session:
        session.execute(
            update(SecondLook).where(SecondLook.lease_until.is_not(None)).values(lease_until=before)
        )
        session.execute(update(SecondLook).values(not_before=before))


def unfinished(world: World) -> list[ReviewId]:
    with world.database.read() as session:
        return list(second_looks.unfinished(session))


def test_what_failed_is_still_due(
    world: World, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = screened(world, mistaken=2)
    assert unfinished(world) == []
    ask(world, team)
    assert unfinished(world) == [team.review_id]

    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(second_look_scores, "likeness", fails)
        with pytest.raises(MemoryError):
            worker.make(team.review_id)
    assert state(world, team) == "asked"
    let_time_pass(world)
    assert unfinished(world) == [team.review_id]
    assert worker.make(team.review_id)
    assert unfinished(world) == []


def test_who_was_taken_for_dead_brings_nothing(world: World) -> None:
    team = screened(world, mistaken=2)
    ask(world, team)
    slow = second_looks.claim(world.database, team.review_id)
    assert slow is not None
    assert second_looks.claim(world.database, team.review_id) is None
    let_time_pass(world)
    quick = second_looks.claim(world.database, team.review_id)
    assert quick is not None

    assert not second_looks.finish(world.database, slow, {"model": "slow"})
    assert second_looks.finish(world.database, quick, {"model": "quick"})

    with world.database.read() as session:
        row = session.get_one(SecondLook, (team.review_id, TA))
        assert (row.model, row.lease_until) == ("quick", None)


def test_while_somebody_works_nobody_else_may_try(
    world: World, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = screened(world, mistaken=2)
    ask(world, team)
    really = second_look_scores.likeness

    def slowly(*given: Any, **named: Any) -> Any:
        given_until = lease_until(world, team)
        while lease_until(world, team) <= given_until:
            pass  # the test's time limit ends a wait in vain
        return really(*given, **named)

    monkeypatch.setattr(second_looks, "LEASE", timedelta(milliseconds=300))
    monkeypatch.setattr(second_look_scores, "likeness", slowly)

    assert worker.make(team.review_id)
    assert state(world, team) == "ready"


def test_of_who_is_killed_nothing_is_left_in_seconds(world: World) -> None:
    team = screened(world, mistaken=2)
    ask(world, team)
    assert second_looks.claim(world.database, team.review_id)

    assert lease_until(world, team) <= now() + timedelta(seconds=10)


def lease_until(world: World, team: Team) -> datetime:
    with world.database.read() as session:
        until = session.get_one(SecondLook, (team.review_id, TA)).lease_until
    assert until is not None
    return until


def test_the_blinded_may_not_see_it(world: World) -> None:
    team = screened(world, mistaken=2)

    for who in (team.ann, team.eve, team.observer):
        with pytest.raises(Forbidden, match="owners and adjudicators"):
            listed(world, team, who)


def test_no_record_is_scored_by_a_model_that_has_seen_its_label(
    world: World, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tandem.ranking.learning import Case
    from tandem.ranking.presets import Preset

    team = screened(world, mistaken=2)
    seen: list[tuple[set[int], set[int]]] = []
    fit_all = Preset.fit_all

    def watched(self: Preset, features: Any, cases: Sequence[Case]) -> Any:
        for case in cases:
            unread = np.flatnonzero(np.isinf(case.draws))
            seen.append(({*case.labels.rows.tolist()}, {*unread.tolist()}))
        return fit_all(self, features, cases)

    monkeypatch.setattr(Preset, "fit_all", watched)
    ask(world, team)
    worker.make(team.review_id)

    excludes = {0, 1, 2, 4, 6}
    assert len(seen) == 5
    assert all(not labels & unseen for labels, unseen in seen)
    assert set.union(*(unseen for _, unseen in seen)) == excludes
