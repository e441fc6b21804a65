"""`python benchmarks/stopping_panel.py [--records 100000] [--draws 10000]`: the owner's panel.

Two people have decided a tenth of the records by rank and every draw; one record in 500 of these is
included, no draw is; a tenth of what nobody has decided are duplicates. SQLite, in this process,
over the API: processor time, the fastest and the median of ten, of GET …/stopping, of the audit,
and of a page of its draws.
"""

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from tandem import migrate
from tandem.config import Settings
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId, UserId
from tandem.records.models import Record
from tandem.screening.models import ScreenedRecord
from tandem.stopping import audits, random_order
from tandem.stopping.models import AuditDraw
from tandem_api.app import create_app
from world import TA, Team, World

_RUNS = 10
_LINK = (
    "UPDATE record SET duplicate_of = 1 WHERE number % 10 = 3 AND number > :of AND NOT EXISTS "
    "(SELECT 1 FROM audit_draw WHERE record_number = number)"
)
_AT = "2026-01-01 00:00:00.000000"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--draws", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tandem-panel-") as folder:
        settings = Settings(
            data_dir=Path(folder), database_url=f"sqlite:///{folder}/tandem.sqlite3", redis_url=None
        )
        migrate.upgrade(settings.resolved_database_url())
        database = Database(settings.resolved_database_url())
        world = World(database)
        team, audit_id = fill(world, asked.records, asked.draws)
        with TestClient(create_app(settings)) as client:
            review = f"/api/v1/reviews/{team.review_id}"
            print("| what | fastest, ms | median, ms |\n|---|---|---|")
            gc.collect()
            gc.freeze()  # as a process of the API does when it starts
            numbers = undecided(database, team.review_id)
            settle = partial(decide_next, client, review, team, numbers)
            for what, path, before in (
                ("panel", f"{review}/stopping", None),
                ("panel, after each decision", f"{review}/stopping", settle),
                ("audit", f"{review}/audits/{audit_id}", None),
                ("100 draws", f"{review}/audits/{audit_id}/draws?limit=100", None),
            ):
                taken = [timed(partial(get, client, path, team), before) for _ in range(_RUNS)]
                fastest, median = 1000 * min(taken), 1000 * statistics.median(taken)
                print(f"| {what} | {fastest:.0f} | {median:.0f} |")
            print(json.dumps(get(client, f"{review}/audits/{audit_id}", team)["sentences"]))
        database.close()


def timed(work: Callable[[], object], before: Callable[[], object] | None) -> float:
    """Return seconds of processor time: other programs do not count."""
    if before is not None:
        before()
    began = time.process_time()
    work()
    return time.process_time() - began


def decide_next(client: TestClient, review: str, team: Team, numbers: Iterator[int]) -> None:
    """Decide one record more: whatever is kept of the review has to follow."""
    path = f"{review}/records/{next(numbers)}/decision"
    client.put(path, json={"verdict": "exclude"}, headers=team.ann.auth).raise_for_status()


def undecided(database: Database, review_id: ReviewId) -> Iterator[int]:
    """Yield numbers of records that nobody has decided."""
    begun = select(ScreenedRecord.record_number).where(ScreenedRecord.review_id == review_id)
    query = select(Record.number).where(
        Record.review_id == review_id, Record.duplicate_of.is_(None), Record.number.not_in(begun)
    )
    with database.read() as session:
        yield from session.scalars(query.limit(_RUNS)).all()


def get(client: TestClient, path: str, team: Team) -> dict[str, object]:
    answer = client.get(path, headers=team.owner.auth)
    answer.raise_for_status()
    found: dict[str, object] = answer.json()
    return found


def fill(world: World, n_records: int, n_draws: int) -> tuple[Team, str]:
    """Fill the tables by SQL: as rows of Python this would take an hour."""
    team = world.team(n_records=1)
    n_ranked = n_records // 10
    with world.database.write.begin() as session:
        _records(session, team.review_id, n_records)
        for who, person in enumerate((team.ann, team.ben)):
            where = f"number <= {n_ranked}"
            _decide(session, team.review_id, person.id, where, at=who * n_records)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        review.last_record_number = n_records
        review.labels_seq = 10 * n_records
        session.flush()
        audit = audits.register(
            session, review, viewer, stage=TA, target=0.95, confidence=0.95, note=None
        )
        order = random_order.order(audit.seed, TA, n_records)
        drawn = order[order > n_ranked][:n_draws].tolist()
        rows = [
            {"audit_id": audit.id, "place": place, "record_number": number, "drawn_at": now()}
            | {"pool": n_records - n_ranked - place + 1, "target": "0.95", "seq": review.labels_seq}
            for place, number in enumerate(drawn, start=1)
        ]
        session.execute(insert(AuditDraw), rows)
        audit.pointer = int(order.tolist().index(drawn[-1])) + 1
        where = "number IN (SELECT record_number FROM audit_draw)"
        for who, person in enumerate((team.ann, team.ben), start=11):
            _decide(session, team.review_id, person.id, where, at=who * n_records)
        review.labels_seq = 13 * n_records
        session.execute(text(_LINK), {"of": n_ranked})
        return team, str(audit.id)


def _records(session: Session, review_id: ReviewId, n: int) -> None:
    session.execute(
        text(
            "INSERT INTO record (review_id, number, import_id, title, abstract, authors, keywords, "
            "raw, priors, registry_ids, created_at) WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL "
            "SELECT n + 1 FROM c WHERE n < :last) SELECT :review, n, (SELECT id FROM import), 'T', "
            "'', '[]', '[]', '', '[]', '[]', :at FROM c"
        ),
        {"review": review_id.hex, "last": n, "at": _AT},
    )


def _decide(session: Session, review_id: ReviewId, person: UserId, where: str, *, at: int) -> None:
    said = {"review": review_id.hex, "person": person.hex, "at": _AT, "first": at}
    said["is_ranked"] = where.startswith("number <=")
    verdict = "CASE WHEN :is_ranked AND number % 500 = 0 THEN 'include' ELSE 'exclude' END"
    session.execute(
        text(
            "INSERT INTO decision (id, review_id, record_number, stage, reviewer_id, labels_seq, "
            "verdict, reasons, labels, informed, created_at) SELECT lower(hex(randomblob(16))), "
            f":review, number, 'title_abstract', :person, :first + number, {verdict}, '[]', '[]', "
            f"0, :at FROM record WHERE review_id = :review AND {where}"
        ),
        said,
    )
    session.execute(
        text(
            "INSERT INTO present_decision (review_id, stage, record_number, reviewer_id, "
            "decision_id) SELECT review_id, stage, record_number, reviewer_id, id FROM decision d "
            "WHERE review_id = :review AND reviewer_id = :person AND NOT EXISTS (SELECT 1 FROM "
            "present_decision p WHERE p.decision_id = d.id)"
        ),
        said,
    )
    session.execute(
        text(
            "INSERT OR IGNORE INTO screened_record (review_id, stage, record_number, status, "
            "n_decisions) SELECT review_id, stage, record_number, CASE verdict WHEN 'include' "
            "THEN 'included' ELSE 'excluded' END, 2 FROM decision WHERE review_id = :review"
        ),
        said,
    )


if __name__ == "__main__":
    main()
