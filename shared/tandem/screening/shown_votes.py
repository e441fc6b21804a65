"""The votes on a record, and their labels, as far as somebody may see them."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, String, and_, cast, or_, select, true
from sqlalchemy.orm import Session, aliased

from tandem.accounts import service as accounts
from tandem.ids import UserId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import hides_open_votes, hides_votes
from tandem.screening.conflicts.shown import votes_open_to
from tandem.screening.export import sees_of
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.ledger.state import RecordKey, load
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.rules import Status, Verdict

_SETTLED = [Status.INCLUDED, Status.EXCLUDED]


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


@dataclass(frozen=True, slots=True)
class LabelInUse:
    """On how many records a label is, as far as the viewer may see it, and by themselves."""

    label: str
    n_records: int
    n_own: int


def shown_votes(session: Session, *, viewer: Viewer, key: RecordKey) -> list[ShownVote]:
    """Return the present decisions on a record that are open to this person, their own too.

    The same as in a conflict: those who see all get what the policy shows an adjudicator until
    the record is settled, and everything from then on. A blinded reviewer gets their own, and
    once they have decided and it is settled those of all.
    """
    state = load(session, key)
    present, status = dict(state.votes), state.status
    is_blinded = not viewer.sees_all(key.stage)
    if is_blinded and not (viewer.user_id in present and status.is_settled):
        present = {by: one for by, one in present.items() if by == viewer.user_id}
    letters: Mapping[UserId, str] = {}
    conflict = state.conflict
    if (
        conflict is not None
        and status is Status.CONFLICT
        and hides_votes(viewer, key.stage, status)
    ):
        (history,) = histories(session, [conflict])
        present, letters = votes_open_to(viewer, history), history.letters()
    people = accounts.users_by_id(session, set(present))
    shown = []
    for by, one in present.items():
        sees = sees_of(viewer, key.stage, status, by)
        if sees == "all":
            shown.append(_named(one, people[by].name))
        elif sees == "anonymous":
            shown.append(_nameless(one, letters[by]))
    # Those without a name by their letter, not by time: who voted first would tell A from B.
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
    )


def _nameless(one: Decision, letter: str) -> ShownVote:
    return ShownVote(letter, None, _verdict(one), one.reasons, one.labels, one.note, None, None)


def _verdict(one: Decision) -> Verdict:
    if one.verdict is None:
        raise AssertionError("a withdrawal is nobody's present decision")
    return one.verdict


def carries_label(viewer: Viewer, stage: Stage, label: str) -> ColumnElement[bool]:
    """Return the condition that a record has this label, as far as the viewer may see it.

    The query has the outer joins of `visibility.shown_status_sql`.
    """
    present, decision = aliased(PresentDecision), aliased(Decision)
    stored = json.dumps(label, ensure_ascii=False)
    return (
        select(present.decision_id)
        .join(decision, decision.id == present.decision_id)
        .where(
            present.review_id == Record.review_id,
            present.stage == stage,
            present.record_number == Record.number,
            cast(decision.labels, String).contains(stored, autoescape=True),
            or_(present.reviewer_id == viewer.user_id, _others_are_open(viewer, stage)),
        )
        .correlate(Record, ScreenedRecord, PresentDecision)
        .exists()
    )


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
            or_(present.reviewer_id == viewer.user_id, _others_are_open(viewer, stage)),
        )
    )


def _others_are_open(viewer: Viewer, stage: Stage) -> ColumnElement[bool]:
    """Return on which records others' labels are open: where their names are, too."""
    settled = ScreenedRecord.status.in_(_SETTLED)
    if not viewer.sees_all(stage):
        return and_(settled, PresentDecision.decision_id.is_not(None))
    # Not as A and B either: which labels are new would tell whose votes these are.
    return settled if hides_open_votes(viewer, stage) else true()
