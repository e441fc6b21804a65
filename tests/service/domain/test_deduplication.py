"""After every import: what is certainly one is linked, of the rest people are asked."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from service.domain.office import Office, ris
from tandem import bars
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.ids import RecordNumber
from tandem.records import import_work
from tandem.records.duplicates import clusters, groups
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Import, ImportState, Record
from tandem.screening.duplicates import deduplication, merging
from tandem.screening.rules import Status
from world import World

pytestmark = pytest.mark.both_engines

TITLE = "Exercise therapy after hip replacement: a randomised controlled trial"
HERE = {
    "TI": TITLE,
    "AU": "Smith, Ann B.",
    "PY": "2015",
    "JO": "Physiotherapy",
    "VL": "101",
    "SP": "12",
    "EP": "19",
    "AB": "We randomised 120 people.",
}
"""A record as one database has it, without identifiers."""

THERE = HERE | {"AU": "Smith AB", "DO": "10.1000/hip.15", "AN": "2015-11111"}
"""The same article as another database has it."""

ALIKE = HERE | {"TI": TITLE.replace("randomised", "randomized"), "SP": "", "EP": "", "VL": ""}
OTHER = {"TI": "Swimming in cold water and mood", "AU": "Jones, C.", "PY": "2012", "AB": "Cold."}


@pytest.fixture
def office(world: World, settings: Settings) -> Office:
    return Office(world, Artifacts(settings.resolved_artifact_url()))


def linked(office: Office) -> dict[int, int]:
    return {r.number: r.duplicate_of for r in office.records() if r.duplicate_of is not None}


def groups_of(office: Office, state: GroupState) -> list[tuple[RecordNumber, ...]]:
    with office.database.read() as session:
        return groups.all_members(session, office.review_id, state)


def n(row: Import) -> tuple[int, int, int, int]:
    return row.n_read, row.n_added, row.n_duplicates, row.n_rejected


def test_the_same_article_from_two_databases_is_screened_once(office: Office) -> None:
    first = office.read(ris(HERE, OTHER))
    second = office.read(ris(THERE))

    assert groups_of(office, GroupState.LINKED) == [(1, 3)]
    # The second tells more, and nobody is at work on the first: it stands for both.
    assert linked(office) == {1: 3}
    # Whichever is shown, it was there before the second file came.
    assert n(office.get(first.id)) == (2, 2, 0, 0)
    assert n(office.get(second.id)) == (1, 0, 1, 0)


def test_within_one_file_too(office: Office) -> None:
    row = office.read(ris(HERE, OTHER, THERE))
    assert n(row) == (3, 2, 1, 0)
    assert row.state is ImportState.DONE
    assert row.step is None


def test_what_is_not_certain_is_asked(office: Office) -> None:
    office.read(ris(HERE, OTHER))
    row = office.read(ris(ALIKE))

    assert linked(office) == {}
    assert n(row) == (1, 1, 0, 0)
    assert groups_of(office, GroupState.PROPOSED) == [(1, 3)]
    with office.database.read() as session:
        group = session.scalars(select(DuplicateGroup)).one()
    assert group.evidence
    assert 0 < group.score <= 1


def test_a_pair_is_asked_once(office: Office) -> None:
    office.read(ris(HERE, ALIKE))
    office.read(ris(OTHER))
    assert groups_of(office, GroupState.PROPOSED) == [(1, 2)]


def test_who_was_parted_is_not_linked_by_a_later_import(office: Office, world: World) -> None:
    office.read(ris(HERE, THERE))
    with world.database.read() as session:
        (group,) = groups.page(
            session, review_id=office.review_id, state=GroupState.LINKED, limit=9
        ).items
    world.split(office.review_id, office.owner, group.id)

    office.read(ris(OTHER))

    assert linked(office) == {}
    assert groups_of(office, GroupState.KEPT) == [(1, 2)]
    assert groups_of(office, GroupState.PROPOSED) == []


def test_a_copy_that_comes_later_joins_one_of_the_parted_at_most(
    office: Office, world: World
) -> None:
    office.read(ris(HERE, THERE))
    with world.database.read() as session:
        (group,) = groups.page(
            session, review_id=office.review_id, state=GroupState.LINKED, limit=9
        ).items
    world.split(office.review_id, office.owner, group.id)

    office.read(ris(HERE | {"AB": ""}))

    for members in groups_of(office, GroupState.LINKED):
        assert not {1, 2} <= set(members)


def test_a_decided_record_keeps_its_decisions_when_its_copy_comes(
    office: Office, world: World
) -> None:
    office.read(ris(HERE, OTHER))
    world.decide(office.review_id, office.owner, 1, "include")

    office.read(ris(THERE))

    assert linked(office) == {3: 1}
    assert world.status(office.review_id, 1) is Status.AWAITING


def test_a_decision_on_a_title_alone_goes_with_the_record_that_has_the_abstract(
    office: Office, world: World
) -> None:
    office.read(ris(HERE | {"AB": ""}))
    world.decide(office.review_id, office.owner, 1, "include")

    office.read(ris(THERE))

    assert linked(office) == {1: 2}
    assert world.status(office.review_id, 2) is Status.AWAITING
    assert world.status(office.review_id, 1) is Status.UNSCREENED


def test_killed_while_linking_another_worker_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = merging.link_all

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    import_id = office.accept(ris(HERE, OTHER, THERE))
    monkeypatch.setattr(merging, "link_all", dies)
    with pytest.raises(KeyboardInterrupt):
        office.run(import_id)
    assert office.get(import_id).state is ImportState.RUNNING
    assert office.get(import_id).step == "linking"
    monkeypatch.setattr(merging, "link_all", whole)
    office.let_the_lease_run_out(import_id)

    assert office.run(import_id) == office.review_id

    assert n(office.get(import_id)) == (3, 2, 1, 0)
    assert len(office.records()) == 3


def test_who_has_lost_the_import_links_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = office.accept(ris(HERE, THERE))
    find: Callable[..., object] = clusters.find

    def slowly(*args: object, **named: object) -> object:
        office.let_the_lease_run_out(import_id)
        monkeypatch.setattr(clusters, "find", find)
        assert office.run(import_id) == office.review_id  # another worker, to the end
        return find(*args, **named)

    monkeypatch.setattr(clusters, "find", slowly)

    assert office.run(import_id) is None
    assert n(office.get(import_id)) == (2, 1, 1, 0)
    assert len(groups_of(office, GroupState.LINKED)) == 1


def test_what_people_settle_while_it_compares_stands(
    office: Office, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.read(ris(HERE, OTHER))
    find: Callable[..., object] = clusters.find

    def meanwhile(*args: object, **named: object) -> object:
        found = find(*args, **named)
        group_id = world.merge(office.review_id, office.owner, 1, 3)
        world.split(office.review_id, office.owner, group_id)
        return found

    monkeypatch.setattr(clusters, "find", meanwhile)
    office.read(ris(THERE))

    assert linked(office) == {}
    assert groups_of(office, GroupState.KEPT) == [(1, 3)]


def test_titles_in_any_script(office: Office) -> None:
    titles = ("運動療法對髖關節置換術後的影響", "游泳對情緒的影響研究", "Влияние плавания")
    office.read(ris(*({"TI": title, "AB": "x", "PY": "2015"} for title in titles)))
    assert linked(office) == {}
    assert groups_of(office, GroupState.PROPOSED) == []


def test_every_linked_record_has_its_group(office: Office) -> None:
    same = {"TI": TITLE, "DO": "10.1000/hip.15", "AB": "x"}
    office.read(ris(same, same | {"AB": "y"}, OTHER))
    office.read(ris(same | {"AB": "z"}))

    assert groups_of(office, GroupState.LINKED) == [(1, 2, 4)]
    with office.database.read() as session:
        numbers = session.scalars(
            select(Record.number).where(Record.duplicate_of.is_not(None))
        ).all()
    assert sorted(numbers) == [2, 4]


def test_the_copy_with_the_abstract_is_the_one_that_is_screened(office: Office) -> None:
    same = {"TI": TITLE, "DO": "10.1000/hip.15"}
    office.read(ris(same))
    office.read(ris(same | {"AB": "We randomised 120 people."}))

    assert linked(office) == {1: 2}
    assert groups_of(office, GroupState.LINKED) == [(1, 2)]


def test_looking_through_very_many_groups_is_no_silence(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[bool] = []
    really = merging.is_poorly_shown

    def look(records: Mapping[RecordNumber, Record]) -> bool:
        given = lease_of(office)
        while lease_of(office) == given:
            pass  # the test's time limit ends a wait in vain
        renewed.append(True)
        return really(records)

    monkeypatch.setattr(import_work, "LEASE", timedelta(milliseconds=300))
    monkeypatch.setattr(merging, "is_poorly_shown", look)
    twice = [{"TI": f"Study number {n}", "DO": f"10.1000/{n}"} for n in range(3)] * 2

    office.read(ris(*twice))

    assert renewed == [True] * 3


def lease_of(office: Office) -> datetime:
    with office.database.read() as session:
        until = session.scalars(select(Import.lease_until)).one()
    assert until is not None
    return until


def test_it_says_how_far_it_is(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(deduplication, "_BATCH", 1)
    told: list[tuple[str, int]] = []

    def tell(row: Import) -> None:
        stored = office.get(row.id)
        assert (stored.step, stored.percent) == (row.step, row.percent)
        assert row.step is not None
        assert row.percent is not None
        told.append((row.step, row.percent))

    many = [{"TI": f"Study number {n}", "DO": f"10.1000/{n}"} for n in range(20)]
    import_id = office.accept(ris(*many, HERE, THERE, *many))
    assert office.run(import_id, told=tell) == office.review_id

    assert told[0] == ("reading", 100)
    linking = [percent for step, percent in told if step == "linking"]
    assert (linking[0], linking[-1]) == (0, 100)
    assert linking == sorted(set(linking))
    assert len(linking) > 20
    assert office.get(import_id).percent is None
