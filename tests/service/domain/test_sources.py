"""What is not screened: removed records, previous reports, and what starts at full text."""

from typing import Any

import pytest
from sqlalchemy import select

from service.domain.same_numbers import assert_same_everywhere
from service.domain.tables import assert_in_step
from tandem.audit import past
from tandem.errors import Forbidden, NotFound
from tandem.ids import ImportId, RecordNumber
from tandem.operations import waiting
from tandem.records import waves
from tandem.records.imports import Found, MustBeScreened
from tandem.records.models import Record, WaveKind
from tandem.records.origin import FoundBy, RemovalKind, StartsAt
from tandem.records.shown import n_shown, n_shown_of
from tandem.reporting import service as reporting
from tandem.reporting.flow import Flow
from tandem.reviews import service as reviews
from tandem.screening import priors, sources
from tandem.screening.conflicts import service as conflicts
from tandem.screening.ledger.loading import IsDuplicate, RecordNotScreened
from tandem.screening.models import Decision, PresentDecision
from tandem.screening.progress import progress
from tandem.screening.rules import Status
from tandem.screening.sources import WasScreened
from tandem.screening.team import removal
from tandem.stopping import audits, states
from world import FT, TA, Person, Team, World

pytestmark = pytest.mark.both_engines
PREVIOUS, CITATION = Found(FoundBy.PREVIOUS), Found(FoundBy.CITATION)


def remove(world: World, team: Team, number: int, **said: Any) -> None:
    how = {"kind": RemovalKind.OTHER, "reason": "No abstract", "tool": None} | said
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        sources.remove(session, review, viewer, number=RecordNumber(number), **how)


def restore(world: World, team: Team, number: int) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        sources.restore(session, review, viewer, number=RecordNumber(number))


def flow_of(world: World, team: Team, wave: int | None = None) -> Flow:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        made = reporting.shown(session, viewer=viewer, wave=wave).flow
    assert [one for one in made.invariants if not one.holds] == []
    return made


def counted(world: World, team: Team) -> tuple[int, int, int, list[int]]:
    """Return how many records there are to screen, by three ways, and what is served."""
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        n = n_shown(session, team.review_id)
        assert n_shown_of(session, [team.review_id]) == {team.review_id: n}
        done = progress(session, viewer=viewer, stage=TA)
    served = world.serve(team.review_id, team.ann, limit=50)
    numbers = [lease.record_number for lease in served.items]
    return n, done.n_records, served.remaining, sorted(numbers)


def test_a_removed_record_leaves_everything_and_comes_back(world: World) -> None:
    team = world.team(n_records=4)
    before = counted(world, team)

    remove(world, team, 2, kind=RemovalKind.AUTOMATION, tool="RobotSearch")

    assert counted(world, team) == (3, 3, 3, [1, 3, 4])
    assert flow_of(world, team).boxes["excluded_automatic"].items == (2,)
    with pytest.raises(RecordNotScreened):
        world.decide(team.review_id, team.ann, 2, "include")
    restore(world, team, 2)
    assert counted(world, team) == before
    assert flow_of(world, team).n("not_screened") == 4


def test_decisions_of_a_file_are_taken_without_removed_records_until_these_are_restored(
    world: World,
) -> None:
    team = world.team(n_records=4)
    import_id = with_priors(world, team, 1, 2, 3)
    remove(world, team, 2)
    remove(world, team, 3)

    take_priors(world, team, import_id)
    assert votes_of_files(world, team) == [1]
    restore(world, team, 2)
    assert votes_of_files(world, team) == [1, 2], "as if it had never been removed"

    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        (kim,) = set(session.scalars(select(PresentDecision.reviewer_id)))
        removal.leave(
            session,
            review=review,
            viewer=viewer,
            user_id=kim,
            decisions="void",
            since=None,
        )
    remove(world, team, 2)
    restore(world, team, 2)
    assert votes_of_files(world, team) == [], "what an owner voided is not entered again"
    restore(world, team, 3)
    assert votes_of_files(world, team) == [3]
    assert_in_step(world.database, team.review_id)


