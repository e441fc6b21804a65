"""What becomes of the votes on a record that is linked to another one, or parted from it.

Nothing is thrown away and no entry is rewritten. When a record is linked to another one, its
votes are entered once more at that one, marked as transferred; there they meet by the ordinary
rules, so a difference is a conflict. When the two are parted again, transferred votes are
withdrawn and each record has the votes that were given on it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tandem.events import log
from tandem.events.fact import Fact
from tandem.events.screening_types import RecordReopened
from tandem.ids import RecordNumber, UserId
from tandem.reviews.models import LockedReview, Review
from tandem.reviews.policy import Policy, Stage
from tandem.screening.lease_models import Lease
from tandem.screening.ledger import counts
from tandem.screening.ledger.append import activate, append
from tandem.screening.ledger.entries import (
    DecisionInput,
    NewDecision,
    NewResolution,
    ResolutionInput,
)
from tandem.screening.ledger.loading import entries, load
from tandem.screening.ledger.origins import given_on
from tandem.screening.ledger.outcome import close_conflict
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    Decision,
    PresentDecision,
    Resolution,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import Status, Verdict

Policies = Mapping[Stage, Policy]

WEIGHT = {Verdict.EXCLUDE: 0, Verdict.MAYBE: 1, Verdict.INCLUDE: 2}
"""Of one person's two votes the one that keeps the record in counts: an article that was once
found relevant is not lost because its copy was read in haste."""

_BECAUSE = ResolvedBy.DUPLICATE


def transfer(
    session: Session,
    review: LockedReview,
    policies: Policies,
    source: RecordNumber,
    *,
    to: RecordNumber,
) -> None:
    """Enter the votes on one record at another one, and let the first have no status."""
    session.flush()
    for stage in Stage:
        origin = load(session, RecordKey(review.id, stage, source))
        target = load(session, RecordKey(review.id, stage, to))
        # Who saw the outcome there knows what the others decided, here too.
        was_open = origin.status.is_settled and len(origin.votes) > 1
        _clear(session, review, policies[stage], origin)
        # One entry for each voter, also where it says what they decided there already: whether
        # somebody's two votes agree must not be read from the number of entries.
        new = [
            transferred(
                like := _stronger(target.votes.get(by), vote),
                source,
                informed=like.informed or was_open,
            )
            for by, vote in origin.votes.items()
        ]
        resolution = None
        if new or origin.resolution is not None:
            resolution = _meet(session, review, policies[stage], origin, target, new)
        if origin.has_advanced:
            note_advanced(session, target.key)
        if resolution is None:
            # The number that a resolution would have: in any case, so that it tells nothing.
            review.labels_seq += 1


def note_advanced(session: Session, key: RecordKey) -> None:
    """Note that a record was at full text: one that is linked to it, or parted from it, was."""
    if (row := session.get(ScreenedRecord, key.columns)) is not None:
        row.has_advanced = True


def _stronger(there: Decision | None, here: Decision) -> Decision:
    return here if there is None else max(there, here, key=_weight)


def _weight(decision: Decision) -> tuple[int, int]:
    return (WEIGHT[decision.verdict] if decision.verdict else -1, decision.labels_seq)


def transferred(
    like: Decision, source: RecordNumber, *, informed: bool, withdrawn: bool = False
) -> NewDecision:
    """Return a copy of an entry, or the withdrawal of it, for the ledger of another record."""
    return NewDecision(
        like.reviewer_id,
        None if withdrawn else DecisionInput.of(like),
        informed,
        rank=None if withdrawn else like.rank,
        ranking_id=None if withdrawn else like.ranking_id,
        criteria_version=like.criteria_version,
        transferred_from=source,
    )


def met(votes: Sequence[Decision], *, informed: bool) -> list[NewDecision]:
    """Return the entries by which somebody's votes on linked records meet at one of them."""
    return [
        transferred(max(votes[:n], key=_weight), vote.record_number, informed=informed)
        for n, vote in enumerate(votes, start=1)
    ]


