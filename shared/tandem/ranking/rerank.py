"""Making rankings: claimed, trained outside any transaction, published under a fence."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.events import log
from tandem.events.progress import RankingProgress
from tandem.events.screening_types import RankingUpdated
from tandem.ids import RankingId, ReviewId, new_id
from tandem.log import logger
from tandem.progress import OnProgress as OfFeatures
from tandem.progress import Percent
from tandem.ranking import from_ledger, pace, training
from tandem.ranking.models import Ranking, Training
from tandem.ranking.pace import Timing
from tandem.ranking.recipes import DEFAULT_MODEL, Recipe
from tandem.ranking.within_memory import recipe_within
from tandem.records import shown
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.reviews.service import NoReview, ReviewArchived
from tandem.work import lease
from tandem.work.lease import Held, Overtaken

KEPT_ORDERS = 20
"""Rankings of a review whose order is kept: enough to look back, 0.8 MB each at 100,000 records."""

QUIET_SECONDS = 1.0
"""No progress is sent before this time. Most trainings take a tenth of it."""

OnProgress = Callable[[RankingProgress], object]
"""Called when a training begins, now and then while its features are made, and when it is over."""

_log = logger(__name__)


def rerank(
    database: Database,
    artifacts: Artifacts,
    cache: Path,
    review_id: ReviewId,
    *,
    timing: Timing,
    model: str = DEFAULT_MODEL,
    memory: int | None = None,
    on_progress: OnProgress = lambda _: None,
) -> datetime | None:
    """Train if anything is stale; return when the next training may begin, None if none was made.

    Safe to run twice, side by side, and to be killed anywhere. It trains once and waits for
    nothing: the caller asks again at the time returned, so that in the meantime the worker is there
    for other reviews, and what changes until then becomes one training. A review that takes more
    than `memory` MiB is ranked by a smaller recipe; see `within_memory`. `on_progress` is called at
    the end in any case, but for a worker that is killed: then its successor tells.
    """
    failed = RankingProgress(ranking="failed")
    held = training.claim(
        database,
        review_id,
        Stage.TITLE_ABSTRACT,
        lasting=timing.lease,
        given_up=lambda: on_progress(failed),
    )
    if held is None:
        return None
    on_progress(RankingProgress(ranking="started"))
    end = failed
    try:
        with lease.renewed(database, held) as require_held:
            with database.read() as session:
                n_records = shown.n_unlinked(session, review_id)
            how = recipe_within(model, n_records, memory)
            ranking = _train(
                database, artifacts, cache, held, how, _of_features(on_progress, require_held)
            )
        next_begin = _publish(database, held, ranking, timing.pause)
        if next_begin is not None:
            end = RankingProgress(ranking="finished")
        return next_begin
    except (NoReview, ReviewArchived):
        _log.warning("review archived or deleted meanwhile", review_id=str(review_id))
        training.give_back(database, held)
        return None
    except Overtaken:
        _log.warning("training was overtaken, and stopped", review_id=str(review_id))
        return None
    except Exception as error:
        training.fail(database, held, error)
        raise
    except BaseException:
        training.give_back(database, held)
        raise
    finally:
        on_progress(end)


def _train(
    database: Database,
    artifacts: Artifacts,
    cache: Path,
    held: Held[Training],
    how: Recipe,
    of_features: OfFeatures,
) -> Ranking:
    started = time.perf_counter()
    review_id, stage = held.row.review_id, held.row.stage
    made = from_ledger.rank_review(database, artifacts, cache, review_id, stage, how, of_features)
    return Ranking(
        id=RankingId(new_id()),
        review_id=review_id,
        stage=stage,
        model=how.name,
        preset=how.to_json(),
        kind=made.kind,
        labels_seq=made.labels_seq,
        corpus_seq=made.corpus_seq,
        n_labels=made.n_labels,
        n_relevant=made.n_relevant,
        n_ranked=len(made.numbers),
        n_vectors=made.n_vectors,
        seconds=time.perf_counter() - started,
        created_at=now(),
        terms=[*made.terms],
        reasons={str(number): [*why] for number, why in made.reasons.items()},
        numbers=made.numbers.astype("<i4").tobytes(),
        scores=made.scores.astype("<f4").tobytes(),
    )


def _of_features(on_progress: OnProgress, require_held: Callable[[], None]) -> OfFeatures:
    """Return what to call with how far the features are; it raises where the claim was lost.

    When they are made, fitting is left.

    How far that is hangs on verdicts: as long as all are the same there is next to nothing to fit.
    """

    def got_to(percent: int) -> None:
        if percent < 100:
            on_progress(RankingProgress(ranking="started", step="features", percent=percent))
        else:
            on_progress(RankingProgress(ranking="started", step="fitting"))

    percent = Percent(got_to, after=QUIET_SECONDS)

    def took_a_step(share: float) -> None:
        require_held()
        percent(share)

    return took_a_step


def _publish(
    database: Database, held: Held[Training], ranking: Ranking, pause: timedelta
) -> datetime | None:
    with database.write.begin() as session:
        review = reviews.lock(session, held.row.review_id)
        began_at = _began_at(ranking.created_at, ranking.seconds)
        next_begin = pace.next_begin([began_at, *_begun(session, ranking)], pause=pause)
        if not training.finish(session, held, labels_seq=ranking.labels_seq, not_before=next_begin):
            _log.warning("training came too late", review_id=str(held.row.review_id))
            return None
        # What has changed meanwhile did so after the labels were read.
        review.stale_since = began_at if review.taught_seq > ranking.labels_seq else None
        session.add(ranking)
        session.flush()
        _drop_old_orders(session, ranking)
        log.append(
            session,
            review,
            RankingUpdated(
                ranking_id=str(ranking.id), stage=ranking.stage, labels_seq=ranking.labels_seq
            ),
        )
        fields = {"kind": ranking.kind, "labels_seq": ranking.labels_seq}
    _log.info(
        "ranked", review_id=str(ranking.review_id), seconds=round(ranking.seconds, 3), **fields
    )
    return next_begin


def _begun(session: Session, newest: Ranking) -> list[datetime]:
    """Return when the trainings before this one began, as far back as `pace` looks."""
    before = (
        select(Ranking.created_at, Ranking.seconds)
        .where(Ranking.review_id == newest.review_id, Ranking.stage == newest.stage)
        .order_by(Ranking.labels_seq.desc())
        .limit(pace.SLOWEST)
    )
    return [_began_at(created_at, seconds) for created_at, seconds in session.execute(before)]


def _began_at(created_at: datetime, seconds: float) -> datetime:
    return created_at - timedelta(seconds=seconds)


def _drop_old_orders(session: Session, newest: Ranking) -> None:
    same = (Ranking.review_id == newest.review_id, Ranking.stage == newest.stage)
    kept = session.scalars(
        select(Ranking.labels_seq)
        .where(*same)
        .order_by(Ranking.labels_seq.desc())
        .limit(KEPT_ORDERS)
    ).all()
    session.execute(
        update(Ranking)
        .where(*same, Ranking.labels_seq < min(kept), Ranking.numbers.is_not(None))
        .values(numbers=None, scores=None, reasons=None)
        .execution_options(synchronize_session=False)
    )
