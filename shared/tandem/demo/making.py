"""The demo review in an installation: made once, found again at every later start.

Its accounts, the review, its members and the imports of its three files are one transaction, under
an id that is the same in every installation. So whenever a start is killed, the next one finds the
whole review or nothing of it. What follows, reading and ranking, is workers' usual work, which
goes on by itself.
"""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.accounts.passwords import Hashed, hashed
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.demo.corpus import Corpus, corpus
from tandem.demo.exports import Export, write_exports, write_labelled
from tandem.errors import TandemError, Unauthenticated
from tandem.ids import ImportId, ReviewId, UserId
from tandem.operations.jobs import retry, unfinished
from tandem.records import imports
from tandem.records.imports import Upload
from tandem.records.models import Import
from tandem.reviews import service as reviews
from tandem.reviews.models import Review, Role
from tandem.work.jobs import JobKind, JobState

TITLE = "Peer support workers in health (demo, synthetic records)"
DEMO_REVIEW = ReviewId(UUID("de300000-7a4d-5e00-8e00-7e57a4de3000"))
"""The key of its row: the database lets no second one in."""


class DemoNotReady(TandemError):
    """The demo's records could not be read or ranked."""

    code = "demo_not_ready"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody who takes part in the demo review.

    The password is of this installation only; None once its owner has chosen another.
    """

    does: str
    email: str
    password: str | None


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo review and the people who may sign in to it.

    Attributes:
        review_id: None where somebody has deleted the review: it is not made again.
        accounts: Of its people.
        sizes: How many records are in each of its files, by file name.
    """

    review_id: ReviewId | None
    accounts: list[DemoAccount]
    sizes: Mapping[str, int]

    def __str__(self) -> str:
        if self.review_id is None:
            return "The demo review was deleted. A new data folder (--data-dir) brings a new one."
        lines = [f"Demo review {self.review_id}: {TITLE}"]
        for one in self.accounts:
            password = f"password {one.password}" if one.password else "(has another password now)"
            lines.append(f"  {one.does:<12} {one.email:<26} {password}")
        lines.append(f"  The {_OWNS} owns the review, too: may invite, import and set its policy.")
        return "\n".join(lines)


_OWNS = "adjudicator"
_PEOPLE: Mapping[str, tuple[str, str, Role]] = {
    "reviewer": ("Rosa Reviewer", "rosa@demo.example", Role.REVIEWER),
    "reviewer 2": ("Remy Reviewer", "remy@demo.example", Role.REVIEWER),
    _OWNS: ("Ada Adjudicator", "ada@demo.example", Role.OWNER),
}


def ensure(settings: Settings, database: Database) -> Demo:
    """Return the demo review of this installation; make it where there never was one.

    Safe to be killed at any moment and to be called again.
    """
    folder = settings.data_dir / "demo"
    made = corpus()
    exports = _files(made, folder)
    known = _known_accounts(folder / "demo.json")
    with database.read() as session:
        review_id = _find(session, known)
        # Accounts are never removed: without their review it was deleted.
        is_new = review_id is None and _owner(session) is None
    if is_new or known is None:
        known = _fresh_accounts()
        # Hashed before the transaction: that takes its time, and other writers would wait.
        hashes = {one.does: _hashed(one) for one in known.accounts}
        artifacts = Artifacts(settings.resolved_artifact_url())
        uploads = [(export, _store(artifacts, export)) for export in exports] if is_new else []
        with database.write.begin() as session:
            people = {does: _account(session, does, hashes[does]) for does in _PEOPLE}
            if is_new:
                review_id = _review(session, made, people)
                _accept(session, review_id, people[_OWNS], uploads)
        # Behind the commit. A start that is killed here leaves accounts whose passwords nobody
        # knows; the next one misses this file and gives them others.
        known = replace(known, review_id=review_id)
        _remember(known, folder / "demo.json")
    sizes = {export.path.name: export.n for export in exports}
    return replace(known, review_id=review_id, sizes=sizes)


def check_passwords(database: Database, demo: Demo) -> Demo:
    """Return the demo without the passwords that do not open their accounts any more."""

    def checked(one: DemoAccount) -> DemoAccount:
        try:
            with database.read() as session:
                accounts.check_password(session, email=one.email, password=one.password or "")
        except Unauthenticated:
            return replace(one, password=None)
        return one

    return replace(demo, accounts=[checked(one) for one in demo.accounts])


def try_again(database: Database, demo: Demo) -> None:
    """Take up what failed in an earlier start, perhaps because that was killed too often."""
    if demo.review_id is None:
        return
    for job_id in failed_jobs(database, demo):
        with database.write.begin() as session:
            owner = _owner(session)
            assert owner is not None  # noqa: S101  # made with the review
            retry(session, job_id=job_id, by=owner)


