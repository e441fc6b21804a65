"""A deleted review is taken away to the last row, and nothing else is."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Table, func, select, update

from engines import Broker
from service.domain.importing import Importer, titled
from service.domain.ranked_review import RankedReview, about_sleep
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.base import now
from tandem.db.session import Database
from tandem.events.progress import RankingProgress
from tandem.events.stream import STREAM, Publisher
from tandem.handover import code_books
from tandem.handover.code_book import FileCode
from tandem.ids import CodeId, RecordNumber, ReviewId, StudyId, SynthesisImportId, new_id
from tandem.models import Base
from tandem.operations import jobs, lifecycle, removal
from tandem.ranking import training
from tandem.ranking.models import Encoding, SecondLook, SentenceVector, Training
from tandem.records import import_work
from tandem.records.duplicates.models import RecordRelation
from tandem.records.duplicates.relations import Relation
from tandem.records.models import Removal, Wave, WaveKind
from tandem.records.origin import RemovalKind
from tandem.reports import retrieval
from tandem.reports.models import NearMiss, Rating, SeparateReports, Study, StudyReport
from tandem.reviews import invitations
from tandem.reviews.models import Review, Role
from tandem.screening import priors
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.people import interests
from tandem.stopping import audits, draws
from tandem.synthesis.models import CodedPassage, SynthesisImport
from tandem.synthesis.placing import PassageState
from tandem.webhooks import deliveries, delivery, endpoints
from tandem.webhooks.addresses import Rules
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines

AT_ONCE = timedelta(0)
OF_PEOPLE = {
    *("user_account", "access_token", "sign_in", "account_link", "attempts"),
    *("idempotent_request", "consumer_lease"),
}


@pytest.fixture
def redis(broker: Broker) -> Iterator[Redis]:
    client = Redis.from_url(broker.url)
    client.delete(STREAM)
    yield client
    client.delete(STREAM)
    client.close()


@pytest.fixture
def artifacts(settings: Settings) -> Artifacts:
    return Artifacts(settings.resolved_artifact_url())


def fill(world: World) -> Team:
    """Return a review that has rows in every table."""
    team = world.team(n_records=6)
    review_id = team.review_id
    for number in (1, 3):
        world.decide(review_id, team.ann, number, "include")
        world.decide(review_id, team.ben, number, "exclude")
    world.resolve(review_id, team.judge, 3, "include")
    for verdict in ("include", "exclude"):  # it is settled, and no longer
        world.decide(review_id, team.ann, 2, "include")
        world.decide(review_id, team.ben, 2, verdict)
    for blind in (False, True):
        world.change_policy(review_id, team.owner, blind=blind)
    world.rank(review_id, 6, 5, 4, 3, 2, 1)
    world.say(review_id, team.judge, 1, "Who is right?")
    world.serve(review_id, team.eve, limit=2)
    with world.entered(review_id, team.owner) as (session, review, viewer):
        invitations.invite(
            session,
            review=review,
            viewer=viewer,
            role=Role.REVIEWER,
            email=None,
            lasting=timedelta(days=1),
        )
        webhook = endpoints.add(
            session, review, owner_id=team.owner.id, url="https://9.9.9.9/hook", rules=Rules()
        )
        deliveries.ask_for_test(session, webhook)
        audit = audits.register(
            session, review, viewer, stage=TA, target=0.9, confidence=0.9, note=None
        )
        draws.draw(session, review, audit, [RecordNumber(4)])
        retrieval.append_retrieval(
            session,
            review=review,
            viewer=viewer,
            number=RecordNumber(3),
            state=RetrievalState.REQUESTED,
        )
    with world.entered(review_id, team.eve) as (session, review, viewer):
        interests.declare(
            session,
            review=review,
            viewer=viewer,
            record_number=RecordNumber(4),
            has_interest=True,
        )
        session.add(Encoding(review_id=review_id, model="m", corpus_seq=0, fence=0, n_done=0))
        session.add(Training(review_id=review_id, stage=TA, trained_seq=0, fence=0))
        session.add(SecondLook(review_id=review_id, stage=TA, fence=0))
        session.add(
            SentenceVector(
                review_id=review_id, record_number=1, model="m", text_hash=b"", vector=b""
            )
        )
        study = Study(
            id=StudyId(new_id()), review_id=review_id, created_by=team.eve.id, created_at=now()
        )
        session.add(study)
        session.flush()
        key: dict[str, Any] = {"review_id": review_id, "record_number": RecordNumber(3)}
        session.add(StudyReport(study_id=study.id, **key))
        apart: dict[str, Any] = {"first": RecordNumber(2), "second": RecordNumber(3)}
        session.add(
            SeparateReports(review_id=review_id, said_by=team.eve.id, said_at=now(), **apart)
        )
        session.add(
            Rating(id=new_id(), reviewer_id=team.eve.id, richness=3, created_at=now(), **key)
        )
        session.add(NearMiss(listed=True, marked_by=team.owner.id, marked_at=now(), **key))
        book, _ = code_books.add(
            session, review, [FileCode("c", None, "C")], by=team.eve.id, is_given=False
        )
        project = SynthesisImport(
            id=SynthesisImportId(new_id()),
            code_book_id=book.id,
            seq=book.seq,
            sha256="",
            filename="a.qdpx",
            project="P",
            origin="T",
            n_kept=0,
            n_moved=0,
            n_lost=1,
            n_other=0,
            review_id=review_id,
            created_by=team.eve.id,
            created_at=now(),
        )
        session.add(project)
        session.flush()
        session.add(
            CodedPassage(
                import_id=project.id,
                position=1,
                code_id=CodeId(UUID(book.codes[0]["id"])),
                quote="",
                state=PassageState.LOST,
                coder="",
                source="",
                **key,
            )
        )
        session.add(
            Removal(
                kind=RemovalKind.OTHER,
                reason="retracted",
                removed_by=team.owner.id,
                removed_at=now(),
                **key,
            )
        )
        session.add(
            Wave(
                review_id=review_id,
                number=2,
                label="Update",
                kind=WaveKind.UPDATE,
                opened_by=team.owner.id,
                opened_at=now(),
            )
        )
        session.add(
            RecordRelation(review_id=review_id, first=1, second=2, relation=Relation.PREPRINT)
        )
    world.merge(review_id, team.owner, 5, 6)
    world.unread_text(review_id, team.ann, 3)
    return team


def delete(world: World, review_id: ReviewId, owner: Person) -> None:
    with world.entered(review_id, owner) as (session, review, viewer):
        lifecycle.delete_review(session, review, viewer, title=review.title)


def n_rows(database: Database) -> dict[str, int]:
    """Return how many rows each table has, but those of people."""
    with database.read() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
            if table.name not in OF_PEOPLE
        }


def n_in_stream(redis: Redis, review_id: ReviewId) -> int:
    wanted = str(review_id).encode()
    return sum((fields or {})[b"review_id"] == wanted for _, fields in redis.xrange(STREAM) or ())


def test_every_table_is_emptied_of_it_and_other_reviews_stay(
    world: World, database: Database, artifacts: Artifacts, redis: Redis
) -> None:
    kept = fill(world)
    publisher = Publisher(database, redis, maxlen=1000)
    publisher.publish()
    before = n_rows(database)
    team = fill(world)
    publisher.publish()
    for review_id in (kept.review_id, team.review_id):
        for folder in ("imports", "features", "texts"):
            artifacts.write(f"{folder}/{review_id}/one", BytesIO(b"x"))
    missing = [name for name, n in n_rows(database).items() if n <= before[name]]
    assert not missing, f"fill() leaves {missing} empty: give them a row, removal is to find it"

    delete(world, team.review_id, team.owner)
    assert removal.remove(database, artifacts, redis, team.review_id, grace=AT_ONCE)

    assert n_rows(database) == before
    assert n_in_stream(redis, team.review_id) == 0
    assert n_in_stream(redis, kept.review_id) > 0
    for folder in ("imports", "features", "texts"):
        assert artifacts.list(folder) == [str(kept.review_id)]
    with database.read() as session:
        assert removal.due(session) == []
    # Nothing is added to the stream again, and a message that comes late finds nothing.
    assert publisher.publish() == 0
    assert removal.remove(database, artifacts, redis, team.review_id, grace=AT_ONCE) is False


def test_one_that_is_not_deleted_is_left_alone(
    world: World, database: Database, artifacts: Artifacts, redis: Redis
) -> None:
    team = fill(world)
    before = n_rows(database)

    assert removal.remove(database, artifacts, redis, team.review_id, grace=AT_ONCE) is False

    assert n_rows(database) == before


class Away:
    """A broker that goes away when it is asked."""

    def __getattr__(self, _: str) -> None:
        raise RedisError("gone")


def test_a_worker_that_is_broken_off_leaves_the_rest_to_the_next(
    world: World,
    database: Database,
    artifacts: Artifacts,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal, "CHUNK", 2)  # so that most tables take more than one
    empty = n_rows(database)
    team = fill(world)
    delete(world, team.review_id, team.owner)

    with pytest.raises(RedisError):
        removal.remove(database, artifacts, Away(), team.review_id, grace=AT_ONCE)  # type: ignore[arg-type]  # fails as a broker does
    with database.read() as session:
        assert removal.due(session) == [team.review_id]
    assert removal.remove(database, artifacts, redis, team.review_id, grace=AT_ONCE)

    assert n_rows(database) == empty


def test_its_own_row_stays_without_a_title_until_nobody_can_be_at_it(
    world: World, database: Database, artifacts: Artifacts, redis: Redis
) -> None:
    team = fill(world)
    with database.write.begin() as session:
        until = now() + timedelta(minutes=5)
        mine = Training.review_id == team.review_id
        session.execute(update(Training).where(mine).values(lease_until=until))
    delete(world, team.review_id, team.owner)

    assert removal.remove(database, artifacts, redis, team.review_id) is False  # the grace
    assert removal.remove(database, artifacts, redis, team.review_id, grace=AT_ONCE) is False
    left = {name: n for name, n in n_rows(database).items() if n}
    assert set(left) == {
        "review",
        "training",
        "encoding",
        "second_look",
        "import",
        "text_file",
        "webhook",
    }
    with database.read() as session:
        review = session.get_one(Review, team.review_id)
        assert (review.title, review.question) == ("", None)

    with database.write.begin() as session:
        session.execute(update(Training).where(mine).values(lease_until=None))
    assert removal.remove(database, artifacts, redis, team.review_id, grace=AT_ONCE)


def with_priors(world: World, artifacts: Artifacts) -> Importer:
    """Return a review with a file whose earlier decisions were taken over."""
    importer = Importer(world, artifacts)
    import_id = importer.accept(b"title,abstract,included\nA study,Text.,1\nAnother,Text.,0\n")
    importer.run(import_id)
    with world.entered(importer.review_id, importer.owner) as (session, review, viewer):
        taken = priors.take(session, review, viewer, import_id=import_id)
        assert taken.n_priors == 2
    return importer


def test_a_removal_waits_for_no_other_that_was_broken_off(
    world: World,
    database: Database,
    artifacts: Artifacts,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = with_priors(world, artifacts), with_priors(world, artifacts)
    for one in (first, second):
        delete(world, one.review_id, one.owner)

    class Killed(Exception):
        pass

    empty, records = removal._empty, Base.metadata.tables["record"]

    def empty_until_killed(database: Database, table: Table, review_id: ReviewId) -> bool:
        if table is records:
            raise Killed
        return empty(database, table, review_id)

    with monkeypatch.context() as patch:
        patch.setattr(removal, "_empty", empty_until_killed)
        with pytest.raises(Killed):
            removal.remove(database, artifacts, redis, first.review_id, grace=AT_ONCE)

    for one in (second, first):
        assert removal.remove(database, artifacts, redis, one.review_id, grace=AT_ONCE)
    people = Base.metadata.tables["user_account"]
    with database.read() as session:
        assert sorted(session.scalars(select(people.c.name))) == ["owner", "owner"]


def test_people_whom_only_its_files_named_go_with_it(
    world: World, database: Database, artifacts: Artifacts, redis: Redis
) -> None:
    reviews = [with_priors(world, artifacts) for _ in range(2)]
    delete(world, reviews[0].review_id, reviews[0].owner)

    assert removal.remove(database, artifacts, redis, reviews[0].review_id, grace=AT_ONCE)

    people = Base.metadata.tables["user_account"]
    with database.read() as session:
        names = sorted(session.scalars(select(people.c.name)))
    assert names == ["Imported", "owner", "owner"]


@pytest.mark.parametrize("end", [lifecycle.archive, None], ids=["archived", "deleted"])
def test_a_worker_that_trains_is_fenced_off_without_an_error(
    world: World, database: Database, artifacts: Artifacts, tmp_path: Path, end: Any
) -> None:
    team = about_sleep(world)

    class Ending(list[RankingProgress]):
        def append(self, made: RankingProgress) -> None:
            if not self and end is None:
                delete(world, team.review_id, team.owner)
            elif not self:
                with world.entered(team.review_id, team.owner) as (session, review, viewer):
                    end(session, review, viewer)
            super().append(made)

    shop = RankedReview(database, artifacts, tmp_path, progress=Ending())
    assert shop.rerank(team.review_id) == 0

    # A client that shows a progress bar gets the end.
    assert [made.ranking for made in shop.progress][:: len(shop.progress) - 1] == [
        "started",
        "failed",
    ]
    with database.read() as session:
        assert not training.stale_reviews(session)
        assert session.scalars(select(Training.lease_until)).all() == [None]
        assert jobs.unfinished(session) == []
    n_progress = len(shop.progress)
    assert shop.rerank(team.review_id) == 0  # a message that comes late
    assert len(shop.progress) == n_progress


def test_a_worker_that_reads_a_file_is_fenced_off_without_an_error(
    world: World, database: Database, artifacts: Artifacts
) -> None:
    importer = Importer(world, artifacts)
    first, second = importer.accept(titled(range(200))), importer.accept(titled(range(200, 210)))
    n_progress = 0

    def on_progress(_: object) -> None:
        nonlocal n_progress
        n_progress += 1
        if n_progress == 1:
            delete(world, importer.review_id, importer.owner)

    assert importer.run(first, on_progress=on_progress) is None
    assert importer.run(second) is None
    assert n_progress == 1
    with database.read() as session:
        assert import_work.next_in_line(session) == []
        assert jobs.unfinished(session) == []


def test_webhooks_of_an_archived_review_get_what_happened_before(
    world: World, database: Database
) -> None:
    team = world.team(n_records=1)
    with world.entered(team.review_id, team.owner) as (session, review, _):
        webhook = endpoints.add(
            session, review, owner_id=team.owner.id, url="https://9.9.9.9/hook", rules=Rules()
        )
    world.decide(team.review_id, team.ann, 1, "include")
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        lifecycle.archive(session, review, viewer)

    with database.read() as session:
        assert delivery.due(session, limit=10) == [webhook.id]
    held = delivery.claim(database, webhook.id)
    assert held is not None
    assert "tandem.decision.recorded" in held.body
