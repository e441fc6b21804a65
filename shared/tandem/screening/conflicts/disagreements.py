"""What reviewers differ in, and why: which criterion makes trouble."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.errors import Forbidden
from tandem.ids import ConflictId, RecordNumber, UserId
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.reviews.wording import key
from tandem.screening.blinding.view import conflict_visibility, is_unblinded
from tandem.screening.conflicts.service import counts_now
from tandem.screening.full_text.population import gate_of
from tandem.screening.ledger.conflict_history import ConflictHistory, histories
from tandem.screening.models import Cause, Conflict, ConflictState, Decision, ResolvedBy
from tandem.screening.rules import ConflictKind, Verdict

_AT_A_TIME = 500
"""Conflicts whose votes are in memory at once."""


@dataclass
class Outcomes:
    """How many resolutions of a sort included the record, and how many excluded it."""

    n_include: int = 0
    n_exclude: int = 0

    def count(self, verdict: Verdict) -> None:
        if verdict is Verdict.INCLUDE:
            self.n_include += 1
        else:
            self.n_exclude += 1


@dataclass
class Disagreements:
    """A stage's conflicts, counted.

    `by_cause`, `by_criterion` and `resolutions` count the resolutions in force; None: not given.
    `reasons` counts pairs of first reasons that met in conflicts about the reason; a pair is in
    alphabetical order, with None (no reason given) first. Spellings of one text count as one: it
    stands as the review writes it now, or else as it was written most often.
    """

    by_kind: Counter[tuple[ConflictKind, ConflictState]] = field(default_factory=Counter)
    settled_by: Counter[ResolvedBy] = field(default_factory=Counter)
    resolutions: Outcomes = field(default_factory=Outcomes)
    by_cause: dict[Cause | None, Outcomes] = field(default_factory=lambda: defaultdict(Outcomes))
    by_criterion: dict[str | None, Outcomes] = field(default_factory=lambda: defaultdict(Outcomes))
    reasons: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)


def disagreements(session: Session, *, viewer: Viewer) -> dict[Stage, Disagreements]:
    """Count the conflicts of every stage in which other people's verdicts are open to the viewer.

    An open one of a record that has left its stage waits for nobody, and is not counted. Of linked
    records the conflict of the one that is shown counts for all; what came to a record with another
    one, and left with it when the two were parted, is that one's alone.

    Raises:
        Forbidden: There is none.
    """
    stages = [stage for stage in Stage if is_unblinded(viewer, stage)]
    if not stages:
        raise Forbidden("Only those who see all verdicts may see what reviewers differ in.")
    review = reviews.get_review(session, viewer.review_id)
    return {stage: _count(session, review, viewer, stage) for stage in stages}


class _Spellings:
    """Tells apart texts by their `key`, and how each is to be written."""

    def __init__(self, review_writes: Iterable[str]) -> None:
        self._fixed = {key(text): text for text in review_writes}
        self._met: dict[str, Counter[str]] = defaultdict(Counter)

    def name(self, text: str | None) -> str | None:
        if text is None:
            return None
        self._met[key(text)][text] += 1
        return key(text)

    def text(self, name: str | None) -> str | None:
        if name is None or name in self._fixed:
            return None if name is None else self._fixed[name]
        return min(self._met[name].items(), key=lambda item: (-item[1], item[0]))[0]


def _count(session: Session, review: Review, viewer: Viewer, stage: Stage) -> Disagreements:
    found = Disagreements()
    criteria = _Spellings([*review.criteria_include, *review.criteria_exclude])
    reasons = _Spellings(review.exclusion_reasons)
    query = (
        select(Conflict)
        .where(Conflict.review_id == viewer.review_id, Conflict.stage == stage)
        .where(counts_now(gate_of(viewer)))
        .order_by(Conflict.record_number)
    )
    conflicts = session.scalars(query).all()
    for start in range(0, len(conflicts), _AT_A_TIME):
        some = histories(session, conflicts[start : start + _AT_A_TIME])
        left = _left_with_another(session, viewer, stage, some)
        for history in some:
            if history.conflict.id not in left:
                _add(found, viewer, history, criteria, reasons)
    by_criterion = {criteria.text(name): n for name, n in found.by_criterion.items()}
    met = {_pair(map(reasons.text, pair)): n for pair, n in found.reasons.items()}
    found.by_criterion, found.reasons = by_criterion, Counter(met)
    return found


def _left_with_another(
    session: Session, viewer: Viewer, stage: Stage, some: Sequence[ConflictHistory]
) -> set[ConflictId]:
    """Return which conflicts are over because what differed was another record's, parted since.

    The votes on the record itself, and on those that are linked to it, never differed.
    """
    over = [
        one
        for one in some
        if one.conflict.state is ConflictState.RESOLVED
        and one.state.resolution is None
        and one.record.is_shown
        and any(entry.carried_from is not None for entry in one.entries)
    ]
    linked: dict[RecordNumber, set[RecordNumber]] = defaultdict(set)
    query = select(Record.number, Record.shown_as).where(
        Record.review_id == viewer.review_id,
        Record.duplicate_of.in_([one.record.number for one in over]),
    )
    for number, shown in session.execute(query) if over else ():
        linked[shown].add(number)
    return {
        one.conflict.id
        for one in over
        if not _differed(viewer.policies[stage], one, linked[one.record.number])
    }


def _differed(policy: Policy, history: ConflictHistory, linked: Collection[RecordNumber]) -> bool:
    state = replace(history.state, votes={})
    for entry in history.entries:
        if entry.carried_from is None or entry.carried_from in linked:
            state = state.with_entry(entry)
            if state.outcome(policy).conflict is not None:
                return True
    return False


def _add(
    found: Disagreements,
    viewer: Viewer,
    history: ConflictHistory,
    criteria: _Spellings,
    reasons: _Spellings,
) -> None:
    conflict = history.conflict
    # Of a linked record none is in force: where it went along, it is that of the record shown.
    in_force = history.state.resolution if history.record.is_shown else None
    found.by_kind[conflict.kind, conflict.state] += 1
    if conflict.resolved_by is not None:
        found.settled_by[conflict.resolved_by] += 1
    if in_force is not None:
        for outcomes in (
            found.resolutions,
            found.by_cause[in_force.cause],
            found.by_criterion[criteria.name(in_force.criterion)],
        ):
            outcomes.count(in_force.verdict)
    if conflict.kind is ConflictKind.REASON and conflict_visibility(viewer, history) != "nothing":
        found.reasons.update(_met(history, reasons))


def _met(history: ConflictHistory, spellings: _Spellings) -> list[tuple[str | None, str | None]]:
    """Return each pair of first reasons that met, once for a conflict.

    As they were when it was opened: a second vote may have made them equal since.
    """
    opened = history.conflict.opened_seq
    at_opening = [entry for entry in history.entries if entry.labels_seq <= opened]
    reasons = _first_reasons(at_opening, spellings)
    if len(reasons) < 2:  # It came to be about the reason only later.
        reasons = _first_reasons(history.state.votes.values(), spellings)
    return [_pair(pair) for pair in combinations(reasons, 2)]


def _pair(texts: Iterable[str | None]) -> tuple[str | None, str | None]:
    one, other = sorted(texts, key=lambda text: text or "")
    return one, other


def _first_reasons(entries: Iterable[Decision], spellings: _Spellings) -> set[str | None]:
    latest: dict[UserId, Decision] = {entry.reviewer_id: entry for entry in entries}
    excludes: Sequence[Decision] = [
        entry for entry in latest.values() if entry.verdict is Verdict.EXCLUDE
    ]
    return {spellings.name(entry.reasons[0] if entry.reasons else None) for entry in excludes}
