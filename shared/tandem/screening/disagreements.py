"""What reviewers differ in, and why: which criterion makes trouble."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.errors import Forbidden
from tandem.ids import UserId
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.conflict_files import File, files_of
from tandem.screening.models import Cause, Conflict, ConflictState, Decision, ResolvedBy
from tandem.screening.rules import ConflictKind, Verdict
from tandem.screening.shown_conflicts import openness

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

    `by_cause`, `by_criterion` and `resolutions` count the resolutions that stand; None: not said.
    `reasons` counts pairs of first reasons that met in conflicts about the reason; a pair is in
    alphabetical order, with None (no reason given) first.
    """

    by_kind: Counter[tuple[ConflictKind, ConflictState]] = field(default_factory=Counter)
    settled_by: Counter[ResolvedBy] = field(default_factory=Counter)
    resolutions: Outcomes = field(default_factory=Outcomes)
    by_cause: dict[Cause | None, Outcomes] = field(default_factory=lambda: defaultdict(Outcomes))
    by_criterion: dict[str | None, Outcomes] = field(default_factory=lambda: defaultdict(Outcomes))
    reasons: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)


def disagreements(session: Session, *, viewer: Viewer) -> dict[Stage, Disagreements]:
    """Count the conflicts of every stage in which other people's verdicts are open to the viewer.

    Raises:
        Forbidden: There is none.
    """
    stages = [stage for stage in Stage if viewer.sees_all(stage)]
    if not stages:
        raise Forbidden("Only those who see all verdicts may see what reviewers differ in.")
    return {stage: _count(session, viewer, stage) for stage in stages}


def _count(session: Session, viewer: Viewer, stage: Stage) -> Disagreements:
    found = Disagreements()
    query = (
        select(Conflict)
        .where(Conflict.review_id == viewer.review_id, Conflict.stage == stage)
        .order_by(Conflict.record_number)
    )
    conflicts = session.scalars(query).all()
    for start in range(0, len(conflicts), _AT_A_TIME):
        for file in files_of(session, conflicts[start : start + _AT_A_TIME]):
            _add(found, viewer, file)
    return found


def _add(found: Disagreements, viewer: Viewer, file: File) -> None:
    conflict, standing = file.conflict, file.standing
    found.by_kind[conflict.kind, conflict.state] += 1
    if conflict.resolved_by is not None:
        found.settled_by[conflict.resolved_by] += 1
    if standing is not None:
        for outcomes in (
            found.resolutions,
            found.by_cause[standing.cause],
            found.by_criterion[standing.criterion],
        ):
            outcomes.count(standing.verdict)
    if conflict.kind is ConflictKind.REASON and openness(viewer, file) != "nothing":
        found.reasons.update(_met(file))


def _met(file: File) -> list[tuple[str | None, str | None]]:
    """Return each pair of first reasons that met, once for a conflict.

    As they were when it was opened: a second vote may have made them equal since.
    """
    opened = file.conflict.opened_seq
    at_opening = [entry for entry in file.entries if entry.labels_seq <= opened]
    reasons = _first_reasons(at_opening)
    if len(reasons) < 2:  # It came to be about the reason only later.
        reasons = _first_reasons(file.present)
    return list(combinations(sorted(reasons, key=lambda reason: reason or ""), 2))


def _first_reasons(entries: Iterable[Decision]) -> set[str | None]:
    latest: dict[UserId, Decision] = {entry.reviewer_id: entry for entry in entries}
    excludes: Sequence[Decision] = [
        entry for entry in latest.values() if entry.verdict is Verdict.EXCLUDE
    ]
    return {entry.reasons[0] if entry.reasons else None for entry in excludes}
