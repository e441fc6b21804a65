"""The votes on a record, and their labels, as far as somebody may see them."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, String, and_, cast, or_, select
from sqlalchemy.orm import Session, aliased

from tandem.accounts import service as accounts
from tandem.ids import UserId
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.sql import others_labels_are_visible
from tandem.screening.blinding.view import needs_history, view
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.ledger.loading import load
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.rules import Classification, Verdict


@dataclass(frozen=True, slots=True)
class ShownVote:
    """A present decision by name, or as A, B, C without what would tell who it was."""

    reviewer: str
    reviewer_id: UserId | None
    verdict: Verdict
    reasons: list[str]
    labels: list[str]
    note: str | None
    decided_at: datetime | None
    criteria_version: int | None
    classification: Classification | None = None


@dataclass(frozen=True, slots=True)
class LabelInUse:
    """On how many records a label is, as far as the viewer may see it, and by themselves."""

    label: str
    n_records: int
    n_own: int


def visible_votes(session: Session, *, viewer: Viewer, key: RecordKey) -> list[ShownVote]:
    """Return the present decisions on a record that are open to this person, their own too.

    The same as in a conflict: those who see all get what the policy shows an adjudicator until
    the record is settled, and everything from then on. A blinded reviewer gets their own, and
    once they have decided and it is settled those of all.
    """
    state, history = load(session, key), None
    if state.conflict is not None and needs_history(viewer, key.stage, state.status):
        (history,) = histories(session, [state.conflict])
    votes = view(viewer, state, history).votes
    names = accounts.names_of(session, [one.decision.reviewer_id for one in votes])
    shown = [
        _named(one.decision, names[one.decision.reviewer_id])
        if one.letter is None
        else _nameless(one.decision, one.letter)
        for one in votes
    ]
    return sorted(shown, key=lambda vote: (vote.reviewer_id is None, vote.reviewer))


def _named(one: Decision, name: str) -> ShownVote:
    return ShownVote(
        reviewer=name,
        reviewer_id=one.reviewer_id,
        verdict=_verdict(one),
        reasons=one.reasons,
        labels=one.labels,
        note=one.note,
        decided_at=one.created_at,
        criteria_version=one.criteria_version,
        classification=one.classification,
    )


def _nameless(one: Decision, letter: str) -> ShownVote:
    content = (_verdict(one), one.reasons, one.labels, one.note)
    return ShownVote(letter, None, *content, None, None, one.classification)


def _verdict(one: Decision) -> Verdict:
    if one.verdict is None:
        raise AssertionError("a withdrawal is nobody's present decision")
    return one.verdict


def labels_in_use(session: Session, *, viewer: Viewer, stage: Stage) -> list[LabelInUse]:
    """Return the labels that this person may see, the most frequent first."""
    n_records, n_own = Counter[str](), Counter[str]()
    seen = set[tuple[int, str]]()
    for number, by, labels in session.execute(_labelled(viewer, stage)):
        for label in dict.fromkeys(labels):
            n_own[label] += by == viewer.user_id
            n_records[label] += (number, label) not in seen
            seen.add((number, label))
    in_order = sorted(n_records, key=lambda label: (-n_records[label], label))
    return [LabelInUse(label, n_records[label], n_own[label]) for label in in_order]


def _labelled(viewer: Viewer, stage: Stage) -> Select[int, UserId, list[str]]:
    present, decision = aliased(PresentDecision), aliased(Decision)
    return (
        select(present.record_number, present.reviewer_id, decision.labels)
        .join(decision, decision.id == present.decision_id)
        .outerjoin(
            ScreenedRecord,
            and_(
                ScreenedRecord.review_id == present.review_id,
                ScreenedRecord.stage == present.stage,
                ScreenedRecord.record_number == present.record_number,
            ),
        )
        .outerjoin(
            PresentDecision,
            and_(
                PresentDecision.review_id == present.review_id,
                PresentDecision.stage == present.stage,
                PresentDecision.record_number == present.record_number,
                PresentDecision.reviewer_id == viewer.user_id,
            ),
        )
        .where(
            present.review_id == viewer.review_id,
            present.stage == stage,
            cast(decision.labels, String) != "[]",
            or_(present.reviewer_id == viewer.user_id, others_labels_are_visible(viewer, stage)),
        )
    )
