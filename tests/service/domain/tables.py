"""What a review's tables say, and whether they all say the same."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unittest.mock import patch

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.audit import trail, verify
from tandem.audit.seals import Seals
from tandem.db.session import Database
from tandem.events.log import Event
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews import policy_versions
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Review, Role
from tandem.reviews.policy import Stage
from tandem.screening.models import (
    ClosedChange,
    Conflict,
    ConflictState,
    Decision,
    PresentDecision,
    Resolution,
    ReviewerCount,
    ScreenedRecord,
)
from tandem.screening.rules import Classification, Outcome, Status, Verdict, Vote, outcome

_SCREENING = ("tandem.decision.", "tandem.record.", "tandem.conflict.")


class At(NamedTuple):
    stage: Stage
    number: RecordNumber


def events(database: Database, review_id: ReviewId) -> Sequence[Event]:
    query = select(Event).where(Event.review_id == review_id).order_by(Event.seq)
    with database.read() as session:
        return session.scalars(query).all()


def event_types(database: Database, review_id: ReviewId) -> list[str]:
    """Return the types of events about screening: `decision.recorded`, `conflict.opened`, …"""
    types = [event.type for event in events(database, review_id)]
    return [kind.removeprefix("tandem.") for kind in types if kind.startswith(_SCREENING)]


def ledger(database: Database, review_id: ReviewId) -> Sequence[Decision]:
    with database.read() as session:
        return _ledger(session, review_id)


def conflicts(database: Database, review_id: ReviewId) -> Sequence[Conflict]:
    query = select(Conflict).where(Conflict.review_id == review_id)
    with database.read() as session:
        return session.scalars(query.order_by(Conflict.record_number)).all()


def assert_in_step(database: Database, review_id: ReviewId, *, verified: int | None = None) -> int:
    """Recompute from the ledger, and replay from the log, everything that is derived.

    Returns where the log ends. Its trail takes longest to check, and is left out where the log
    still ends where it was `verified`.
    """
    with database.read() as session:
        _assert_numbered(session, review_id)
        entries = _ledger(session, review_id)
        linked = _linked(session, review_id)
        latest = {
            (At(e.stage, e.record_number), e.reviewer_id): e
            for e in entries
            if e.record_number not in linked
        }
        _assert_present(session, review_id, latest)
        _assert_counted(session, review_id)
        judged = _judged(session, review_id, latest)
        _assert_statuses(session, review_id, judged)
        _assert_conflicts(session, review_id, {at: found for at, (found, _) in judged.items()})
        _assert_resolutions(session, review_id)
        _assert_opened(session, review_id)
        _assert_closed(session, review_id)
        _assert_replayed(session, review_id)
        owner, last_seq = _owner(session, review_id), _last_seq(session, review_id)
    if last_seq != verified:
        _assert_verified(database, review_id, owner)
    return last_seq


def _last_seq(session: Session, review_id: ReviewId) -> int:
    return reviews.get_review(session, review_id).last_seq


def _owner(session: Session, review_id: ReviewId) -> UserId:
    query = select(Member.user_id).where(Member.review_id == review_id, Member.role == Role.OWNER)
    return session.scalars(query.limit(1)).one()


def _assert_verified(database: Database, review_id: ReviewId, owner: UserId) -> None:
    """Check the audit trail: as this owner may see it, and with nothing sealed.

    These are the same trail where nothing is hidden from them: then it is checked once.
    """
    hides, hidden = Seals.hide, set[bool]()

    def hide(seals: Seals, stage: Stage, number: RecordNumber) -> bool:
        hidden.add(hides(seals, stage, number))
        return hides(seals, stage, number)

    with patch.object(Seals, "hide", hide):
        shown = verify.check(trail.lines(database, review_id=review_id, user_id=owner))
    assert shown.ok, shown.difference
    if True not in hidden:
        assert shown.n_sealed == 0
        return
    with patch.object(Seals, "hide", return_value=False):
        whole = verify.check(trail.lines(database, review_id=review_id, user_id=owner))
    assert whole.ok, whole.difference
    assert whole.n_sealed == 0


def _ledger(session: Session, review_id: ReviewId) -> Sequence[Decision]:
    query = select(Decision).where(Decision.review_id == review_id)
    return session.scalars(query.order_by(Decision.labels_seq)).all()


def _linked(session: Session, review_id: ReviewId) -> set[RecordNumber]:
    """Return the records that another one is screened for: they have a ledger, but no status."""
    query = select(Record.number).where(
        Record.review_id == review_id, Record.duplicate_of.is_not(None)
    )
    return set(session.scalars(query))


def _log(session: Session, review_id: ReviewId) -> Iterator[Event]:
    query = select(Event).where(Event.review_id == review_id)
    yield from session.scalars(query.order_by(Event.seq))


def _assert_numbered(session: Session, review_id: ReviewId) -> None:
    review, log = reviews.get_review(session, review_id), list(_log(session, review_id))
    assert [event.seq for event in log] == list(range(1, review.last_seq + 1))
    opened = [event.open_seq for event in log if event.open_seq is not None]
    assert opened == list(range(1, review.last_open_seq + 1))
    entries = [e for e in log if e.type.startswith("tandem.decision.")]
    numbers = [event.data["labels_seq"] for event in entries]
    assert numbers == [entry.labels_seq for entry in _ledger(session, review_id)]
    assert numbers == sorted(set(numbers))
    assert max(numbers, default=0) <= review.labels_seq


def _assert_present(
    session: Session, review_id: ReviewId, latest: dict[tuple[At, UserId], Decision]
) -> None:
    query = select(PresentDecision).where(PresentDecision.review_id == review_id)
    present = {
        (At(row.stage, row.record_number), row.reviewer_id): row.decision_id
        for row in session.scalars(query)
    }
    assert present == {key: entry.id for key, entry in latest.items() if entry.verdict is not None}


def _assert_counted(session: Session, review_id: ReviewId) -> None:
    """Hold the numbers that are kept of title and abstract against each record by itself."""
    stage = Stage.TITLE_ABSTRACT
    policy = policy_versions.policies_in_force(session, review_id)[stage]
    review, n_full, half_done = reviews.get_review(session, review_id), 0, set[RecordNumber]()
    statuses = select(ScreenedRecord).where(
        ScreenedRecord.review_id == review_id, ScreenedRecord.stage == stage
    )
    for row in session.scalars(statuses):
        is_open = policy.blind or row.status in (Status.UNSCREENED, Status.AWAITING)
        if not is_open or row.n_decisions >= policy.reviewers_per_record:
            n_full += 1
        elif row.n_decisions:
            half_done.add(row.record_number)
    assert (review.n_full, review.n_half_done) == (n_full, len(half_done))
    due = dict[UserId, list[int]]()
    votes = select(PresentDecision).where(
        PresentDecision.review_id == review_id, PresentDecision.stage == stage
    )
    for vote in session.scalars(votes):
        counts = due.setdefault(vote.reviewer_id, [0, 0])
        counts[0] += 1
        counts[1] += vote.record_number in half_done
    kept = select(ReviewerCount).where(ReviewerCount.review_id == review_id)
    found = {row.reviewer_id: [row.n_decided, row.n_half_done] for row in session.scalars(kept)}
    assert {by: counts for by, counts in found.items() if any(counts)} == due


def _judged(
    session: Session, review_id: ReviewId, latest: dict[tuple[At, UserId], Decision]
) -> dict[At, tuple[Outcome, int]]:
    """Return what the ledger amounts to, and the number of votes, for each record in it."""
    votes: dict[At, list[Vote]] = {at: [] for at, _ in latest}
    for (at, _), entry in latest.items():
        if entry.verdict is not None:
            votes[at].append(Vote(entry.verdict, tuple(entry.reasons), entry.classification))
    given = session.scalars(select(Resolution).where(Resolution.review_id == review_id)).all()
    resolved: dict[At, tuple[Verdict, Classification | None]] = {
        At(row.stage, row.record_number): (row.verdict, row.classification)
        for row in given
        if row.is_active
    }
    # Those taken back as well: one that came with a linked record may be all there ever was.
    settled = {At(row.stage, row.record_number) for row in given}
    linked = _linked(session, review_id)
    votes |= {at: [] for at in settled if at not in votes and at.number not in linked}
    policies = policy_versions.policies_in_force(session, review_id)
    return {
        at: (outcome(policies[at.stage], cast, *resolved.get(at, ())), len(cast))
        for at, cast in votes.items()
    }


def _assert_statuses(
    session: Session, review_id: ReviewId, judged: dict[At, tuple[Outcome, int]]
) -> None:
    query = select(ScreenedRecord).where(ScreenedRecord.review_id == review_id)
    stored = {
        At(row.stage, row.record_number): (row.status, row.n_decisions)
        for row in session.scalars(query)
    }
    assert stored == {at: (found.status, n) for at, (found, n) in judged.items()}


def _assert_conflicts(session: Session, review_id: ReviewId, judged: dict[At, Outcome]) -> None:
    rows = session.scalars(select(Conflict).where(Conflict.review_id == review_id)).all()
    found = {At(row.stage, row.record_number): row for row in rows}
    assert len(found) == len(rows), "two conflicts on one record in one stage"
    is_open = {at: row.kind for at, row in found.items() if row.state is ConflictState.OPEN}
    assert is_open == {at: found.conflict for at, found in judged.items() if found.conflict}
    for row in rows:
        closed = row.state is ConflictState.RESOLVED
        assert closed == (row.resolved_at is not None) == (row.resolved_by is not None)


def _assert_resolutions(session: Session, review_id: ReviewId) -> None:
    """Check that one resolution at most stands, and that it is the one a record's row names."""
    standing = select(Resolution).where(
        Resolution.review_id == review_id,
        Resolution.is_set_aside.is_(False),
        Resolution.taken_back_at.is_(None),
    )
    linked, found = _linked(session, review_id), {}
    for resolution in session.scalars(standing):
        at = At(resolution.stage, resolution.record_number)
        assert at not in found, "two resolutions stand"
        if at.number not in linked:
            found[at] = resolution.id
    rows = session.scalars(select(ScreenedRecord).where(ScreenedRecord.review_id == review_id))
    named = {At(row.stage, row.record_number): row.resolution_id for row in rows}
    assert {at: id for at, id in named.items() if id is not None} == found