def with_priors(world: World, team: Team, *numbers: int, verdict: str = "include") -> ImportId:
    """Let Kim have decided these records in the file that brought them."""
    with world.database.write.begin() as session:
        for number in numbers:
            record = session.get_one(Record, (team.review_id, number))
            record.priors = [{"by": "Kim", "verdict": verdict, "reasons": [], "labels": ["pilot"]}]
        return record.import_id


def take_priors(world: World, team: Team, import_id: ImportId) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        assert priors.take(session, review, viewer, import_id=import_id).priors_taken_at


def test_decisions_of_a_file_are_taken_again_when_it_is_screened_after_all(world: World) -> None:
    team = world.team(n_records=0)
    world.records(team.review_id, team.owner, 3, found=CITATION)
    import_id = with_priors(world, team, 1, 2, 3)
    take_priors(world, team, import_id)
    assert votes_of_files(world, team) == []
    changes = {"found_by": FoundBy.DATABASE}
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        sources.change_import(session, review, viewer, import_id=import_id, changes=changes)

    for _ in range(2):
        take_priors(world, team, import_id)
        assert votes_of_files(world, team) == [1, 2, 3]

    assert_in_step(world.database, team.review_id)


def test_decisions_of_a_file_are_taken_again_when_its_record_is_parted(world: World) -> None:
    team = world.team(n_records=3)
    import_id = with_priors(world, team, 1, 2, 3)
    group = world.merge(team.review_id, team.owner, 1, 2)
    remove(world, team, 1)
    take_priors(world, team, import_id)
    world.split(team.review_id, team.owner, group)
    assert votes_of_files(world, team) == [3]

    take_priors(world, team, import_id)

    assert votes_of_files(world, team) == [2, 3]


def test_what_was_left_out_counts_beside_what_another_file_says(world: World) -> None:
    team = world.team(n_records=1)
    take_priors(world, team, with_priors(world, team, 1, verdict="exclude"))
    world.records(team.review_id, team.owner, 1, found=CITATION)
    import_id = with_priors(world, team, 2)
    take_priors(world, team, import_id)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        sources.change_import(
            session, review, viewer, import_id=import_id, changes={"found_by": FoundBy.DATABASE}
        )
    world.merge(team.review_id, team.owner, 1, 2)

    take_priors(world, team, import_id)

    assert votes_of_files(world, team) == [1]
    with world.database.read() as session:
        verdicts = select(Decision.verdict).join(
            PresentDecision, PresentDecision.decision_id == Decision.id
        )
        assert session.scalars(verdicts).all() == ["include"]


def test_what_an_owner_voided_is_not_entered_again_when_its_records_are_parted(
    world: World,
) -> None:
    team = world.team(n_records=3)
    import_id = with_priors(world, team, 1, 2)
    group = world.merge(team.review_id, team.owner, 1, 2)
    take_priors(world, team, import_id)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        (kim,) = set(session.scalars(select(PresentDecision.reviewer_id)))
        removal.leave(
            session, review=review, viewer=viewer, user_id=kim, decisions="void", since=None
        )
    world.split(team.review_id, team.owner, group)

    take_priors(world, team, import_id)

    assert votes_of_files(world, team) == []


def votes_of_files(world: World, team: Team) -> list[int]:
    query = select(PresentDecision.record_number).where(PresentDecision.review_id == team.review_id)
    with world.database.read() as session:
        return sorted(session.scalars(query))


def test_it_leaves_the_frame_of_an_audit(world: World) -> None:
    team = world.team(n_records=5)
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "include")
    remove(world, team, 2)

    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        audit = audits.register(
            session, review, viewer, stage=TA, target=0.9, confidence=0.9, note=None
        )
        assert audit.n_frame == 4
        assert states.shown(session, audit).now.pool == 3
    restore(world, team, 2)
    remove(world, team, 3)
    remove(world, team, 4)
    with world.database.read() as session:
        assert states.shown(session, audit).now.pool == 2


