"""After the chaos: is everything that was accepted there, once, and is the ranking right?"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import undefer

from measures import Line
from tandem.artifacts import Artifacts
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking import from_ledger
from tandem.ranking.models import Ranking
from tandem.ranking.recipes import recipe
from tandem.reviews import policy_versions
from tandem.reviews.policy import Stage
from tandem.screening.models import Decision, Resolution
from tandem.screening.rules import Status, Vote, outcome
from team import Accepted, Caller
from watching import Seen, is_gap_free, of_type

_STAGE = Stage.TITLE_ABSTRACT


@dataclass(frozen=True)
class Stored:
    """What the database itself holds, read without the service."""

    decisions: list[Decision]
    resolutions: dict[str, str]
    resolved_at: list[int]
    statuses: dict[str, Status]
    most_votes: int

    def visible_number(self, decision: Decision) -> int:
        """Return its `labels_seq` as the blinded get it; resolutions have no number in it."""
        return decision.labels_seq - bisect_right(self.resolved_at, decision.labels_seq)


def read_stored(database: Database, review: str) -> Stored:
    """Read the ledger, and recompute from it what every status must be."""
    review_id = ReviewId(UUID(review))
    with database.read() as session:
        of_review = select(Decision).where(Decision.review_id == review_id)
        decisions = list(session.scalars(of_review.order_by(Decision.labels_seq)))
        given = select(Resolution).where(Resolution.review_id == review_id)
        rows = session.scalars(given.order_by(Resolution.labels_seq)).all()
        resolved = {str(row.record_number): row.verdict for row in rows}
        policy = policy_versions.policies_in_force(session, review_id)[_STAGE]
    votes: dict[str, dict[UUID, Vote]] = defaultdict(dict)
    for entry in decisions:
        if entry.verdict is not None:
            votes[str(entry.record_number)][entry.reviewer_id] = Vote(
                entry.verdict, tuple(entry.reasons)
            )
    statuses = {
        record: outcome(policy, list(cast.values()), resolved.get(record)).status
        for record, cast in votes.items()
    }
    return Stored(
        decisions,
        {record: str(verdict) for record, verdict in resolved.items()},
        [row.labels_seq for row in rows],
        statuses,
        max((len(cast) for cast in votes.values()), default=0),
    )


def nothing_lost(
    stored: Stored, accepted: list[Accepted], resolved: dict[str, str], quota: int
) -> list[Line]:
    """Compare the answers to clients with the ledger."""
    answered = {
        made.decision_id: (made.record_id, made.reviewer_id, made.verdict, made.labels_seq)
        for made in accepted
    }
    held = {
        str(entry.id): (
            str(entry.record_number),
            str(entry.reviewer_id),
            str(entry.verdict),
            stored.visible_number(entry),
        )
        for entry in stored.decisions
    }
    lost = [id for id, said in answered.items() if held.get(id) != said]
    strange = held.keys() - answered.keys()
    return [
        Line("decisions accepted", f"{len(answered):,}"),
        Line("accepted, not in the ledger", f"{len(lost)}", "0", not lost),
        Line("in the ledger, never accepted", f"{len(strange)}", "0", not strange),
        Line(
            "resolutions accepted / stored",
            f"{len(resolved)} / {len(stored.resolutions)}",
            "the same",
            resolved == stored.resolutions,
        ),
        Line(
            "most votes on a record", f"{stored.most_votes}", f"{quota}", stored.most_votes <= quota
        ),
    ]


def told_right(stored: Stored, owner: Caller, review: str, events: list[Seen]) -> list[Line]:
    """Compare what the owner gets over HTTP with the ledger."""
    path = f"/reviews/{review}"
    listed = owner.pages(f"{path}/events")
    recorded = [event.data["labels_seq"] for event in of_type(events, "decision.recorded")]
    ledger = [entry.labels_seq for entry in stored.decisions]
    shown = {record["id"]: record["status"] for record in owner.pages(f"{path}/records")}
    wrong = [
        record
        for record, status in shown.items()
        if status != stored.statuses.get(record, Status.UNSCREENED)
    ]
    opened = {conflict["record"]["id"] for conflict in owner.pages(f"{path}/conflicts")}
    flagged = {event.data["record_id"] for event in of_type(events, "conflict.opened")}
    is_same_log = [event["sequence"] for event in listed] == [event.seq for event in events]
    return [
        Line("events by SSE, without gaps", f"{len(events):,}", "1, 2, 3, …", is_gap_free(events)),
        Line("events by SSE = by list", f"{len(listed):,}", "the same", is_same_log),
        Line("one event for each decision", f"{len(recorded):,}", "", recorded == ledger),
        Line("statuses not as recomputed", f"{len(wrong)}", "0", not wrong),
        Line("conflicts", f"{len(opened)}", "as in events", opened == flagged),
    ]


def same_as_calm(database: Database, review: str, scratch: Path) -> Line:
    """Rank again from nothing, in this process, and compare with the newest ranking."""
    review_id = ReviewId(UUID(review))
    newest = (
        select(Ranking)
        .where(Ranking.review_id == review_id)
        .order_by(Ranking.labels_seq.desc())
        .limit(1)
        .options(undefer(Ranking.numbers), undefer(Ranking.scores))
    )
    with database.read() as session:
        served = session.scalars(newest).one()
    calm = from_ledger.rank_review(
        database,
        Artifacts(str(scratch / "artifacts")),
        scratch / "cache",
        review_id,
        _STAGE,
        recipe(served.model),
    )
    same = (
        calm.numbers.astype("<i4").tobytes() == served.numbers
        and calm.scores.astype("<f4").tobytes() == served.scores
    )
    shown = f"{served.n_ranked:,} records, {served.n_labels:,} labels, {served.kind}"
    return Line("last ranking", shown, "as a calm one", same)
