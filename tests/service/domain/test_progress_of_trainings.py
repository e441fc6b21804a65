"""A training tells of its begin, of its end in any case, and of nothing that hangs on verdicts."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from service.domain.ranked_review import (
    MINUTE,
    RankedReview,
    about_sleep,
    let_the_lease_run_out,
    newest,
    settle,
)
from tandem import progress
from tandem.db.session import Database
from tandem.events.progress import RankingProgress
from tandem.ranking import from_ledger, rerank, training
from tandem.ranking.models import Training
from tandem.work.attempts import MOST_TRIES
from world import TA, World

STARTED, FINISHED, FAILED = (
    RankingProgress(ranking=state) for state in ("started", "finished", "failed")
)


def instead(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen in the midst of the next training."""
    really = from_ledger.rank_review

    def rank_review(*given: object) -> object:
        monkeypatch.setattr(from_ledger, "rank_review", really)
        happens()
        return really(*given)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(from_ledger, "rank_review", rank_review)


def fail(error: BaseException) -> Callable[[], object]:
    def happens() -> None:
        raise error

    return happens


def test_a_quick_one_sends_only_begin_and_end(
    world: World, ranked_review: RankedReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerank, "QUIET_SECONDS", 60.0)  # none is quick on a busy machine
    team = about_sleep(world)
    ranked_review.rerank(team.review_id)

    assert ranked_review.progress == [STARTED, FINISHED]


def test_one_that_was_overtaken_stops_at_its_next_step(
    world: World, ranked_review: RankedReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerank, "QUIET_SECONDS", 60.0)
    team = about_sleep(world)

    def rank_review(*given: Any) -> None:
        with world.database.write.begin() as session:
            session.execute(update(Training).values(fence=Training.fence + 1))
        while True:  # until the next renewal of the lease finds it lost
            given[-1](0.5)

    monkeypatch.setattr(from_ledger, "rank_review", rank_review)
    assert ranked_review.rerank_once(team.review_id, timedelta(milliseconds=60)) is None
    assert ranked_review.progress == [STARTED, FAILED]


def test_where_nothing_is_due_nothing_is_sent(world: World, ranked_review: RankedReview) -> None:
    team = about_sleep(world)
    ranked_review.rerank(team.review_id)
    ranked_review.progress.clear()

    assert ranked_review.rerank_once(team.review_id) is None
    assert ranked_review.progress == []


@pytest.mark.parametrize("error", [MemoryError(), SystemExit()])
def test_one_that_fails_says_so(
    error: BaseException, world: World, ranked_review: RankedReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = about_sleep(world)
    instead(monkeypatch, fail(error))

    with pytest.raises(type(error)):
        ranked_review.rerank(team.review_id)

    assert ranked_review.progress == [STARTED, FAILED]


def test_so_does_one_that_cannot_be_stored(
    world: World, ranked_review: RankedReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = about_sleep(world)
    monkeypatch.setattr(rerank, "_drop_old_orders", lambda *_: fail(OSError())())

    with pytest.raises(OSError):  # noqa: PT011  # it says nothing
        ranked_review.rerank(team.review_id)

    assert ranked_review.progress == [STARTED, FAILED]


def test_one_that_comes_too_late_is_over_too(
    world: World, database: Database, ranked_review: RankedReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = about_sleep(world)

    def overtake() -> None:
        let_the_lease_run_out(database, team.review_id)
        ranked_review.rerank(team.review_id)

    instead(monkeypatch, overtake)
    ranked_review.rerank(team.review_id)

    assert ranked_review.progress == [STARTED, STARTED, FINISHED, FAILED]


def test_when_all_workers_have_died_of_it_the_one_that_gives_up_tells(
    world: World, database: Database, ranked_review: RankedReview
) -> None:
    team = about_sleep(world)
    for _ in range(MOST_TRIES):
        assert training.claim(database, team.review_id, TA, lasting=MINUTE)
        let_the_lease_run_out(database, team.review_id)

    assert ranked_review.rerank_once(team.review_id) is None

    assert ranked_review.progress == [FAILED]


@pytest.mark.parametrize("verdicts", [["exclude", "exclude"], ["exclude", "include"]])
def test_a_long_one_tells_the_same_whatever_the_verdicts(
    verdicts: Sequence[str],
    world: World,
    ranked_review: RankedReview,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rerank, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.0)
    team = about_sleep(world)
    for number, verdict in enumerate(verdicts, start=1):
        settle(world, team, number, verdict)
    world.decide(team.review_id, team.ann, 5, "exclude")

    ranked_review.rerank(team.review_id)

    kind = "model" if "include" in verdicts else "text"
    assert newest(ranked_review.database, team.review_id).kind == kind
    begin, *on_the_way, fitting, end = ranked_review.progress
    assert (begin, end) == (STARTED, FINISHED)
    assert fitting == RankingProgress(ranking="started", step="fitting")
    assert {(made.ranking, made.step) for made in on_the_way} == {("started", "features")}
    percentages = [made.percent or 0 for made in on_the_way]
    assert percentages == sorted(set(percentages))
    assert percentages[:8] == [1, 2, 3, 5, 6, 7, 8, 10], "eight texts are read"
