"""What `World` puts into a database: a review, its members, the records of an import."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.events import log
from tandem.events.types import ImportFinished, MemberAdded
from tandem.ids import ConflictId, ImportId, RecordNumber, ReviewId, UserId, new_id
from tandem.records import batch, screened_records, waves
from tandem.records.imports import Found
from tandem.records.models import Import, ImportState, Record
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Member, Role
from tandem.reviews.policy import Stage
from tandem.screening.models import Conflict

TA, FT = Stage.TITLE_ABSTRACT, Stage.FULL_TEXT


def _as_open(policy: dict[str, Any]) -> dict[str, Any]:
    """Return the policy of full text where a review is open: both stages are, or neither is."""
    return {name: value for name, value in policy.items() if name == "blind"}


def add_review(
    session: Session, owner: UserId, policy: dict[str, Any] | None, **texts: Any
) -> LockedReview:
    return reviews.create_review(
        session,
        owner_id=owner,
        title=texts.pop("title", "A review"),
        policy={TA: policy or {}, FT: _as_open(policy or {})},
        seed=texts.pop("seed", 1),
        **texts,
    )


def add_members(session: Session, review: LockedReview, roles: dict[UserId, Role]) -> None:
    """Do what `set_member` does to newcomers, for all at once: most tests begin so."""
    rows: list[dict[str, Any]] = [
        {"review_id": review.id, "user_id": one, "role": role, "added_at": now()}
        for one, role in roles.items()
    ]
    session.execute(insert(Member), rows)
    added = [
        MemberAdded(user_id=str(one), role=role, detail={"by": None, "from": None, "to": role})
        for one, role in roles.items()
    ]
    log.append(session, review, *added)


def numbered(n: int) -> list[tuple[str, str]]:
    return [(f"Title {i}", f"Abstract of record {i}") for i in range(1, n + 1)]


def add_records(
    session: Session,
    review: LockedReview,
    by: UserId,
    texts: Sequence[tuple[str, str]],
    found: Found | None = None,
    source: str = "Medline",
) -> list[RecordNumber]:
    found = found or Found()
    row = Import(
        id=ImportId(new_id()),
        review_id=review.id,
        created_by=by,
        created_at=now(),
        finished_at=now(),
        state=ImportState.DONE,
        source=source,
        filename="test.ris",
        artifact="none",
        n_read=len(texts),
        n_added=len(texts),
        n_duplicates=0,
        n_rejected=0,
        rejected=[],
        fence=0,
        found_by=found.found_by,
        starts_at=found.resolved_start(),
        wave=waves.require(session, review.id, found.wave),
    )
    session.add(row)
    session.flush()
    first = review.last_record_number + 1
    numbers = [RecordNumber(number) for number in range(first, first + len(texts))]
    records: list[dict[str, Any]] = [
        {
            "review_id": review.id,
            "number": number,
            "import_id": row.id,
            "source": source,
            "title": title,
            "abstract": abstract,
            "authors": ["Lee, Ann"],
            "year": 2020,
            "keywords": [],
            "raw": "",
            "created_at": now(),
        }
        for number, (title, abstract) in zip(numbers, texts, strict=True)
    ]
    if records:
        session.execute(insert(Record), records)
    review.last_record_number += len(records)
    review.corpus_seq += 1
    review.labels_seq += 1
    if found != Found():  # else all of them are screened, and nothing says so
        screened_records.refresh(session, review.id, numbers)
        event = ImportFinished(
            import_id=str(row.id),
            n_read=row.n_read,
            n_added=row.n_added,
            n_duplicates=0,
            n_rejected=0,
            detail={"by": str(by)} | batch.sealed_origin(session, row),
        )
        log.append(session, review, event)
    return numbers


def conflict_at(
    session: Session, review_id: ReviewId, number: int, stage: Stage = TA
) -> ConflictId:
    query = select(Conflict.id).where(
        Conflict.review_id == review_id,
        Conflict.record_number == number,
        Conflict.stage == stage,
    )
    return session.scalars(query).one()
