"""How long taking an import back and deleting a review take, by the size of the review.

Usage: benchmarks/removals.py [--records 5000 10000 20000] [--engine sqlite|postgresql|both]

Two reviewers have decided every record of a review; another tenth, of an import of its own, was
served and is decided by nobody. That import is taken back, then the review is deleted. Seconds for
1,000 records show whether the time grows with the size alone, or with its square.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, select

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from engines import start_postgres
from tandem import migrate
from tandem.artifacts import Artifacts
from tandem.db.base import Base, now
from tandem.db.session import Database
from tandem.ids import RecordNumber, new_id
from tandem.operations import lifecycle, removal, taking_back
from tandem.records.models import Import
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview
from tandem.screening.lease_models import Lease, Served
from tandem.screening.models import Decision, Exposure, PresentDecision, ScreenedRecord
from tandem.screening.rules import Status, Verdict
from tandem.screening.streams import Stream
from world import TA, Person, Team, World

ENGINES = ("sqlite", "postgresql")
_ABSTRACT = "An abstract of some length. " * 50


@dataclass(frozen=True)
class Measured:
    engine: str
    n_decided: int
    n_taken_back: int
    take_back_seconds: float
    delete_seconds: float


def measure(engine: str, database: Database, folder: Path, n_records: int) -> Measured:
    world = World(database)
    team, undecided = _screened(world, n_records)
    with database.read() as session:
        query = select(Import.id).where(Import.review_id == team.review_id)
        last = session.scalars(query.order_by(Import.created_at.desc())).first()
    assert last is not None  # it was made above
    began = time.monotonic()
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        taking_back.take_back(session, review, viewer, import_id=last)
    take_back_seconds = time.monotonic() - began
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        lifecycle.delete_review(session, review, viewer, title=review.title)
    began = time.monotonic()
    artifacts = Artifacts(str(folder / "artifacts"))
    removal.remove(database, artifacts, None, team.review_id, grace=timedelta())
    return Measured(engine, n_records, len(undecided), take_back_seconds, time.monotonic() - began)


def _screened(world: World, n_records: int) -> tuple[Team, list[RecordNumber]]:
    """Return a review of which two have decided `n_records`, and what was served beside them."""
    team = world.team(n_records=0)
    texts = [(f"Title {n}", _ABSTRACT) for n in range(n_records)]
    decided = world.records(team.review_id, team.owner, texts=texts)
    undecided = world.records(team.review_id, team.owner, texts=texts[: n_records // 10])
    with world.database.write.begin() as session:
        review = reviews.lock(session, team.review_id)
        for model, rows in _rows(review, (team.ann, team.ben), decided, undecided):
            session.execute(insert(model), rows)
    return team, undecided


def _rows(
    review: LockedReview,
    people: tuple[Person, ...],
    decided: list[RecordNumber],
    undecided: list[RecordNumber],
) -> Iterator[tuple[type[Base], list[dict[str, object]]]]:
    key: dict[str, object] = {"review_id": review.id, "stage": TA}
    first = review.labels_seq + 1
    votes = [
        {
            **key,
            **{"id": new_id(), "record_number": number, "reviewer_id": person.id},
            **{"labels_seq": first + at * len(people) + who, "verdict": Verdict.EXCLUDE},
            **{"reasons": [], "labels": [], "informed": False, "created_at": now()},
        }
        for at, number in enumerate(decided)
        for who, person in enumerate(people)
    ]
    review.labels_seq += len(votes)
    of_both = [(person, number) for person in people for number in decided]
    yield Decision, votes
    yield (
        PresentDecision,
        [
            {**key, "decision_id": vote["id"]}
            | {name: vote[name] for name in ("record_number", "reviewer_id")}
            for vote in votes
        ],
    )
    yield (
        ScreenedRecord,
        [
            {**key, "record_number": number, "status": Status.EXCLUDED, "n_decisions": 2}
            for number in decided
        ],
    )
    yield Exposure, [{**key, "record_number": n, "user_id": p.id} for p, n in of_both]
    yield (
        Served,
        [
            {**key, "user_id": person.id, "pick": pick, "record_number": number}
            | {"served_at": now(), "stream": Stream.RANKING}
            for person in people
            for pick, number in enumerate([*decided, *undecided], 1)
        ],
    )
    yield (
        Lease,
        [
            {**key, "record_number": number, "user_id": people[0].id, "expires_at": now()}
            for number in undecided
        ],
    )


@contextmanager
def _databases(engine: str, folder: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{folder}/tandem.sqlite3"
        return
    with start_postgres(folder) as server:
        name = f"removals_{new_id().hex}"
        yield server.create(name)
        server.drop(name)


def run(engine: str, n_records: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="tandem-removals-") as place:
        folder = Path(place)
        with _databases(engine, folder) as url:
            migrate.upgrade(url)
            database = Database(url)
            try:
                return measure(engine, database, folder, n_records)
            finally:
                database.close()


def _told(seconds: float, n_records: int) -> str:
    return f"{seconds:.1f} ({1000 * seconds / n_records:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, nargs="+", default=[5_000, 10_000, 20_000])
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="both")
    asked = parser.parse_args()
    table = Table(title="Seconds, and seconds for 1,000 records")
    for heading in ("engine", "decided", "taken back", "an import taken back", "a review deleted"):
        table.add_column(heading, justify="right" if heading != "engine" else "left")
    for engine in ENGINES if asked.engine == "both" else (asked.engine,):
        for n_records in asked.records:
            one = run(engine, n_records)
            table.add_row(
                *(one.engine, f"{one.n_decided:,}", f"{one.n_taken_back:,}"),
                _told(one.take_back_seconds, one.n_taken_back),
                _told(one.delete_seconds, one.n_decided),
            )
    Console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    main()