def failed_jobs(database: Database, demo: Demo) -> dict[str, str]:
    """Return what is not tried any more of reading and ranking its records: job id to cause."""
    assert demo.review_id is not None  # noqa: S101  # callers have looked
    kinds = {JobKind.IMPORT, JobKind.DEDUPLICATION, JobKind.RANKING}
    over = {JobState.FAILED, JobState.PARKED}
    with database.read() as session:
        files = {row.id: row for row in files_of(session, demo)}
        return {
            job.id: (files[ImportId(job.target)].error if job.target in files else None)
            or job.cause
            or "no cause is known"
            for job in unfinished(session, states=over, kinds=kinds)
            if job.is_over and (job.target in files or job.target == demo.review_id)
        }


def files_of(session: Session, demo: Demo) -> Sequence[Import]:
    """Return the imports of its own files, those taken back left out."""
    query = select(Import).where(
        Import.review_id == demo.review_id, Import.filename.in_(demo.sizes)
    )
    return session.scalars(query.order_by(Import.created_at, Import.id)).all()


def _files(made: Corpus, folder: Path) -> list[Export]:
    """Write the files to import and the labelled one, each whole or not at all."""
    partial = folder / "partial"
    partial.mkdir(mode=0o700, parents=True, exist_ok=True)
    exports = write_exports(made, partial)
    labelled = partial / "labelled.csv"
    write_labelled(made, labelled)
    for path in (*(export.path for export in exports), labelled):
        path.replace(folder / path.name)
    partial.rmdir()
    return [replace(export, path=folder / export.path.name) for export in exports]


def _find(session: Session, known: Demo | None) -> ReviewId | None:
    for review_id in (DEMO_REVIEW, known.review_id if known is not None else None):
        if review_id is not None and session.get(Review, review_id) is not None:
            return review_id
    # As Tandem made it up to version 0.1: under any id, perhaps several times.
    query = select(Review.id).where(Review.title == TITLE, Review.created_by == _owner(session))
    return session.scalars(query.order_by(Review.created_at).limit(1)).one_or_none()


def _owner(session: Session) -> UserId | None:
    user = accounts.find_user(session, email=_PEOPLE[_OWNS][1])
    return user.id if user is not None else None


def _known_accounts(file: Path) -> Demo | None:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        people = [DemoAccount(**one) for one in stored["accounts"]]
        return Demo(ReviewId(UUID(stored["review_id"])), people, sizes={})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DemoNotReady(f"{file} cannot be read: remove it, and start again.") from error


def _fresh_accounts() -> Demo:
    people = [
        DemoAccount(does, email, secrets.token_urlsafe(9))
        for does, (_, email, _) in _PEOPLE.items()
    ]
    return Demo(None, people, sizes={})


def _hashed(one: DemoAccount) -> Hashed:
    assert one.password is not None  # noqa: S101  # a fresh one
    return hashed(one.password, email=one.email)


def _account(session: Session, does: str, password: Hashed) -> UserId:
    name, email, _ = _PEOPLE[does]
    known = accounts.find_user(session, email=email)
    if known is not None:
        accounts.set_password(known, password)
        return known.id
    user = accounts.add_user(session, email=email, name=name, password=password, is_admin=False)
    return user.id


def _review(session: Session, made: Corpus, people: Mapping[str, UserId]) -> ReviewId:
    review = reviews.create_review(
        session,
        review_id=DEMO_REVIEW,
        owner_id=people[_OWNS],
        title=TITLE,
        question=made.question,
        include=made.criteria["include"],
        exclude=made.criteria["exclude"],
    )
    for does, (_, _, role) in _PEOPLE.items():
        if role is not Role.OWNER:
            reviews.set_member(session, review, user_id=people[does], role=role)
    return review.id


def _store(artifacts: Artifacts, export: Export) -> Upload:
    # Always under the same id: a start that was killed behind this leaves nothing unused.
    import_id = ImportId(uuid5(DEMO_REVIEW, export.path.name))
    with export.path.open("rb") as file:
        return imports.store_upload(
            artifacts, review_id=DEMO_REVIEW, file=file, import_id=import_id
        )


def _accept(
    session: Session, review_id: ReviewId, by: UserId, uploads: Sequence[tuple[Export, Upload]]
) -> None:
    for export, upload in uploads:
        imports.accept(
            session,
            upload,
            review_id=review_id,
            user_id=by,
            filename=export.path.name,
            source=export.source,
            requested_format=None,
        )


def _remember(demo: Demo, file: Path) -> None:
    partial = file.with_suffix(".partial")
    stored = {"review_id": str(demo.review_id), "accounts": [asdict(a) for a in demo.accounts]}
    with open(partial, "w", encoding="utf-8", opener=_private) as stream:
        json.dump(stored, stream, indent=2)
    partial.replace(file)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