def test_what_somebody_has_decided_was_not_removed_before(world: World) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "exclude")

    with pytest.raises(WasScreened):
        remove(world, team, 1)
    world.withdraw(team.review_id, team.ann, 1)
    remove(world, team, 1)

    assert flow_of(world, team).boxes["excluded_other"].items == (1,)


def test_what_was_assessed_by_its_full_text_was_not_removed_before(world: World) -> None:
    team = world.team(n_records=1)
    (cited,) = world.records(team.review_id, team.owner, 1, found=CITATION)
    world.retrieve(team.review_id, team.ann, cited)
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, cited, "include", stage=FT)

    with pytest.raises(WasScreened):
        remove(world, team, cited)
    assert flow_of(world, team).boxes["other_included"].items == (cited,)

    for person in (team.ann, team.ben):
        world.withdraw(team.review_id, person, cited, stage=FT)
    remove(world, team, cited)
    assert flow_of(world, team).boxes["other_removed"].items == (cited,)
    assert_in_step(world.database, team.review_id)


def test_only_owners_remove_what_is_there(world: World) -> None:
    team = world.team()
    with (
        pytest.raises(Forbidden),
        world.entered(team.review_id, team.ann) as (session, review, viewer),
    ):
        sources.restore(session, review, viewer, number=RecordNumber(1))
    with pytest.raises(NotFound):
        remove(world, team, 99)
    with pytest.raises(NotFound):
        restore(world, team, 1)


def test_a_removal_sleeps_while_its_record_is_linked_to_one_that_is_screened(
    world: World,
) -> None:
    team = world.team(n_records=3)
    remove(world, team, 1)

    group = world.merge(team.review_id, team.owner, 1, 2)

    merged = flow_of(world, team)
    assert merged.boxes["not_screened"].items == (2, 3)
    assert (merged.n("excluded_other"), merged.n("duplicates")) == (0, 1)
    world.split(team.review_id, team.owner, group)
    assert flow_of(world, team).boxes["excluded_other"].items == (1,)
    assert counted(world, team)[3] == [2, 3]


def test_a_group_of_removed_records_stays_removed(world: World) -> None:
    team = world.team(n_records=3)
    remove(world, team, 1)
    remove(world, team, 2)

    world.merge(team.review_id, team.owner, 1, 2)

    made = flow_of(world, team)
    assert (made.n("excluded_other"), made.n("duplicates"), made.n("not_screened")) == (1, 1, 1)


def test_other_methods_start_at_full_text_and_previous_reports_are_not_screened(
    world: World,
) -> None:
    team = world.team(n_records=2)
    (cited,) = world.records(team.review_id, team.owner, 1, found=CITATION, source="Citations")
    (before,) = world.records(team.review_id, team.owner, 1, found=PREVIOUS)
    screened_first = Found(FoundBy.WEBSITE, StartsAt.TITLE_ABSTRACT)
    (site,) = world.records(team.review_id, team.owner, 1, found=screened_first)

    assert counted(world, team) == (3, 3, 3, [1, 2, site])
    made = flow_of(world, team)
    assert made.boxes["other_being_sought"].items == (cited,)
    assert made.boxes["other_not_screened"].items == (site,)
    assert made.boxes["previous_reports"].items == (before,)
    assert made.n("total_studies") == 1
    assert made.template == "updated_v2"


