"""An import is taken back: its records go, everything follows, and the trail still verifies."""

from collections.abc import Iterable

import pytest
from sqlalchemy import select

from service.domain.importing import Importer, ris
from service.domain.tables import assert_in_step, events
from tandem.db.session import Database
from tandem.errors import Forbidden
from tandem.ids import ImportId, RecordNumber
from tandem.operations import taking_back
from tandem.operations.taking_back import ImportInUse
from tandem.records.duplicates import groups
from tandem.records.models import Import, ImportState
from tandem.records.shown import n_shown
from tandem.reviews import service as reviews
from tandem.reviews.models import Review, Role
from tandem.screening import catalogue, priors
from tandem.screening.lease_models import Lease
from tandem.screening.people import pilot
from world import TA, Person, World

pytestmark = pytest.mark.both_engines


def studies(numbers: Iterable[int], **more: str) -> bytes:
    """Write studies that are known by their DOI; `more` makes a record richer."""
    return ris(*({"TI": f"Study {n}", "DO": f"10.1000/study.{n}"} | more for n in numbers))


def take_back(world: World, importer: Importer, import_id: ImportId) -> Import:
    with world.entered(importer.review_id, importer.owner) as (session, review, viewer):
        return taking_back.take_back(session, review, viewer, import_id=import_id)


def titles(importer: Importer) -> list[str]:
    return [record.title for record in importer.records() if record.duplicate_of is None]


def shown_number(importer: Importer, title: str) -> int:
    (number,) = [
        record.number
        for record in importer.records()
        if record.title == title and record.duplicate_of is None
    ]
    return number


def join(world: World, importer: Importer, *names: str) -> list[Person]:
    people = world.people(*names)
    with world.database.write.begin() as session:
        review = reviews.lock(session, importer.review_id)
        for person in people:
            reviews.set_member(session, review, user_id=person.id, role=Role.REVIEWER)
    return people


def test_its_records_go_and_nothing_of_the_others(
    world: World, database: Database, importer: Importer
) -> None:
    kept = importer.read(studies(range(3)))
    wrong = importer.read(studies(range(10, 14)), filename="wrong.ris")
    before = importer.get(wrong.id)

    taken = take_back(world, importer, wrong.id)

    assert (taken.state, taken.n_added, taken.n_read) == (ImportState.TAKEN_BACK, 4, 4)
    assert titles(importer) == ["Study 0", "Study 1", "Study 2"]
    assert importer.get(kept.id).state is ImportState.DONE
    with database.read() as session:
        assert n_shown(session, importer.review_id) == 3
        review = session.get_one(Review, importer.review_id)
        assert (review.last_record_number, review.n_taken_back) == (7, 4)
    (event,) = [
        one
        for one in events(database, importer.review_id)
        if one.type == "tandem.import.taken_back"
    ]
    assert event.data == {"import_id": str(wrong.id), "n_records": 4}
    assert before.state is ImportState.DONE
    # What comes later has other numbers.
    importer.read(studies([20]))
    assert [record.number for record in importer.records()] == [1, 2, 3, 8]
    assert_in_step(database, importer.review_id)


def test_to_take_it_back_twice_changes_nothing(
    world: World, database: Database, importer: Importer
) -> None:
    wrong = importer.read(studies(range(2)))
    take_back(world, importer, wrong.id)
    n_events = len(events(database, importer.review_id))

    again = take_back(world, importer, wrong.id)

    assert again.state is ImportState.TAKEN_BACK
    assert len(events(database, importer.review_id)) == n_events


def test_what_others_brought_as_well_stays_whichever_came_first(
    world: World, database: Database, importer: Importer
) -> None:
    first = importer.read(studies(range(4)), source="Medline")
    # Its records are richer, so that they stand for the others.
    second = importer.read(studies(range(2, 6), AB="A long abstract."), source="Embase")
    third = importer.read(studies(range(3, 5)), source="CINAHL")
    assert [importer.get(one.id).n_duplicates for one in (first, second, third)] == [0, 2, 2]

    take_back(world, importer, second.id)

    assert sorted(titles(importer)) == [f"Study {n}" for n in range(5)]
    counts = [importer.get(one.id) for one in (first, second, third)]
    # Study 4 is not a duplicate of anything any more; the one taken back says what it brought.
    assert [row.n_duplicates for row in counts] == [0, 2, 1]
    assert [row.n_added for row in counts] == [4, 2, 1]
    with database.read() as session:
        linked = groups.linked_numbers(session, importer.review_id)
        viewer = reviews.viewer(session, review_id=importer.review_id, user_id=importer.owner.id)
        shown = catalogue.get_record(
            session, viewer=viewer, stage=TA, number=RecordNumber(shown_number(importer, "Study 3"))
        )
    assert len(linked) == 1
    assert sorted(record.source or "" for record in shown.occurrences) == ["CINAHL", "Medline"]
    assert_in_step(database, importer.review_id)

    take_back(world, importer, first.id)
    assert sorted(titles(importer)) == ["Study 3", "Study 4"]
    assert_in_step(database, importer.review_id)
    take_back(world, importer, third.id)
    assert titles(importer) == []
    assert_in_step(database, importer.review_id)
    # Nothing is left of what was compared.
    importer.read(studies(range(3)))
    assert len(titles(importer)) == 3


