"""The demo review is made once, whenever starts are killed, and a later start goes on with it."""

import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update

from service.domain.ranked_review import RankedReview
from tandem.accounts import service as accounts
from tandem.accounts.models import User
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.demo import making
from tandem.demo.corpus import Corpus, corpus
from tandem.demo.loading import Progress, load, progress
from tandem.demo.making import Demo, DemoNotReady
from tandem.ids import ReviewId
from tandem.installation import preparation
from tandem.records import batch, import_work, importing, imports
from tandem.records.batch import Ready
from tandem.records.models import Import, ImportState
from tandem.reviews.models import Review
from tandem.screening.duplicates import deduplication

SMALL = 60
"""Records of the demo in these tests: its whole size is in `benchmarks/first_start.py`."""


class Killed(BaseException):
    """As SIGKILL, nothing of the program catches it."""


@pytest.fixture(scope="module")
def small() -> Corpus:
    whole = corpus()
    return replace(whole, records=whole.records[:SMALL])


@pytest.fixture(autouse=True)
def _small_demo(monkeypatch: pytest.MonkeyPatch, small: Corpus) -> None:
    monkeypatch.setattr(making, "corpus", lambda: small)


STEPS: list[tuple[Any, str]] = [
    *(
        (making, name)
        for name in ("_find", "_account", "_review", "_store", "_accept", "_remember")
    ),
    (imports, "accept"),
    (Artifacts, "write"),
    (Path, "mkdir"),
    (Path, "write_bytes"),
    (Path, "replace"),
]
"""Before and behind each call of these a start may be killed."""


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """Kill the block at its n-th step."""
    left = step

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            count()
            result = work(*args, **named)
            count()
            return result

        return run

    with pytest.MonkeyPatch.context() as patched:
        for owner, name in STEPS:
            patched.setattr(owner, name, counted(getattr(owner, name)))
        yield


def is_whole(database: Database, demo: Demo) -> bool:
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 1
        assert session.scalar(select(func.count()).select_from(User)) == 3
        files = {row.filename for row in session.scalars(select(Import))}
        for person in demo.accounts:
            assert person.password is not None
            accounts.check_password(session, email=person.email, password=person.password)
    return files == {"medline.nbib", "cinahl.ris", "scopus.csv"}


