"""`python benchmarks/review_list.py`: how long GET /reviews takes with many large reviews.

100 reviews of 5,000 records, of which two people have decided 3,000 each; SQLite, on this machine.
What is timed is what the route asks of the database, the fastest and the median of ten.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from tandem import migrate
from tandem.accounts import service as accounts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ImportId, ReviewId, UserId, new_id
from tandem.operations import waiting
from tandem.records.models import Import, ImportState
from tandem.reviews import service as reviews
from tandem.reviews.models import Role

N_REVIEWS, N_RECORDS, N_DECIDED = 100, 5000, 3000


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
        found = reviews.reviews_of(session, me, limit=n).items
        shown = waiting.of_reviews(session, found, user_id=me)
    assert [one.share.remaining for one in shown] == n * [N_RECORDS - N_DECIDED]
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
            review.n_full = N_DECIDED
        sys.stderr.write(f"\r{number + 1} of {N_REVIEWS}")
    return people[1]


def rows(session: Session, review_id: ReviewId, file: ImportId, people: list[UserId]) -> None:
    """Fill the tables by SQL: as rows of Python this would take an hour."""
    said = {"review": review_id.hex, "file": file.hex, "at": "2026-01-01 00:00:00.000000"}
    for statement in (_RECORDS, _STATUSES, _CONFLICTS):
        session.execute(text(statement), said)
    for place, person in enumerate(people[1:]):
        of_person = said | {"person": person.hex, "place": place}
        for statement in (_DECISIONS, _PRESENT, _COUNTS):
            session.execute(text(statement), of_person)


def _numbers(last: int) -> str:
    return f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {last}) "


_RECORDS = (
    "INSERT INTO record (review_id, number, import_id, title, abstract, authors, keywords, raw, "
    f"priors, registry_ids, created_at) {_numbers(N_RECORDS)} SELECT :review, n, :file, 'T', '', "
    "'[]', '[]', '', '[]', '[]', :at FROM c"
)
_STATUSES = (
    "INSERT INTO screened_record (review_id, stage, record_number, status, n_decisions) "
    f"{_numbers(N_DECIDED)} SELECT :review, 'title_abstract', n, "
    "CASE n % 10 WHEN 0 THEN 'conflict' ELSE 'excluded' END, 2 FROM c"
)
_CONFLICTS = (
    "INSERT INTO conflict (id, review_id, record_number, stage, state, kind, opened_at) "
    f"{_numbers(N_DECIDED)} SELECT lower(hex(randomblob(16))), :review, n, 'title_abstract', "
    "'open', 'verdict', :at FROM c WHERE n % 10 = 0"
)
_DECISIONS = (
    "INSERT INTO decision (id, review_id, record_number, stage, reviewer_id, labels_seq, verdict, "
    f"reasons, labels, informed, created_at) {_numbers(N_DECIDED)} SELECT "
    "lower(hex(randomblob(16))), :review, n, 'title_abstract', :person, "
    f":place * {N_DECIDED} + n, 'exclude', '[]', '[]', 0, :at FROM c"
)
_PRESENT = (
    "INSERT INTO present_decision (review_id, stage, record_number, reviewer_id, decision_id) "
    "SELECT review_id, stage, record_number, reviewer_id, id FROM decision "
    "WHERE review_id = :review AND reviewer_id = :person"
)
_COUNTS = (
    "INSERT INTO reviewer_count (review_id, reviewer_id, n_decided, n_half_done) "
    f"VALUES (:review, :person, {N_DECIDED}, 0)"
)


if __name__ == "__main__":
    main()