def test_what_was_decided_is_never_removed(
    world: World, database: Database, importer: Importer
) -> None:
    ann, ben = join(world, importer, "ann", "ben")
    first = importer.read(studies(range(3)))
    second = importer.read(studies(range(2, 6)))
    world.decide(importer.review_id, ann, shown_number(importer, "Study 2"), "include")
    world.decide(importer.review_id, ann, shown_number(importer, "Study 0"), "include")
    world.withdraw(importer.review_id, ann, shown_number(importer, "Study 0"))

    with pytest.raises(ImportInUse, match=r"^2 of its records have been decided"):
        take_back(world, importer, first.id)
    # Of the second file nobody has decided anything: study 2 was decided at the first one's.
    take_back(world, importer, second.id)

    assert len(titles(importer)) == 3
    world.decide(importer.review_id, ben, shown_number(importer, "Study 2"), "exclude")
    assert_in_step(database, importer.review_id)


def test_decisions_that_came_with_a_file_count_too(world: World, importer: Importer) -> None:
    row = importer.read(b"title,abstract,included\nA study,Text.,1\nAnother,Text.,0\n")
    with world.entered(importer.review_id, importer.owner) as (session, review, viewer):
        priors.take(session, review, viewer, import_id=row.id)

    with pytest.raises(ImportInUse, match=r"^2 of"):
        take_back(world, importer, row.id)


def test_queue_pilot_and_proposals_follow(
    world: World, database: Database, importer: Importer
) -> None:
    (ann,) = join(world, importer, "ann")
    importer.read(studies(range(3)))
    wrong = importer.read(studies(range(10, 14)))
    with world.entered(importer.review_id, importer.owner) as (session, review, viewer):
        pilot.begin(session, review, viewer, 7)
    first_three = [RecordNumber(number) for number in (1, 2, 3)]
    served = world.serve(importer.review_id, ann, limit=10)
    assert len(served.items) == 7
    world.propose(importer.review_id, 1, 5)
    world.propose(importer.review_id, 4, 5)
    world.rank(importer.review_id, 7, 6, 5, 4, 3, 2, 1)

    take_back(world, importer, wrong.id)

    with database.read() as session:
        assert sorted(session.scalars(select(Lease.record_number))) == [1, 2, 3]
        stored = session.get_one(Review, importer.review_id)
        assert sorted(pilot.record_numbers(session, stored)) == [1, 2, 3]
        assert groups.touching(session, importer.review_id, first_three) == []
    again = world.serve(importer.review_id, ann, limit=10)
    assert (len(again.items), again.remaining) == (3, 3)
    with world.entered(importer.review_id, importer.owner) as (session, review, viewer):
        pilot.end(session, review, viewer)
        with pytest.raises(pilot.NothingToRead):
            pilot.begin(session, review, viewer, 5)
    after = world.serve(importer.review_id, ann, limit=10)
    assert (len(after.items), after.remaining) == (3, 3)
    assert_in_step(database, importer.review_id)


def test_one_that_is_being_read_is_broken_off(
    world: World, database: Database, importer: Importer
) -> None:
    queued, running = importer.accept(studies(range(2))), importer.accept(studies(range(10, 200)))
    take_back(world, importer, queued)

    def on_progress(row: Import) -> None:
        if row.n_read:
            take_back(world, importer, running)

    assert importer.run(running, on_progress=on_progress) is None

    row = importer.get(running)
    assert (row.state, row.lease_until, row.step) == (ImportState.TAKEN_BACK, None, None)
    assert importer.records() == []
    assert importer.run(running) is None
    assert importer.run(queued) is None
    importer.read(studies(range(3)))
    assert len(titles(importer)) == 3
    assert_in_step(database, importer.review_id)


def test_only_owners_may(world: World, importer: Importer) -> None:
    (ann,) = join(world, importer, "ann")
    row = importer.read(studies(range(2)))
    with (
        world.entered(importer.review_id, ann) as (session, review, viewer),
        pytest.raises(Forbidden),
    ):
        taking_back.take_back(session, review, viewer, import_id=row.id)