def test_reports_of_the_previous_version_found_among_screened_ones_hide_no_others(
    world: World,
) -> None:
    """The previous version's reports are imported when the screening has begun."""
    team = world.team(n_records=5)
    for number in (1, 2):
        for person in (team.ann, team.ben):
            world.decide(team.review_id, person, number, "include")
    world.decide(team.review_id, team.ann, 3, "include")
    both = world.records(team.review_id, team.owner, 2, found=PREVIOUS)
    world.merge(team.review_id, team.owner, 1, both[0])
    world.merge(team.review_id, team.owner, 3, both[1])

    def left(who: Person) -> tuple[int, list[int]]:
        served = world.serve(team.review_id, who, limit=50)
        with world.database.read() as session:
            review = reviews.get_review(session, team.review_id)
            viewer = reviews.viewer(session, review_id=review.id, user_id=who.id)
            found = waiting.of_review(session, review, viewer).share
        assert found.remaining == served.remaining
        return served.remaining, sorted(lease.record_number for lease in served.items)

    assert left(team.ann) == (2, [4, 5])
    assert left(team.eve) == (2, [4, 5]), "record 2 has its decisions"
    world.decide(team.review_id, team.ann, 4, "exclude")
    assert left(team.ann) == (1, [5])

    with world.database.read() as session:
        owner = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        done = progress(session, viewer=owner, stage=TA)
        then = past.progress(
            session,
            viewer=owner,
            stage=TA,
            as_of=reviews.get_review(session, team.review_id).last_seq,
        )
        own = progress(
            session,
            viewer=reviews.viewer(session, review_id=team.review_id, user_id=team.ann.id),
            stage=TA,
        )
    assert (done.n_records, done.counts["included"], done.counts["awaiting"]) == (3, 1, 1)
    assert done.counts["unscreened"] == 1
    assert (then.n_records, then.counts) == (done.n_records, done.counts)
    assert [(one.name, one.n_decided) for one in then.reviewers] == [("ann", 2), ("ben", 1)]
    assert done.reviewers == then.reviewers
    assert own.counts == {"unscreened": 1, "done": 2}


def test_a_conflict_about_a_report_of_the_previous_version_waits_for_nobody(world: World) -> None:
    team = world.team(n_records=2)
    for person, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        world.decide(team.review_id, person, 1, verdict)

    def waits() -> tuple[int | None, int]:
        with world.database.read() as session:
            review = reviews.get_review(session, team.review_id)
            viewer = reviews.viewer(session, review_id=review.id, user_id=team.judge.id)
            listed = conflicts.list_conflicts(
                session, viewer=viewer, selection=conflicts.Selection(), limit=9
            )
            found = waiting.of_review(session, review, viewer).waiting
        return found.conflicts, len(listed.items)

    assert waits() == (1, 1)
    (before,) = world.records(team.review_id, team.owner, 1, found=PREVIOUS)
    group = world.merge(team.review_id, team.owner, 1, before)
    with pytest.raises(RecordNotScreened):
        world.resolve(team.review_id, team.judge, 1, "include")
    assert waits() == (0, 0)
    world.split(team.review_id, team.owner, group)
    assert waits() == (1, 1)
    world.resolve(team.review_id, team.judge, 1, "include")
    assert waits() == (0, 1)


def test_a_decision_on_what_is_an_earlier_report_by_now_can_be_taken_back(world: World) -> None:
    team = world.team(n_records=2)
    world.to_full_text(team, 1)
    for stage in (TA, FT):
        world.decide(team.review_id, team.ann, 1, "include", stage=stage)
    (before,) = world.records(team.review_id, team.owner, 1, found=PREVIOUS)
    group = world.merge(team.review_id, team.owner, 1, before)

    for stage in (TA, FT):
        with pytest.raises(RecordNotScreened):
            world.decide(team.review_id, team.ann, 1, "exclude", stage=stage, reasons=["Design"])
        assert world.withdraw(team.review_id, team.ann, 1, stage=stage).changed
        with pytest.raises(RecordNotScreened):
            world.withdraw(team.review_id, team.ann, 1, stage=stage)
    with pytest.raises(IsDuplicate):
        world.withdraw(team.review_id, team.ann, before)

    assert_in_step(world.database, team.review_id)
    assert_same_everywhere(world.database, team.review_id, team.owner.id)
    world.split(team.review_id, team.owner, group)
    assert world.status(team.review_id, 1) is Status.AWAITING
    assert_in_step(world.database, team.review_id)


