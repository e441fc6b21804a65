"""What waits for somebody in each of their reviews, as far as they may know it.

A few queries, however many reviews there are. A number that would tell a blinded reviewer how
others voted is None for them.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.rows import fetch
from tandem.ids import ReviewId, UserId
from tandem.ranking.models import SecondLook
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Import, ImportState, Record
from tandem.reviews import policy_versions
from tandem.reviews.models import Invitation, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded
from tandem.screening.conflicts import service as conflicts
from tandem.screening.models import ScreenedRecord
from tandem.screening.queue import remaining
from tandem.screening.queue.remaining import Share
from tandem.screening.rules import Status

_STAGE = Stage.TITLE_ABSTRACT


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a review. None: this person may not know.

    Attributes:
        conflicts: Open ones that they may see.
        duplicates: Groups that are proposed, for somebody to merge or keep apart.
        second_looks: Excluded records on the list of second looks, as far as it was made.
        imports_failed: Files that could not be read.
        invitations: Links that nobody has used and that are good still.
    """

    conflicts: int | None
    duplicates: int
    second_looks: int | None
    imports_failed: int
    invitations: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A review as its member finds it in their list.

    `share` is of title and abstract. `at_full_text` is how many full texts they can still assess;
    None for an observer.
    """

    review: Review
    viewer: Viewer
    share: Share
    at_full_text: int | None
    waiting: Waiting


def of_reviews(
    session: Session, found: Sequence[tuple[Review, Role]], *, user_id: UserId
) -> list[Overview]:
    """Return what is left and what waits for this person in each of these reviews of theirs."""
    in_force = policy_versions.policies_of_many(session, [review.id for review, _ in found])
    among = [
        (review, Viewer(review.id, user_id, role, in_force[review.id])) for review, role in found
    ]
    return _overviews(session, among, user_id)


def of_review(session: Session, review: Review, viewer: Viewer) -> Overview:
    """Return what is left and what waits for this person in one review."""
    return _overviews(session, [(review, viewer)], viewer.user_id)[0]


def _overviews(
    session: Session, among: Sequence[tuple[Review, Viewer]], user_id: UserId
) -> list[Overview]:
    shares = remaining.of_reviews(session, among, user_id=user_id)
    waits = _waiting(session, [viewer for _, viewer in among])
    texts = remaining.at_full_text(session, among, user_id=user_id)
    return [
        Overview(review, viewer, shares[review.id], texts.get(review.id), waits[review.id])
        for review, viewer in among
    ]


def _waiting(session: Session, viewers: Sequence[Viewer]) -> dict[ReviewId, Waiting]:
    ids = [viewer.review_id for viewer in viewers]
    owned = [viewer.review_id for viewer in viewers if viewer.has(Role.OWNER)]
    seeing = [viewer.review_id for viewer in viewers if is_unblinded(viewer, _STAGE)]
    in_conflict = conflicts.n_open(session, viewers)
    counts = _counts(session, ids, owned)
    doubtful = _second_looks(session, seeing)
    return {
        id: Waiting(
            conflicts=in_conflict.get(id),
            duplicates=counts.get((_DUPLICATES, id), 0),
            second_looks=doubtful.get(id, 0) if id in seeing else None,
            imports_failed=counts.get((_FAILED, id), 0),
            invitations=counts.get((_LINKS, id), 0) if id in owned else None,
        )
        for id in ids
    }


_DUPLICATES, _FAILED, _LINKS = range(3)


def _counts(
    session: Session, ids: Collection[ReviewId], owned: Collection[ReviewId]
) -> Mapping[tuple[int, ReviewId], int]:
    """Count what waits, by its kind and review, in one query; links only where they are owned."""
    asked = {"reviews": list(ids), "owned": list(owned), "now": now()}
    return {(row.kind, row.review_id): row.n for row in fetch(session, _COUNTS, asked)}


def _counted(
    kind: int, table: type[DuplicateGroup | Import | Invitation], *conditions: ColumnElement[bool]
) -> Select[int, ReviewId, int]:
    return (
        select(
            literal(kind, literal_execute=True).label("kind"),
            table.review_id.label("review_id"),
            func.count().label("n"),
        )
        .where(*conditions)
        .group_by(table.review_id)
    )


_REVIEWS: BindParameter[ReviewId] = bindparam("reviews", expanding=True)
_OWNED: BindParameter[ReviewId] = bindparam("owned", expanding=True)
_COUNTS = union_all(
    _counted(
        _DUPLICATES,
        DuplicateGroup,
        DuplicateGroup.review_id.in_(_REVIEWS),
        DuplicateGroup.state == GroupState.PROPOSED,
    ),
    _counted(_FAILED, Import, Import.review_id.in_(_REVIEWS), Import.state == ImportState.FAILED),
    _counted(
        _LINKS,
        Invitation,
        Invitation.review_id.in_(_OWNED),
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > bindparam("now"),
    ),
)


def _second_looks(session: Session, ids: Collection[ReviewId]) -> Mapping[ReviewId, int]:
    """Count the excluded records that have a score, where anybody has asked for scores."""
    if not ids:
        return {}
    made = select(SecondLook.review_id, SecondLook.numbers).where(
        SecondLook.review_id.in_(ids), SecondLook.stage == _STAGE, SecondLook.numbers.is_not(None)
    )
    scored = {id: np.frombuffer(numbers or b"", "<i4") for id, numbers in session.execute(made)}
    if not scored:
        return {}
    # One text for each review: row by row, Python would be at it for a second.
    excluded = (
        select(
            ScreenedRecord.review_id,
            func.aggregate_strings(cast(ScreenedRecord.record_number, String), ","),
        )
        .where(
            ScreenedRecord.review_id.in_(list(scored)),
            ScreenedRecord.stage == _STAGE,
            ScreenedRecord.status == Status.EXCLUDED,
        )
        .group_by(ScreenedRecord.review_id)
    )
    out = defaultdict[ReviewId, list[int]](list)
    gone = select(Record.review_id, Record.number).where(
        Record.review_id.in_(list(scored)), Record.is_left_out
    )
    for id, number in session.execute(gone):
        out[id].append(number)
    return {
        id: int(
            np.isin(np.setdiff1d(scored[id], out[id]), np.fromstring(numbers, "<i4", sep=",")).sum()
        )
        for id, numbers in session.execute(excluded)
    }