def _meet(
    session: Session,
    review: LockedReview,
    policy: Policy,
    origin: RecordState,
    target: RecordState,
    new: Sequence[NewDecision],
) -> RecordState | None:
    """Let votes meet at a record, perhaps with the resolution that they had led to.

    A resolution goes with its votes to a record that has none of its own. Of two resolutions
    the one that keeps the record in is active. One that excludes is set aside for votes that do
    not and that it never knew: then there is a difference to settle.

    Returns:
        The state with the resolution that came along, if it did.
    """
    settled, there = origin.resolution, target.resolution
    includes = settled is not None and settled.verdict is Verdict.INCLUDE
    is_set_aside = False
    if there is not None and there.verdict is Verdict.EXCLUDE:
        unknown = any(vote.verdict is not Verdict.EXCLUDE for vote in origin.votes.values())
        is_set_aside = there.is_set_aside = includes or (settled is None and unknown)
    before = replace(target, resolution=None) if is_set_aside else target
    after = append(session, review, policy, before, *new, because=_BECAUSE)
    let_go(session, target.key, [vote.reviewer_id for vote in new])
    if settled is None:
        return None
    # Beside other people's votes it is one voice among them, unless it alone keeps the record.
    alone = is_set_aside or (
        there is None and (not target.votes or (after.status is Status.EXCLUDED and includes))
    )
    if not alone:
        return None
    came = NewResolution(
        settled.resolver_id, ResolutionInput.of(settled), transferred_from=settled.record_number
    )
    return append(session, review, policy, after, came, because=ResolvedBy.RESOLUTION)


def let_go(session: Session, key: RecordKey, people: Collection[UserId]) -> None:
    """End the leases that people have on a record: it is decided by them now."""
    if people:
        session.execute(
            delete(Lease).where(
                Lease.review_id == key.review_id,
                Lease.stage == key.stage,
                Lease.record_number == key.record_number,
                Lease.user_id.in_(people),
            )
        )


def _clear(session: Session, review: Review, policy: Policy, state: RecordState) -> None:
    """Remove what is derived from a record's votes: it is not screened while it is linked."""
    key = state.key
    counts.note(session, review, policy, [(state, None)])
    session.flush()
    for table in (PresentDecision, ScreenedRecord, Lease):
        session.execute(
            delete(table).where(
                table.review_id == key.review_id,
                table.stage == key.stage,
                table.record_number == key.record_number,
            )
        )
    facts: list[Fact] = []
    if state.status.is_settled:
        # To None: it has no status of its own now, and no resolution.
        detail = {"from": state.status, "to": None}
        record_id = str(key.record_number)
        facts.append(RecordReopened(record_id=record_id, stage=key.stage, detail=detail))
    if state.conflict is not None and state.is_in_conflict:
        facts.append(close_conflict(state.conflict, _BECAUSE))
    log.append(session, review, *facts)


def release(
    session: Session,
    review: LockedReview,
    policy: Policy,
    key: RecordKey,
    *,
    staying: Collection[RecordNumber] = (),
) -> None:
    """Withdraw what was transferred to a record, but from those that stay linked to it.

    What its voters decided at the record itself since then counts; what they had decided before,
    or at the records that stay, counts as it did when these were linked. That is entered once
    more in any case: neither the number of entries nor where they come from may tell whether it
    is another verdict than before.
    """
    made = entries(session, key)
    _release_resolutions(session, key, staying)
    state = load(session, key)
    if not made:
        _clear(session, review, policy, state)  # a resolution alone had come to it
        return
    kept, new = list[Decision](), list[NewDecision]()
    for reviewer_id, last in {entry.reviewer_id: entry for entry in made}.items():
        if last.carried_from is None:
            kept.append(last)
        elif given := given_on(session, key, reviewer_id, staying):
            like, source = max(given, key=_weight), given[-1].record_number
            new.append(transferred(like, source, informed=last.informed))
        elif last.verdict is not None:
            new.append(transferred(last, last.carried_from, informed=last.informed, withdrawn=True))
    state = activate(session, review, policy, state, kept)
    because = _BECAUSE if state.resolution is None else ResolvedBy.RESOLUTION
    append(session, review, policy, state, *new, because=because)
    let_go(session, key, [one.reviewer_id for one in new if one.given is not None])


def _release_resolutions(
    session: Session, key: RecordKey, staying: Collection[RecordNumber]
) -> None:
    """Remove transferred resolutions; one that was set aside for others is active again."""
    query = select(Resolution).where(
        Resolution.review_id == key.review_id,
        Resolution.stage == key.stage,
        Resolution.record_number == key.record_number,
    )
    for resolution in session.scalars(query).all():
        if resolution.carried_from is None:
            resolution.is_set_aside = resolution.is_set_aside and bool(staying)
        elif resolution.carried_from not in staying:
            session.delete(resolution)
    session.flush()
