"""A clock that was set back keeps no work waiting, whatever kind of work it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from service.domain.clocks import Clock
from service.domain.importing import Importer, titled
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.events import positions
from tandem.ids import ImportId, TextFileId, new_id
from tandem.operations.jobs import KINDS
from tandem.ranking import second_looks
from tandem.ranking.encoding_work import ENCODINGS
from tandem.ranking.sentences import MODEL
from tandem.ranking.training import RANKINGS
from tandem.texts.kinds import MediaType
from tandem.texts.models import TextFile, TextState
from tandem.texts.work import TEXTS
from tandem.work import lease
from tandem.work.lease import Held, Kind
from world import TA, Team, World

pytestmark = pytest.mark.both_engines

LASTING = timedelta(seconds=60)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    Clock.at = datetime.now(UTC)
    monkeypatch.setattr("tandem.db.base.datetime", Clock)
    return Clock


def queued_text(world: World, team: Team) -> TextFileId:
    file = TextFile(
        id=TextFileId(new_id()),
        review_id=team.review_id,
        sha256="0" * 64,
        media_type=MediaType.PDF,
        n_bytes=100,
        created_at=datetime.now(UTC),
        state=TextState.QUEUED,
        fence=0,
    )
    with world.entered(team.review_id, team.owner) as (session, _, _):
        session.add(file)
        return file.id


def key_of_work(kind: Kind[Any], world: World, settings: Settings) -> list[object]:
    """Make some work of this kind due; return its key."""
    importer = Importer(world, Artifacts(settings.resolved_artifact_url()))
    if kind.name == "import":
        import_id: ImportId = importer.accept(titled([1]))
        return [import_id]
    team = world.team()
    if kind is TEXTS:
        return [queued_text(world, team)]
    with world.entered(team.review_id, team.owner) as (session, review, _):
        if kind is RANKINGS:
            lease.ensure_row(session, kind, team.review_id, TA, trained_seq=0)
        elif kind is ENCODINGS:
            values = {"model": MODEL, "corpus_seq": 0, "n_done": 0}
            lease.ensure_row(session, kind, team.review_id, **values)
        else:
            second_looks.ask(session, review, TA)
    return [team.review_id, TA][: len(kind.key)]


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
@pytest.mark.parametrize("then", ["held", "failed", "resting"])
def test_the_work_is_taken_all_the_same(
    kind: Kind[Any],
    then: str,
    world: World,
    database: Database,
    settings: Settings,
    clock: type[Clock],
) -> None:
    key = key_of_work(kind, world, settings)

    def take(session: Session) -> Held[Any] | None:
        taken = lease.take(session, kind, *key, lasting=LASTING)
        return taken if isinstance(taken, Held) else None

    with database.write.begin() as session:
        first = take(session)
        assert first is not None
    with database.write.begin() as session:
        if then == "failed":
            lease.fail(session, first, ValueError("broken"))
        elif then == "resting":
            lease.rest(lease.hold(session, first), first)
        assert take(session) is None

    clock.at -= timedelta(hours=1)
    with database.write.begin() as session:
        second = take(session)
        assert second is not None
        assert lease.find(session, first) is None


def test_who_is_at_work_keeps_it_by_renewing(
    world: World, database: Database, clock: type[Clock], settings: Settings
) -> None:
    key = key_of_work(RANKINGS, world, settings)
    with database.write.begin() as session:
        held = lease.take(session, RANKINGS, *key, lasting=LASTING)
        assert isinstance(held, Held)
    clock.at -= timedelta(hours=1)
    with database.write.begin() as session:
        lease.hold(session, held)
        assert lease.take(session, RANKINGS, *key, lasting=LASTING) is None


def test_a_consumer_of_events_is_replaced(database: Database, clock: type[Clock]) -> None:
    with database.write.begin() as session:
        first = positions.claim(session, "stream", lasting=LASTING)
        assert first is not None
        assert positions.claim(session, "stream", lasting=LASTING) is None
    clock.at -= timedelta(hours=1)
    with database.write.begin() as session:
        assert positions.claim(session, "stream", lasting=LASTING) == first + 1
        assert not positions.keep(session, "stream", first, until=None)