def test_a_copy_from_a_database_brings_a_cited_record_into_the_screening(world: World) -> None:
    team = world.team(n_records=2)
    (cited,) = world.records(team.review_id, team.owner, 1, found=CITATION)

    group = world.merge(team.review_id, team.owner, 1, cited)

    with world.database.read() as session:
        shown = [session.get(Record, (team.review_id, n)) for n in (1, cited)]
    assert [one.not_screened_because for one in shown if one and not one.duplicate_of] == [None]
    assert counted(world, team)[0] == 2
    assert flow_of(world, team).n("other_already_found") == 1
    world.split(team.review_id, team.owner, group)
    assert flow_of(world, team).boxes["other_being_sought"].items == (cited,)


def change(world: World, team: Team, number: int, **changes: Any) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        record = session.get(Record, (team.review_id, number))
        assert record is not None
        sources.change_import(
            session, review, viewer, import_id=ImportId(record.import_id), changes=changes
        )


def test_a_corrected_import_moves_its_records_unless_they_were_screened(world: World) -> None:
    team = world.team(n_records=3)

    change(world, team, 1, found_by=FoundBy.REGISTER, source="ICTRP")
    made = flow_of(world, team)
    assert (made.n("database_results"), made.n("register_results")) == (0, 3)
    assert [part.label for part in made.boxes["register_specific_results"].parts] == ["ICTRP"]
    change(world, team, 1, found_by=FoundBy.CITATION)
    assert flow_of(world, team).n("other_being_sought") == 3
    change(world, team, 1, found_by=FoundBy.DATABASE)
    assert counted(world, team)[0] == 3
    world.decide(team.review_id, team.ann, 1, "include")
    with pytest.raises(WasScreened):
        change(world, team, 1, found_by=FoundBy.CITATION)
    assert flow_of(world, team).n("database_results") == 3
    with pytest.raises(MustBeScreened):
        change(world, team, 1, starts_at=StartsAt.FULL_TEXT)
    with pytest.raises(NotFound):
        change(world, team, 1, wave=2)


def test_a_wave_counts_what_it_found_and_what_was_included_before(world: World) -> None:
    team = world.team(n_records=2)
    with world.entered(team.review_id, team.owner) as (session, review, _):
        waves.open_next(session, review, label="2027", kind=WaveKind.UPDATE, by=team.owner.id)
    later = world.records(team.review_id, team.owner, 2)
    world.merge(team.review_id, team.owner, 1, later[0])

    first, second = flow_of(world, team, 1), flow_of(world, team, 2)

    assert (first.n("database_results"), first.n("duplicates")) == (2, 0)
    assert (second.n("database_results"), second.n("duplicates")) == (2, 1)
    assert second.boxes["not_screened"].items == (later[1],)
    assert second.template == "updated_v1"
    with pytest.raises(NotFound):
        world.records(team.review_id, team.owner, 1, found=Found(wave=3))


def test_what_starts_at_full_text_is_served_decided_and_counted_there(world: World) -> None:
    team = world.team(n_records=1)
    (cited,) = world.records(team.review_id, team.owner, 1, found=CITATION)
    assert world.serve(team.review_id, team.ann, stage=FT).items == []

    world.retrieve(team.review_id, team.ann, cited)
    served = world.serve(team.review_id, team.ann, stage=FT).items
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, cited, "include", stage=FT)

    assert [lease.record_number for lease in served] == [cited]
    made = flow_of(world, team)
    assert made.boxes["other_included"].items == (cited,)
    assert made.n("new_studies") == 1
    assert_in_step(world.database, team.review_id)
