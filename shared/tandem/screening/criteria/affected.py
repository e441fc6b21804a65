"""Which decisions a change of criteria could touch, for another look by those who made them.

Only decisions under other wording count. A person who decides such a record again, or confirms the
decision, does so under the present criteria; it then leaves the list.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.orm import Session

from tandem.db.keyset import START, Cursor, Slice, sliced
from tandem.db.pieces import pieces
from tandem.ids import DecisionId, RecordNumber, UserId
from tandem.records.models import Record
from tandem.reviews import criteria, wording
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.reviews.wording import Change, Criteria
from tandem.screening.blinding.numbers import visible_numbers
from tandem.screening.blinding.view import hides_votes, is_unblinded
from tandem.screening.full_text.population import gate_of, is_there
from tandem.screening.models import Cause, Decision, PresentDecision, Resolution, ScreenedRecord
from tandem.screening.rules import Status, Verdict

_NOTHING = Change(frozenset(), {})


class AffectedBy(StrEnum):
    """How a change of criteria bears on a decision.

    `reason`: one of its reasons was a criterion that is removed or reworded. `maybe`: it was left
    open. `words`: it gives no reason, and the record shares words with what was changed.
    `conflict`: over this very criterion people differed.
    """

    REASON = "reason"
    MAYBE = "maybe"
    WORDS = "words"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Why:
    """One cause for another look; what it goes by are criteria, or words of theirs."""

    touch: AffectedBy
    criteria: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Affected:
    """A decision of the viewer's that needs another look, with `labels_seq` in their numbering."""

    record: Record
    decision: Decision
    labels_seq: int
    why: list[Why]


@dataclass(frozen=True, slots=True)
class AffectedList:
    """A page of the list; `explanation` says why it is empty where the whole list is."""

    page: Slice[Affected]
    n: int
    explanation: str | None


def list_affected(
    session: Session,
    *,
    viewer: Viewer,
    review: Review,
    stage: Stage,
    since: int = 1,
    cursor: Cursor = START,
    limit: int,
) -> AffectedList:
    """Return the viewer's decisions that a change of criteria could touch, by number of causes.

    Args:
        session: A session.
        viewer: Whose decisions.
        review: Theirs.
        stage: Of the decisions.
        since: Only what changed after this version counts.
        cursor: Where the page begins.
        limit: At most so many.
    """
    touched = list(_touched(session, viewer, review, stage, since, of=viewer.user_id))
    found = sliced(touched, lambda one: (-len(one.why), one.number), (float, int), cursor, limit)
    page = Slice(_load(session, viewer, found.items), found.next_cursor)
    explanation = None if touched else _why_none(session, viewer, review, stage, since)
    return AffectedList(page, len(touched), explanation)


def n_by_reviewer(
    session: Session, *, viewer: Viewer, review: Review, stage: Stage, since: int = 1
) -> Counter[UserId]:
    """Return how many decisions each reviewer would be asked to look at again.

    Left out are others' decisions on records on which the policy hides the votes from the viewer.

    Raises:
        Forbidden: The viewer is neither adjudicator nor owner.
    """
    viewer.require(Role.ADJUDICATOR, "see how much others have to look at again")
    touched = _touched(session, viewer, review, stage, since, of=None)
    return Counter(one.reviewer_id for one in touched)


@dataclass(frozen=True, slots=True)
class _Touched:
    number: RecordNumber
    reviewer_id: UserId
    decision_id: DecisionId
    why: list[Why]


def _touched(
    session: Session,
    viewer: Viewer,
    review: Review,
    stage: Stage,
    since: int,
    *,
    of: UserId | None,
) -> Iterator[_Touched]:
    versions = criteria.by_version(session, review.id)
    change_since = cache(lambda version: _change(versions, version, review.criteria_version))
    query = _outdated(review, viewer, stage)
    if of is not None:
        query = query.where(PresentDecision.reviewer_id == of)
    asked = {"review_id": review.id}
    for row in session.execute(query, asked, execution_options={"yield_per": 1000}):
        others = row.reviewer_id != viewer.user_id
        if others and hides_votes(viewer, stage, row.status):
            continue
        change = change_since(max(since, row.criteria_version))
        if why := _why(viewer, stage, row, change):
            yield _Touched(row.record_number, row.reviewer_id, row.id, why)


def _change(versions: Mapping[int, Criteria], before: int, now: int) -> Change:
    if before not in versions or now not in versions:
        return _NOTHING
    return wording.change(versions[before], versions[now])