def test_a_start_that_is_killed_at_any_step_is_gone_on_with_by_the_next(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    n_killed = 0
    while True:
        here = tmp_path / str(n_killed)
        here.mkdir()
        shutil.copy(migrated_sqlite, here / "tandem.sqlite3")
        settings = Settings(data_dir=here)
        database = Database(settings.resolved_database_url())
        try:
            with killed_at(n_killed + 1):
                making.ensure(settings, database)
            break  # it had fewer steps
        except Killed:
            n_killed += 1
            assert is_whole(database, making.ensure(settings, database)), n_killed
        finally:
            database.close()
    assert n_killed > 50


@pytest.mark.both_engines
def test_many_starts_in_a_row_each_killed_a_step_later_leave_one_review(
    settings: Settings, database: Database
) -> None:
    for step in range(1, 60, 4):
        try:
            with killed_at(step):
                making.ensure(settings, database)
        except Killed:
            continue
    made = making.ensure(settings, database)

    assert is_whole(database, made)
    assert making.ensure(settings, database) == made


def work_off(settings: Settings, database: Database) -> None:
    """Do what workers do: read all files, then rank."""
    artifacts = Artifacts(settings.resolved_artifact_url())
    while True:
        with database.read() as session:
            waiting = import_work.next_in_line(session)
        if not waiting:
            break
        for import_id in waiting:
            importing.run(database, artifacts, import_id, link=deduplication.run)
    RankedReview(database, artifacts, settings.data_dir / "cache").rerank(making.DEMO_REVIEW)


@pytest.mark.both_engines
def test_it_is_ready_when_all_is_read_and_ranked(settings: Settings, database: Database) -> None:
    demo = making.ensure(settings, database)
    n_references = sum(demo.sizes.values())
    assert progress(database, demo) == Progress("reading", 0, n_references)

    work_off(settings, database)

    assert progress(database, demo) == Progress("ready", SMALL, SMALL)


def test_a_start_goes_on_at_once_with_what_a_killed_worker_held(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "tandem.sqlite3")
    settings = Settings(data_dir=tmp_path)
    database = Database(settings.resolved_database_url())
    demo = making.ensure(settings, database)
    # More often than a piece of work is tried, each time within its first records.
    for _ in range(7):
        preparation.prepare(settings)
        with monkeypatch.context() as patched:
            patched.setattr(batch, "store", killing)
            with pytest.raises(Killed):
                work_off(settings, database)
        with database.read() as session:
            assert not import_work.next_in_line(session), "a dead worker holds it"

    preparation.prepare(settings)
    work_off(settings, database)

    assert progress(database, demo).step == "ready"
    database.close()


def killing(*_: object, **__: object) -> Ready:
    raise Killed


def test_a_file_that_failed_is_tried_again_at_the_next_start(
    settings: Settings, database: Database
) -> None:
    demo = making.ensure(settings, database)
    fail(database)
    with pytest.raises(DemoNotReady, match=r"not a bibliography.*the next start tries it again"):
        load_until_it_fails(settings, database)

    making.try_again(database, demo)

    assert progress(database, demo).step == "reading"
    assert not making.failed_jobs(database, demo)


def fail(database: Database) -> None:
    with database.write.begin() as session:
        session.execute(update(Import).values(state=ImportState.FAILED, error="not a bibliography"))


def load_until_it_fails(settings: Settings, database: Database) -> None:
    """Load as `tandem up --demo` does, beside a worker that cannot read the files."""
    load(settings, made=lambda _: None, on_progress=lambda _: fail(database))


def test_one_that_was_deleted_stays_deleted(settings: Settings, database: Database) -> None:
    making.ensure(settings, database)
    with database.write.begin() as session:
        session.execute(delete(Import))
        session.execute(delete(Review))

    again = making.ensure(settings, database)

    assert again.review_id is None
    assert "was deleted" in str(again)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 0


def test_one_of_an_earlier_version_is_found(settings: Settings, database: Database) -> None:
    earlier = ReviewId(UUID(int=7))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(making, "DEMO_REVIEW", earlier)
        made = making.ensure(settings, database)
    assert making.ensure(settings, database) == made
    (settings.data_dir / "demo" / "demo.json").unlink()  # that version was killed early

    assert making.ensure(settings, database).review_id == earlier


def test_a_password_that_somebody_changed_is_not_shown_any_more(
    settings: Settings, database: Database
) -> None:
    made = making.ensure(settings, database)
    with database.write.begin() as session:
        rosa = accounts.find_user(session, email="rosa@demo.example")
        assert rosa is not None
        accounts.set_password(rosa, "Rosa chose another one")

    shown = making.check_passwords(database, made)

    assert [one.password is None for one in shown.accounts] == [True, False, False]
    assert "rosa@demo.example          (has another password now)" in str(shown)


def test_its_passwords_are_for_nobody_elses_eyes(settings: Settings, database: Database) -> None:
    making.ensure(settings, database)

    mode = (settings.data_dir / "demo" / "demo.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_loading_tells_who_may_sign_in_before_anything_is_read(
    settings: Settings, database: Database
) -> None:
    steps: list[str] = []

    def seen(what: str) -> Callable[[object], None]:
        return lambda _: steps.append(what)

    def at_work(now: Progress) -> None:
        steps.append(now.step)
        if now.step == "reading":
            work_off(settings, database)

    load(settings, made=seen("accounts"), on_progress=at_work)

    assert steps == ["accounts", "reading", "ready"]