def _assert_opened(session: Session, review_id: ReviewId) -> None:
    """Check that `opened_seq` parts the votes before a conflict's last opening from those after."""
    last: dict[str, int] = {}
    votes: list[tuple[int, int]] = []
    for event in _log(session, review_id):
        if event.type in ("tandem.conflict.opened", "tandem.conflict.reopened"):
            last[str(event.subject)] = event.seq
        elif event.type.startswith("tandem.decision."):
            votes.append((event.seq, event.data["labels_seq"]))
    for row in session.scalars(select(Conflict).where(Conflict.review_id == review_id)):
        opened = last.get(str(row.id))
        if opened is None:
            continue
        for seq, labels_seq in votes:
            assert (labels_seq <= row.opened_seq) == (seq < opened)


def _assert_closed(session: Session, review_id: ReviewId) -> None:
    """Check that the numbers hidden from the blinded are those of closed changes."""
    query = select(ClosedChange.labels_seq).where(ClosedChange.review_id == review_id)
    closed = set(session.scalars(query))
    resolved = select(Resolution.labels_seq).where(
        Resolution.review_id == review_id, Resolution.carried_from.is_(None)
    )
    known, open_numbers, n_taken_back = set(session.scalars(resolved)), set[int](), 0
    for event in _log(session, review_id):
        n_taken_back += "taken_back" in event.detail
        if event.type.startswith("tandem.decision."):
            (known if event.open_seq is None else open_numbers).add(event.data["labels_seq"])
    # That a conflict was opened again leaves its number nowhere else.
    assert known <= closed
    assert len(closed - known) == n_taken_back
    assert not closed & open_numbers
    review = session.get_one(Review, review_id)
    assert (review.n_closed, review.last_closed_seq) == (len(closed), max(closed, default=0))


def _assert_replayed(session: Session, review_id: ReviewId) -> None:
    """Check that the events alone say what is settled and what is in conflict."""
    settled: dict[At, Status] = {}
    open_conflicts: set[At] = set()
    for event in _log(session, review_id):
        if "record_id" not in event.data or "stage" not in event.data:
            continue
        at = At(Stage(event.data["stage"]), RecordNumber(int(event.data["record_id"])))
        match event.type.removeprefix("tandem."):
            case "record.included" | "record.excluded" as kind:
                assert at not in settled, "settled twice without being reopened"
                settled[at] = Status(kind.removeprefix("record."))
            case "record.reopened":
                del settled[at]
            case "conflict.opened" | "conflict.reopened":
                assert at not in open_conflicts, "opened twice"
                open_conflicts.add(at)
            case "conflict.resolved":
                open_conflicts.remove(at)
    rows = session.scalars(select(ScreenedRecord).where(ScreenedRecord.review_id == review_id))
    stored = {At(row.stage, row.record_number): row.status for row in rows}
    assert settled == {at: status for at, status in stored.items() if status.is_settled}
    assert open_conflicts == {at for at, status in stored.items() if status is Status.CONFLICT}
