"""The final reason of an excluded record, derived from the reasons of its reviewers.

A flow diagram has one reason for each excluded record. Where two excluders name several, the
first in the review's fixed order is the one; so neither has to give in, and nothing is lost.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.orm import Session

from tandem.db.keyset import Cursor, Slice, sliced
from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.reviews.wording import key
from tandem.screening.full_text.population import gate_of, is_there
from tandem.screening.models import Decision, PresentDecision, Resolution, ScreenedRecord
from tandem.screening.rules import Status, Verdict, Vote


def final_reason(
    order: Sequence[str], votes: Iterable[Vote], resolution_reasons: Sequence[str] = ()
) -> str | None:
    """Return the reason to report of an excluded record; None where nobody gave one.

    What settled its conflict goes before the votes. Reasons in the fixed order come first, as
    they are written there; then those that most people gave, of these the one that anybody put
    first, of these by alphabet. In which order people voted is of no matter.

    Args:
        order: The review's exclusion reasons.
        votes: The present votes; what those give who do not exclude is no reason for it.
        resolution_reasons: Of the resolution that stands, if one does.
    """
    given: list[Sequence[str]] = [resolution_reasons] if resolution_reasons else []
    given = given or [vote.reasons for vote in votes if vote.verdict is Verdict.EXCLUDE]
    if not any(given):
        return None
    places = {key(reason): place for place, reason in reversed([*enumerate(order)])}
    n_given = Counter(chain.from_iterable({key(reason) for reason in reasons} for reasons in given))

    def rank(place_and_reason: tuple[int, str]) -> tuple[int, int, int, str, str]:
        place, reason = place_and_reason
        name = key(reason)
        return (places.get(name, len(order)), -n_given[name], place, name, reason)

    _, first = min(chain.from_iterable(map(enumerate, given)), key=rank)
    return order[places[key(first)]] if key(first) in places else first


def final_reasons(
    session: Session, review: Review, stage: Stage, numbers: Sequence[RecordNumber]
) -> dict[RecordNumber, str]:
    """Return the final reason of those of the records that are excluded and have one.

    The caller makes sure that the viewer may see that they are excluded.
    """
    found: dict[RecordNumber, str] = {}
    for some in pieces(sorted(set(numbers))):
        query = _excludes(review.id, stage).where(ScreenedRecord.record_number.in_(some))
        found |= _reasons(review.exclusion_reasons, session.execute(query))
    return found


def count(
    session: Session, review: Review, stage: Stage, viewer: Viewer
) -> tuple[list[tuple[str, int]], int]:
    """Return of how many excluded records each reason is the final one, and how many have none.

    Those of the fixed order first, in that order, with 0 too; then the others, the most frequent
    first. What has left the stage is not counted.
    """
    whose = {"review_id": review.id}
    there = is_there(stage, gate_of(viewer), ScreenedRecord.record_number)
    rows = session.execute(_excludes(review.id, stage).where(there), whose)
    finals = _reasons(review.exclusion_reasons, rows)
    n_of = Counter(map(key, finals.values()))
    written: dict[str, str] = {}
    for text in [*review.exclusion_reasons, *sorted(finals.values())]:
        written.setdefault(key(text), text)
    in_order = [key(reason) for reason in review.exclusion_reasons]
    others = sorted(n_of.keys() - set(in_order), key=lambda name: (-n_of[name], name))
    excluded = select(ScreenedRecord.record_number).where(
        ScreenedRecord.review_id == review.id,
        ScreenedRecord.stage == stage,
        ScreenedRecord.status == Status.EXCLUDED,
        there,
    )
    n_excluded = len(session.scalars(excluded, whose).all())
    return [(written[name], n_of[name]) for name in (*in_order, *others)], n_excluded - len(finals)


def page(
    review: Review, counts: Sequence[tuple[str, int]], *, cursor: Cursor, limit: int
) -> Slice[tuple[str, int]]:
    """Return a page of what `count` counted."""
    order = {key(reason): place for place, reason in enumerate(review.exclusion_reasons)}

    def place(counted: tuple[str, int]) -> tuple[int, int, str]:
        reason, n = key(counted[0]), counted[1]
        return (order[reason], 0, reason) if reason in order else (len(order), -n, reason)

    return sliced(counts, place, (int, float, str), cursor, limit)


def _excludes(review_id: ReviewId, stage: Stage) -> Select[RecordNumber, list[str], list[str]]:
    """Select each exclude on an excluded record, with the reasons of what settled it.

    A record that was settled against all of its votes has one row, without an exclude.
    """
    at_the_record = (
        PresentDecision.review_id == ScreenedRecord.review_id,
        PresentDecision.stage == ScreenedRecord.stage,
        PresentDecision.record_number == ScreenedRecord.record_number,
    )
    votes = and_(Decision.id == PresentDecision.decision_id, Decision.verdict == Verdict.EXCLUDE)
    return (
        select(ScreenedRecord.record_number, Decision.reasons, Resolution.reasons)
        .outerjoin(PresentDecision, and_(*at_the_record))
        .outerjoin(Decision, votes)
        .outerjoin(Resolution, Resolution.id == ScreenedRecord.resolution_id)
        .where(
            ScreenedRecord.review_id == review_id,
            ScreenedRecord.stage == stage,
            ScreenedRecord.status == Status.EXCLUDED,
        )
    )


def _reasons(
    order: Sequence[str], rows: Iterable[Row[RecordNumber, list[str], list[str]]]
) -> dict[RecordNumber, str]:
    votes: Mapping[RecordNumber, list[Vote]] = defaultdict(list)
    resolved: dict[RecordNumber, Sequence[str]] = {}
    for number, reasons, resolution_reasons in rows:
        votes[number].append(Vote(Verdict.EXCLUDE, tuple(reasons or ())))
        resolved[number] = resolution_reasons or ()
    finals = ((n, final_reason(order, votes[n], resolved[n])) for n in resolved)
    return {number: reason for number, reason in finals if reason is not None}
