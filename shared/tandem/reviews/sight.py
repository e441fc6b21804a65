"""What a role and a policy show somebody of others' verdicts, and the note of it when they lose it.

Somebody who has seen a verdict knows it, whatever their role is later. The note is what lets a
later decision of theirs be marked as informed.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy.orm import Session

from tandem.ids import UserId
from tandem.reviews.models import LockedReview, MemberSight, Review, Role
from tandem.reviews.policy import Policy, Stage


class Sight(NamedTuple):
    """Which verdicts of others somebody sees without a vote of their own on the record."""

    names: bool
    """All of them, by name."""
    settled: bool
    """Those on settled records."""
    conflicts: bool
    """Those in conflicts, by name or as A and B."""


NOTHING = Sight(names=False, settled=False, conflicts=False)


def sight(role: Role | None, policy: Policy) -> Sight:
    """Return what somebody with this role sees under a policy; None is no member."""
    if role is None:
        return NOTHING
    settles = role.reaches(Role.ADJUDICATOR)
    return Sight(
        names=not policy.blind or (settles and policy.adjudicator_sees == "all"),
        settled=settles or not policy.blind,
        conflicts=not policy.blind or (settles and policy.adjudicator_sees != "nothing"),
    )


def note_role(
    session: Session,
    review: LockedReview,
    policies: Mapping[Stage, Policy],
    user_id: UserId,
    before: Role | None,
    after: Role | None,
) -> None:
    """Note what somebody loses with their role."""
    for stage, policy in policies.items():
        _note(session, review, stage, user_id, sight(before, policy), sight(after, policy))


def note_policy(
    session: Session,
    review: LockedReview,
    stage: Stage,
    roles: Iterable[tuple[UserId, Role]],
    before: Policy,
    after: Policy,
) -> None:
    """Note what members lose with a policy.

    Of several policies within one transaction the first is what they had: nobody sees what is
    between.
    """
    had: Policy = session.info.setdefault(("policy", review.id, stage), before)
    for user_id, role in roles:
        _note(session, review, stage, user_id, sight(role, had), sight(role, after))


def _note(
    session: Session, review: Review, stage: Stage, user_id: UserId, had: Sight, has: Sight
) -> None:
    lost = [name for name in Sight._fields if getattr(had, name) and not getattr(has, name)]
    if not lost:
        return
    noted = session.get(MemberSight, (review.id, stage, user_id))
    if noted is None:
        noted = MemberSight(review_id=review.id, stage=stage, user_id=user_id)
        session.add(noted)
    if "names" in lost:
        noted.names_labels_seq = review.labels_seq
    if "settled" in lost:
        noted.settled_seq = review.last_seq
    if "conflicts" in lost:
        noted.conflicts_seq = review.last_seq
