"""The demo review in an installation: made once, found again at every later start."""

import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.demo.corpus import Corpus, corpus
from tandem.demo.exports import Export, write_exports, write_labelled
from tandem.errors import TandemError
from tandem.ids import ImportId, ReviewId, UserId
from tandem.ranking.models import Ranking
from tandem.records import imports
from tandem.records.models import Import, ImportState
from tandem.reviews import service as reviews
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.tasks import Nudges

TITLE = "Peer support workers in health (demo, synthetic records)"
READY_WITHIN_SECONDS = 60
_LOOK_SECONDS = 0.1


class DemoNotReady(TandemError):
    """The demo's records could not be read or ranked."""

    code = "demo_not_ready"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody who takes part in the demo review. The password is of this installation only."""

    does: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo review and the people who may sign in to it."""

    review_id: str
    accounts: list[DemoAccount]

    def __str__(self) -> str:
        lines = [f"Demo review {self.review_id}: {TITLE}"]
        for one in self.accounts:
            lines.append(f"  {one.does:<12} {one.email:<26} password {one.password}")
        lines.append(f"  The {_OWNS} owns the review, too: may invite, import and set its policy.")
        return "\n".join(lines)


_OWNS = "adjudicator"
_PEOPLE: Mapping[str, tuple[str, str, Role]] = {
    "reviewer": ("Rosa Reviewer", "rosa@demo.example", Role.REVIEWER),
    "reviewer 2": ("Remy Reviewer", "remy@demo.example", Role.REVIEWER),
    _OWNS: ("Ada Adjudicator", "ada@demo.example", Role.OWNER),
}


def ensure(settings: Settings) -> Demo:
    """Return the demo review of this installation; create it, through the real import, if new.

    Raises:
        DemoNotReady: A file could not be imported, or no worker did it in time.
    """
    database = Database(settings.resolved_database_url())
    nudges = Nudges(settings.resolved_redis_url())
    try:
        folder = settings.data_dir / "demo"
        demo = _known(folder / "demo.json", database)
        if demo is not None:
            return demo
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        demo = _create(database, Artifacts(settings.resolved_artifact_url()), folder)
        review_id = ReviewId(UUID(demo.review_id))
        for import_id in _waiting_imports(database, review_id):
            nudges.uploaded(import_id)
        _wait_until_ready(database, review_id)
        # Only now: a start that was interrupted before makes another one, whole.
        _remember(demo, folder / "demo.json")
        return demo
    finally:
        nudges.close()
        database.close()


def _known(file: Path, database: Database) -> Demo | None:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    demo = Demo(stored["review_id"], [DemoAccount(**one) for one in stored["accounts"]])
    with database.read() as session:
        return demo if session.get(Review, UUID(demo.review_id)) is not None else None


def _create(database: Database, artifacts: Artifacts, folder: Path) -> Demo:
    made = corpus()
    exports = write_exports(made, folder)
    write_labelled(made, folder / "labelled.csv")
    passwords = {does: secrets.token_urlsafe(9) for does in _PEOPLE}
    with database.write.begin() as session:
        people = {does: _account(session, does, passwords[does]) for does in _PEOPLE}
        review_id = _review(session, made, people)
    for export in exports:
        _upload(database, artifacts, review_id, people[_OWNS], export)
    people_in_it = [DemoAccount(does, _PEOPLE[does][1], passwords[does]) for does in _PEOPLE]
    return Demo(str(review_id), people_in_it)


def _account(session: Session, does: str, password: str) -> UserId:
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


def _upload(
    database: Database, artifacts: Artifacts, review_id: ReviewId, by: UserId, export: Export
) -> None:
    with export.path.open("rb") as file:
        upload = imports.store_upload(artifacts, review_id=review_id, file=file)
    with database.write.begin() as session:
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
    with open(partial, "w", encoding="utf-8", opener=_private) as stream:
        json.dump(asdict(demo), stream, indent=2)
    partial.replace(file)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _waiting_imports(database: Database, review_id: ReviewId) -> list[ImportId]:
    unfinished = [ImportState.QUEUED, ImportState.RUNNING]
    query = select(Import.id).where(Import.review_id == review_id, Import.state.in_(unfinished))
    with database.read() as session:
        return list(session.scalars(query))


def _wait_until_ready(database: Database, review_id: ReviewId) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if not _waiting_imports(database, review_id) and _is_ranked(database, review_id):
            return
        time.sleep(_LOOK_SECONDS)
    raise DemoNotReady("The demo's records were not read in time; see the worker's messages above.")


def _is_ranked(database: Database, review_id: ReviewId) -> bool:
    with database.read() as session:
        failed = session.scalar(
            select(Import.error).where(
                Import.review_id == review_id, Import.state == ImportState.FAILED
            )
        )
        if failed is not None:
            raise DemoNotReady(f"The demo's records could not be read: {failed}")
        review = reviews.get_review(session, review_id)
        newest = session.scalar(
            select(Ranking.corpus_seq)
            .where(Ranking.review_id == review_id, Ranking.stage == Stage.TITLE_ABSTRACT)
            .order_by(Ranking.labels_seq.desc())
            .limit(1)
        )
        return newest == review.corpus_seq
