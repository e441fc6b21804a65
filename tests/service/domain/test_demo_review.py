"""The demo review is made once, and nothing that people do to it keeps Tandem from starting."""

import stat
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from tandem.accounts import service as accounts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.demo import installation
from tandem.records.models import Import, ImportState
from tandem.reviews.models import Review


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    # No worker runs here; the whole of it is started in the tests of `tandem up`.
    monkeypatch.setattr(installation, "_wait_until_ready", lambda *_: None)


def test_it_is_found_again(settings: Settings, database: Database) -> None:
    made = installation.ensure(settings)

    assert installation.ensure(settings) == made
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 1


def test_a_failed_import_does_not_keep_it_from_starting(
    settings: Settings, database: Database
) -> None:
    made = installation.ensure(settings)
    with database.write.begin() as session:
        session.execute(update(Import).values(state=ImportState.FAILED, error="not a bibliography"))

    assert installation.ensure(settings) == made


def test_its_people_can_sign_in(settings: Settings, database: Database) -> None:
    made = installation.ensure(settings)

    with database.read() as session:
        for person in made.accounts:
            assert accounts.check_password(session, email=person.email, password=person.password)


def test_a_start_that_was_interrupted_is_made_up_for(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(installation, "_wait_until_ready", killed)
        with pytest.raises(KeyboardInterrupt):
            installation.ensure(settings)

    made = installation.ensure(settings)

    with database.read() as session:
        imports = select(func.count()).where(Import.review_id == UUID(made.review_id))
        assert session.scalar(imports) == 3
        for person in made.accounts:
            assert accounts.check_password(session, email=person.email, password=person.password)


def test_its_passwords_are_for_nobody_elses_eyes(settings: Settings) -> None:
    installation.ensure(settings)

    mode = (settings.data_dir / "demo" / "demo.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
