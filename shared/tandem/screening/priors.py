"""Decisions that an imported file carries from an earlier screening, taken over when asked."""

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, or_, select, update
from sqlalchemy.orm import Session, aliased

from tandem.accounts import service as accounts
from tandem.accounts.models import IMPORTED
from tandem.db.base import now
from tandem.db.pieces import pieces
from tandem.errors import Conflict as Contradiction
from tandem.ids import ImportId, RecordNumber, ReviewId, UserId
from tandem.records import imports
from tandem.records.models import Import, ImportState, Record
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.decisions import record_decision
from tandem.screening.duplicates import transfer
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.ledger.loading import load
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Decision
from tandem.screening.rules import Verdict

_STAGE = Stage.TITLE_ABSTRACT


class Unfinished(Contradiction):
    """The import is not done yet, so its decisions are not all known."""

    code = "unfinished"


def take(session: Session, review: LockedReview, viewer: Viewer, *, import_id: ImportId) -> Import:
    """Enter the decisions that an import's records carry, as votes of imported reviewers.

    Each person whom the file names becomes a reviewer of their own, "Ann (imported)", who has no
    way to sign in; decisions of nobody in particular are those of "Imported". Their votes count
    as any others do. Of several of one person on records that are linked, the one that keeps the
    record in counts. Those on records that are not screened are left out; taking them a second
    time enters those that are screened by then. What was weighed once never is again: an owner may
    have voided it.

    Raises:
        NotFound: The review has no such import.
        Forbidden: Only an owner may.
        Unfinished: The import is still at work, or failed.
    """
    viewer.require(Role.OWNER, "take over earlier decisions")
    row = imports.get_import(session, review_id=review.id, import_id=import_id)
    if row.state is not ImportState.DONE:
        raise Unfinished("This import is not done yet.")
    _take_all(session, review, viewer, Record.import_id == row.id)
    if row.priors_taken_at is None:
        row.priors_taken_at = now()
    return row


def take_of_restored(
    session: Session, review: LockedReview, viewer: Viewer, number: RecordNumber
) -> None:
    """Enter what is left of the decisions that a record carries, as a second `take` does.

    That is where they were taken over while it was removed.
    """
    linked = or_(Record.number == number, Record.duplicate_of == number)
    taken = Import.priors_taken_at.is_not(None)
    _take_all(session, review, viewer, Record.review_id == review.id, linked, taken)


def _take_all(
    session: Session, review: LockedReview, viewer: Viewer, *which: ColumnElement[bool]
) -> None:
    shown = aliased(Record)
    imported = (
        select(Record.number, shown.number, Record.priors)
        .join(Import, Import.id == Record.import_id)
        .join(
            shown,
            and_(
                shown.review_id == Record.review_id,
                shown.number == Record.shown_as,
            ),
        )
        .where(
            *which,
            cast(Record.priors, String) != "[]",
            ~Record.priors_taken,
            ~shown.is_left_out,
        )
        .order_by(Record.number)
    )
    weighed = list[RecordNumber]()
    strongest: dict[tuple[RecordNumber, str | None], dict[str, Any]] = {}
    for number, shown_as, priors in session.execute(imported):
        weighed.append(number)
        for prior in priors:
            key = (shown_as, prior.get("by"))
            strongest[key] = max(strongest.get(key, prior), prior, key=_weight)
    reviewers: dict[str | None, UserId] = {}
    for (number, by), prior in strongest.items():
        if by not in reviewers:
            reviewers[by] = _imported_reviewer(session, review.id, by)
        _take_one(session, review, viewer, reviewers[by], number, prior)
    for some in pieces(weighed):
        session.execute(
            update(Record)
            .where(Record.review_id == review.id, Record.number.in_(some))
            .values(priors_taken=True)
        )


def _take_one(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    reviewer_id: UserId,
    number: RecordNumber,
    prior: dict[str, Any],
) -> None:
    """Enter a decision; beside the same person's from another file the stronger one counts.

    Then both are entered, whichever that is: the weaker one's reasons and labels are kept, and
    the number of entries does not tell which it was.
    """
    state = load(session, RecordKey(review.id, _STAGE, number))
    all_given, there = [_given(prior)], state.votes.get(reviewer_id)
    if there is not None:
        all_given.append(_stronger(there, all_given[0]))
    for given in all_given:
        record_decision(
            session,
            review=review,
            viewer=Viewer(review.id, reviewer_id, Role.REVIEWER, viewer.policies),
            record_number=number,
            stage=_STAGE,
            given=given,
            in_any_case=True,
        )


def _stronger(there: Decision, here: DecisionInput) -> DecisionInput:
    if there.verdict is None or transfer.WEIGHT[there.verdict] < transfer.WEIGHT[here.verdict]:
        return here
    return DecisionInput(there.verdict, there.reasons, there.labels, there.note)


def _weight(prior: dict[str, Any]) -> int:
    return transfer.WEIGHT[Verdict(prior["verdict"])]


def _given(prior: dict[str, Any]) -> DecisionInput:
    return DecisionInput(
        Verdict(prior["verdict"]), reasons=list(prior["reasons"]), labels=list(prior["labels"])
    )


def _imported_reviewer(session: Session, review_id: ReviewId, by: str | None) -> UserId:
    """Return the account that stands for somebody named in a file of this review."""
    digest = hashlib.sha256(f"{review_id} {by or ''}".encode()).hexdigest()[:32]
    email = f"{digest}{IMPORTED}"
    known = accounts.find_user(session, email=email)
    if known is not None:
        return known.id
    name = f"{by} (imported)" if by else "Imported"
    user = accounts.add_user(session, email=email, name=name, password=None, is_admin=False)
    return user.id
