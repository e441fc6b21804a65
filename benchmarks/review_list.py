"""`python benchmarks/review_list.py`: how long GET /reviews takes with many large reviews.

100 reviews of 5,000 records, of which two people have decided 3,000 each; SQLite, on this machine.
What is timed is what the route asks of the database, the fastest and the median of ten.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from tandem import migrate
from tandem.accounts import service as accounts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import DecisionId, ImportId, UserId, new_id
from tandem.operations import waiting
from tandem.records.models import Import, ImportState, Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.screening.models import Conflict, Decision, PresentDecision, ScreenedRecord

N_REVIEWS, N_RECORDS, N_DECIDED = 100, 5000, 3000
TA = Stage.TITLE_ABSTRACT


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'tandem.sqlite3'}"
        migrate.upgrade(url)
        database = Database(url)
        me = fill(database)
        print("| reviews | records each | fastest, ms | median, ms |\n|---|---|---|---|")
        for n in (1, 10, N_REVIEWS):
            taken = [timed(database, me, n) for _ in range(10)]
            fastest, median = 1000 * min(taken), 1000 * statistics.median(taken)
            print(f"| {n} | {N_RECORDS} | {fastest:.0f} | {median:.0f} |")
        database.close()


def timed(database: Database, me: UserId, n: int) -> float:
    began = time.perf_counter()
    with database.read() as session:
        found = reviews.reviews_of(session, me, after=None, limit=n)
        assert len(waiting.of_reviews(session, found, user_id=me)) == n
    return time.perf_counter() - began


def fill(database: Database) -> UserId:
    with database.write.begin() as session:
        people = [
            accounts.add_user(
                session, email=f"{name}@example.org", name=name, password=None, is_admin=False
            ).id
            for name in ("owner", "ann", "ben")
        ]
    for number in range(N_REVIEWS):
        with database.write.begin() as session:
            review = reviews.create_review(session, owner_id=people[0], title=f"Review {number}")
            for person in people[1:]:
                reviews.set_member(session, review, user_id=person, role=Role.REVIEWER)
            review.last_record_number = N_RECORDS
            file = ImportId(new_id())
            session.add(
                Import(
                    id=file,
                    review_id=review.id,
                    created_by=people[0],
                    created_at=now(),
                    state=ImportState.DONE,
                    filename="f",
                    artifact="none",
                    n_read=N_RECORDS,
                    n_added=N_RECORDS,
                    n_duplicates=0,
                    n_rejected=0,
                    rejected=[],
                    fence=0,
                )
            )
            session.flush()
            rows(session, review.id, file, people)
        sys.stderr.write(f"\r{number + 1} of {N_REVIEWS}")
    return people[1]


def rows(session: Any, review_id: Any, file: ImportId, people: list[UserId]) -> None:
    texts = {"title": "T", "abstract": "", "authors": [], "keywords": [], "raw": "", "priors": []}
    of = {"review_id": review_id}
    told = range(1, N_RECORDS + 1)
    session.execute(
        insert(Record),
        [of | texts | {"number": n, "import_id": file, "created_at": now()} for n in told],
    )
    decided, entries, present = range(1, N_DECIDED + 1), [], []
    common = {"stage": TA, "reasons": [], "labels": [], "informed": False, "created_at": now()}
    for place, person in enumerate(people[1:]):
        for n in decided:
            id = DecisionId(new_id())
            at = of | {"record_number": n, "reviewer_id": person}
            said = {"verdict": "exclude", "labels_seq": place * N_DECIDED + n}
            entries.append(common | at | said | {"id": id})
            present.append(at | {"stage": TA, "decision_id": id})
    session.execute(insert(Decision), entries)
    session.execute(insert(PresentDecision), present)
    status = [("conflict" if n % 10 == 0 else "excluded") for n in decided]
    session.execute(
        insert(ScreenedRecord),
        [
            of | {"stage": TA, "record_number": n, "status": status[n - 1], "n_decisions": 2}
            for n in decided
        ],
    )
    conflict = {"stage": TA, "state": "open", "kind": "verdict", "opened_at": now()}
    session.execute(
        insert(Conflict),
        [of | conflict | {"id": new_id(), "record_number": n} for n in decided if n % 10 == 0],
    )


if __name__ == "__main__":
    main()