def _outdated(review: Review, viewer: Viewer, stage: Stage) -> Select[*tuple[Any, ...]]:
    """Select present decisions of an earlier version, of what is in the stage now."""
    text = func.coalesce(Record.title, "") + " " + func.coalesce(Record.abstract, "")
    return (
        select(
            Decision.id,
            Decision.record_number,
            Decision.reviewer_id,
            Decision.criteria_version,
            Decision.verdict,
            Decision.reasons,
            ScreenedRecord.status,
            Resolution.cause,
            Resolution.criterion,
            text.label("text"),
        )
        .join(PresentDecision, PresentDecision.decision_id == Decision.id)
        .join(Record, _same_record(Record.review_id, Record.number))
        .outerjoin(
            ScreenedRecord,
            and_(
                _same_record(ScreenedRecord.review_id, ScreenedRecord.record_number),
                ScreenedRecord.stage == PresentDecision.stage,
            ),
        )
        .outerjoin(Resolution, Resolution.id == ScreenedRecord.resolution_id)
        .where(
            PresentDecision.review_id == review.id,
            PresentDecision.stage == stage,
            Decision.criteria_version < review.criteria_version,
            is_there(stage, gate_of(viewer), PresentDecision.record_number),
        )
    )


def _same_record(review_id: Any, number: Any) -> ColumnElement[bool]:
    return and_(review_id == PresentDecision.review_id, number == PresentDecision.record_number)


def _why(viewer: Viewer, stage: Stage, row: Row[Any], change: Change) -> list[Why]:
    if not change:
        return []
    found = []
    cited = [reason for reason in row.reasons if wording.key(reason) in change.gone]
    if cited:
        found.append(Why(AffectedBy.REASON, criteria=tuple(cited)))
    if row.verdict is Verdict.MAYBE:
        found.append(Why(AffectedBy.MAYBE))
    elif not row.reasons and (shared := change.words_in(row.text)):
        found.append(Why(AffectedBy.WORDS, words=shared))
    # Of an open record nobody who is blinded may know that anything stands at it.
    is_open = is_unblinded(viewer, stage) or row.status in (Status.INCLUDED, Status.EXCLUDED)
    over = row.criterion if is_open and row.cause is Cause.AMBIGUOUS_CRITERION else None
    if over is not None and wording.key(over) in change.gone:
        found.append(Why(AffectedBy.CONFLICT, criteria=(over,)))
    return found


def _load(session: Session, viewer: Viewer, page: Sequence[_Touched]) -> list[Affected]:
    records: dict[RecordNumber, Record] = {}
    made: dict[DecisionId, Decision] = {}
    for some in pieces(page):
        numbers, ids = [one.number for one in some], [one.decision_id for one in some]
        of_page = select(Record).where(
            Record.review_id == viewer.review_id, Record.number.in_(numbers)
        )
        records |= {record.number: record for record in session.scalars(of_page)}
        found = session.scalars(select(Decision).where(Decision.id.in_(ids)))
        made |= {decision.id: decision for decision in found}
    decisions = [(made[one.decision_id], one) for one in page]
    seqs = visible_numbers(session, viewer, [decision.labels_seq for decision, _ in decisions])
    return [
        Affected(records[one.number], decision, seqs[decision.labels_seq], one.why)
        for decision, one in decisions
    ]


def _why_none(session: Session, viewer: Viewer, review: Review, stage: Stage, since: int) -> str:
    """Say why there is nothing to look at; it depends on the viewer's own decisions only."""
    newest = review.criteria_version
    if since >= newest:
        return f"The criteria have not changed since version {since}; the newest is {newest}."
    mine = select(func.count(), func.count().filter(Decision.criteria_version < newest)).where(
        PresentDecision.decision_id == Decision.id,
        PresentDecision.review_id == review.id,
        PresentDecision.stage == stage,
        PresentDecision.reviewer_id == viewer.user_id,
        is_there(stage, gate_of(viewer), PresentDecision.record_number),
    )
    n, n_outdated = session.execute(mine, {"review_id": review.id}).one()
    if not n:
        return "You have not decided any record in this stage."
    if not n_outdated:
        return f"You have made or confirmed all of your decisions under version {newest}."
    return (
        f"Of your {n_outdated} decisions under earlier versions the change touches none: none is a "
        "`maybe`, none cites what was changed, none without a reason shares words with it."
    )
