"""What becomes of the resolution of a record that is linked to another one, or parted from it."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import ConflictId, DecisionId, RecordNumber, UserId, new_id
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy
from tandem.screening import ledger
from tandem.screening.ledger import Place
from tandem.screening.models import (
    Conflict,
    ConflictState,
    Decision,
    Resolution,
    ResolvedBy,
)
from tandem.screening.rules import ConflictKind, Status, Verdict

_BECAUSE = ResolvedBy.DUPLICATE


def meet(
    session: Session,
    review: Review,
    policy: Policy,
    place: Place,
    votes: Sequence[Decision],
    own: Mapping[UserId, Decision],
    settled: Resolution | None,
) -> None:
    """Settle a record to which votes have come, perhaps with the resolution they had led to.

    A resolution goes with its votes to a record that has none of its own. Of two resolutions
    the one that keeps the record in stands. One that excludes stands aside for votes that do
    not and that it never saw: then there is a difference to settle. The caller has raised the
    review's `labels_seq` to the number that a resolution gets here.
    """
    there = ledger.standing_resolution(session, place)
    includes = settled is not None and settled.verdict is Verdict.INCLUDE
    stands_aside = False
    if there is not None and there.verdict is Verdict.EXCLUDE:
        unseen = any(vote.verdict is not Verdict.EXCLUDE for vote in votes)
        stands_aside = there.is_set_aside = includes or (settled is None and unseen)
    status = ledger.settle(session, review, policy, place, because=_BECAUSE)
    if settled is None:
        return
    # Beside other people's votes it is one voice among them, unless it alone keeps the record.
    alone = stands_aside or (
        there is None and (not own or (status is Status.EXCLUDED and includes))
    )
    if alone:
        _settle_as_there(session, review, policy, place, settled)


def _settle_as_there(
    session: Session, review: Review, policy: Policy, place: Place, settled: Resolution
) -> None:
    """Let a resolution go with the votes that it settled."""
    conflict = ledger.conflict_at(session, place)
    if conflict is None:
        conflict = Conflict(
            id=ConflictId(new_id()),
            review_id=place.review_id,
            record_number=place.record_number,
            stage=place.stage,
            state=ConflictState.RESOLVED,
            kind=ConflictKind.VERDICT,
            opened_at=now(),
            opened_seq=review.labels_seq,
            resolved_at=now(),
            resolved_by=ResolvedBy.RESOLUTION,
        )
        session.add(conflict)
        session.flush()
    session.add(
        Resolution(
            id=DecisionId(new_id()),
            conflict_id=conflict.id,
            review_id=review.id,
            record_number=place.record_number,
            stage=place.stage,
            labels_seq=review.labels_seq,
            verdict=settled.verdict,
            reasons=settled.reasons,
            note=settled.note,
            cause=settled.cause,
            criterion=settled.criterion,
            resolver_id=settled.resolver_id,
            carried_from=settled.record_number,
            is_set_aside=False,
            created_at=now(),
        )
    )
    ledger.settle(session, review, policy, place, because=ResolvedBy.RESOLUTION)


def release(session: Session, place: Place, staying: Collection[RecordNumber]) -> None:
    """Take carried resolutions back; one that stood aside for others stands again."""
    query = select(Resolution).where(
        Resolution.review_id == place.review_id,
        Resolution.stage == place.stage,
        Resolution.record_number == place.record_number,
    )
    for resolution in session.scalars(query).all():
        if resolution.carried_from is None:
            resolution.is_set_aside = resolution.is_set_aside and bool(staying)
        elif resolution.carried_from not in staying:
            session.delete(resolution)
    session.flush()
