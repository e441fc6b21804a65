"""After every import: what is certainly one is linked, of the rest people are asked."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from service.domain.importing import Importer, ris
from tandem import progress
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


def linked(importer: Importer) -> dict[int, int]:
    return {r.number: r.duplicate_of for r in importer.records() if r.duplicate_of is not None}


def groups_of(importer: Importer, state: GroupState) -> list[tuple[RecordNumber, ...]]:
    with importer.database.read() as session:
        return groups.all_members(session, importer.review_id, state)


def n(row: Import) -> tuple[int, int, int, int]:
    return row.n_read, row.n_added, row.n_duplicates, row.n_rejected


def test_the_same_article_from_two_databases_is_screened_once(importer: Importer) -> None:
    first = importer.read(ris(HERE, OTHER))
    second = importer.read(ris(THERE))

    assert groups_of(importer, GroupState.LINKED) == [(1, 3)]
    # The second tells more, and nobody is at work on the first: it stands for both.
    assert linked(importer) == {1: 3}
    # Whichever is shown, it was there before the second file came.
    assert n(importer.get(first.id)) == (2, 2, 0, 0)
    assert n(importer.get(second.id)) == (1, 0, 1, 0)


def test_within_one_file_too(importer: Importer) -> None:
    row = importer.read(ris(HERE, OTHER, THERE))
    assert n(row) == (3, 2, 1, 0)
    assert row.state is ImportState.DONE
    assert row.step is None


def test_what_is_not_certain_is_asked(importer: Importer) -> None:
    importer.read(ris(HERE, OTHER))
    row = importer.read(ris(ALIKE))

    assert linked(importer) == {}
    assert n(row) == (1, 1, 0, 0)
    assert groups_of(importer, GroupState.PROPOSED) == [(1, 3)]
    with importer.database.read() as session:
        group = session.scalars(select(DuplicateGroup)).one()
    assert group.evidence
    assert 0 < group.score <= 1


def test_a_pair_is_asked_once(importer: Importer) -> None:
    importer.read(ris(HERE, ALIKE))
    importer.read(ris(OTHER))
    assert groups_of(importer, GroupState.PROPOSED) == [(1, 2)]


def test_who_was_parted_is_not_linked_by_a_later_import(importer: Importer, world: World) -> None:
    importer.read(ris(HERE, THERE))
    with world.database.read() as session:
        (group,) = groups.page(
            session, review_id=importer.review_id, state=GroupState.LINKED, limit=9
        ).items
    world.split(importer.review_id, importer.owner, group.id)

    importer.read(ris(OTHER))

    assert linked(importer) == {}
    assert groups_of(importer, GroupState.KEPT) == [(1, 2)]
    assert groups_of(importer, GroupState.PROPOSED) == []


def test_a_copy_that_comes_later_joins_one_of_the_parted_at_most(
    importer: Importer, world: World
) -> None:
    importer.read(ris(HERE, THERE))
    with world.database.read() as session:
        (group,) = groups.page(
            session, review_id=importer.review_id, state=GroupState.LINKED, limit=9
        ).items
    world.split(importer.review_id, importer.owner, group.id)

    importer.read(ris(HERE | {"AB": ""}))

    for members in groups_of(importer, GroupState.LINKED):
        assert not {1, 2} <= set(members)


def test_a_decided_record_keeps_its_decisions_when_its_copy_comes(
    importer: Importer, world: World
) -> None:
    importer.read(ris(HERE, OTHER))
    world.decide(importer.review_id, importer.owner, 1, "include")

    importer.read(ris(THERE))

    assert linked(importer) == {3: 1}
    assert world.status(importer.review_id, 1) is Status.AWAITING


def test_a_decision_on_a_title_alone_goes_with_the_record_that_has_the_abstract(
    importer: Importer, world: World
) -> None:
    importer.read(ris(HERE | {"AB": ""}))
    world.decide(importer.review_id, importer.owner, 1, "include")

    importer.read(ris(THERE))

    assert linked(importer) == {1: 2}
    assert world.status(importer.review_id, 2) is Status.AWAITING
    assert world.status(importer.review_id, 1) is Status.UNSCREENED


def test_killed_while_linking_another_worker_goes_on(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = merging.link_all

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    import_id = importer.accept(ris(HERE, OTHER, THERE))
    monkeypatch.setattr(merging, "link_all", dies)
    with pytest.raises(KeyboardInterrupt):
        importer.run(import_id)
    assert importer.get(import_id).state is ImportState.RUNNING
    assert importer.get(import_id).step == "linking"
    monkeypatch.setattr(merging, "link_all", whole)
    importer.let_the_lease_run_out(import_id)

    assert importer.run(import_id) == importer.review_id

    assert n(importer.get(import_id)) == (3, 2, 1, 0)
    assert len(importer.records()) == 3


def test_who_has_lost_the_import_links_nothing(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = importer.accept(ris(HERE, THERE))
    find: Callable[..., object] = clusters.find_among

    def slowly(*args: object, **named: object) -> object:
        importer.let_the_lease_run_out(import_id)
        monkeypatch.setattr(clusters, "find_among", find)
        assert importer.run(import_id) == importer.review_id  # another worker, to the end
        return find(*args, **named)

    monkeypatch.setattr(clusters, "find_among", slowly)

    assert importer.run(import_id) is None
    assert n(importer.get(import_id)) == (2, 1, 1, 0)
    assert len(groups_of(importer, GroupState.LINKED)) == 1


def test_what_people_settle_while_it_compares_stands(
    importer: Importer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer.read(ris(HERE, OTHER))
    find: Callable[..., object] = clusters.find_among

    def meanwhile(*args: object, **named: object) -> object:
        found = find(*args, **named)
        group_id = world.merge(importer.review_id, importer.owner, 1, 3)
        world.split(importer.review_id, importer.owner, group_id)
        return found

    monkeypatch.setattr(clusters, "find_among", meanwhile)
    importer.read(ris(THERE))

    assert linked(importer) == {}
    assert groups_of(importer, GroupState.KEPT) == [(1, 3)]


def test_titles_in_any_script(importer: Importer) -> None:
    titles = ("運動療法對髖關節置換術後的影響", "游泳對情緒的影響研究", "Влияние плавания")
    importer.read(ris(*({"TI": title, "AB": "x", "PY": "2015"} for title in titles)))
    assert linked(importer) == {}
    assert groups_of(importer, GroupState.PROPOSED) == []


def test_every_linked_record_has_its_group(importer: Importer) -> None:
    same = {"TI": TITLE, "DO": "10.1000/hip.15", "AB": "x"}
    importer.read(ris(same, same | {"AB": "y"}, OTHER))
    importer.read(ris(same | {"AB": "z"}))

    assert groups_of(importer, GroupState.LINKED) == [(1, 2, 4)]
    with importer.database.read() as session:
        numbers = session.scalars(
            select(Record.number).where(Record.duplicate_of.is_not(None))
        ).all()
    assert sorted(numbers) == [2, 4]


def test_the_copy_with_the_abstract_is_the_one_that_is_screened(importer: Importer) -> None:
    same = {"TI": TITLE, "DO": "10.1000/hip.15"}
    importer.read(ris(same))
    importer.read(ris(same | {"AB": "We randomised 120 people."}))

    assert linked(importer) == {1: 2}
    assert groups_of(importer, GroupState.LINKED) == [(1, 2)]


def test_looking_through_very_many_groups_is_no_silence(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[bool] = []
    really = merging.is_poorly_shown

    def look(records: Mapping[RecordNumber, Record]) -> bool:
        given = lease_of(importer)
        while lease_of(importer) == given:
            pass  # the test's time limit ends a wait in vain
        renewed.append(True)
        return really(records)

    monkeypatch.setattr(import_work, "LEASE", timedelta(milliseconds=300))
    monkeypatch.setattr(merging, "is_poorly_shown", look)
    twice = [{"TI": f"Study number {n}", "DO": f"10.1000/{n}"} for n in range(3)] * 2

    importer.read(ris(*twice))

    assert renewed == [True] * 3


def lease_of(importer: Importer) -> datetime:
    with importer.database.read() as session:
        until = session.scalars(select(Import.lease_until)).one()
    assert until is not None
    return until


def test_it_says_how_far_it_is(importer: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(deduplication, "_BATCH", 1)
    seen: list[tuple[str, int]] = []

    def note(row: Import) -> None:
        stored = importer.get(row.id)
        assert (stored.step, stored.percent) == (row.step, row.percent)
        assert row.step is not None
        assert row.percent is not None
        seen.append((row.step, row.percent))

    many = [{"TI": f"Study number {n}", "DO": f"10.1000/{n}"} for n in range(20)]
    import_id = importer.accept(ris(*many, HERE, THERE, *many))
    assert importer.run(import_id, on_progress=note) == importer.review_id

    assert seen[0] == ("reading", 100)
    linking = [percent for step, percent in seen if step == "linking"]
    assert (linking[0], linking[-1]) == (0, 100)
    assert linking == sorted(set(linking))
    assert len(linking) > 20
    assert importer.get(import_id).percent is None
