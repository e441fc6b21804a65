"""Studies: groups of reports that people make and undo; sampling, ratings, near misses."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from prepared import Prepared
from tandem.audit import trail, verify
from tandem.db.base import now
from tandem.db.keyset import START
from tandem.errors import Forbidden, NotFound
from tandem.ids import ImportId, RecordNumber, StudyId
from tandem.records.duplicates.clusters import Related
from tandem.records.duplicates.related import relate
from tandem.records.duplicates.relations import Relation
from tandem.records.models import Record
from tandem.reporting import near_misses
from tandem.reporting import service as reporting
from tandem.reporting.boxes import StudyKey
from tandem.reporting.flow import Flow
from tandem.reports.listing import NoReport
from tandem.reports.models import NearMiss, Study
from tandem.reports.retrieval import append_retrieval
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening import decisions, sources
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.rules import Verdict
from tandem.studies import proposals, ratings, service
from tandem.studies import separate as separation
from tandem.studies.service import ShownStudy
from world import Person, Team, World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Records 1 to 4, all of them retrieved; 1 and 2 are included, 3 is excluded, 4 is open."""
    team = world.team(n_records=4, exclusion_reasons=["No setting", "Not qualitative"])
    for number in (1, 2, 3, 4):
        for person in (team.ann, team.ben):
            world.decide(team.review_id, person, number, "include")
        retrieve(world, team, number)
    for number, verdict in ((1, "include"), (2, "include"), (3, "exclude")):
        for person in (team.ann, team.ben):
            decide(world, team, person, number, verdict)
    return team


def retrieve(
    world: World, team: Team, number: int, state: RetrievalState = RetrievalState.RETRIEVED
) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        append_retrieval(
            session,
            review=review,
            viewer=viewer,
            number=RecordNumber(number),
            state=state,
            note="asked the library",
        )


def decide(world: World, team: Team, person: Person, number: int, verdict: str) -> None:
    reasons = ["Not qualitative"] if verdict == "exclude" else []
    with world.entered(team.review_id, person) as (session, review, viewer):
        decisions.record_decision(
            session,
            review=review,
            viewer=viewer,
            record_number=RecordNumber(number),
            stage=Stage.FULL_TEXT,
            given=DecisionInput(Verdict(verdict), reasons=reasons),
        )


def flow_of(world: World, team: Team) -> Flow:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        made = reporting.shown(session, viewer=viewer).flow
    assert [one for one in made.invariants if not one.holds] == []
    return made


def group(
    world: World, team: Team, numbers: Sequence[int], person: Person | None = None
) -> StudyId:
    with world.entered(team.review_id, person or team.ann) as (session, review, viewer):
        some = [RecordNumber(number) for number in numbers]
        return service.create(session, review, viewer, numbers=some, label="A study").id


def split(world: World, team: Team, study_id: StudyId) -> None:
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        study = service.get(session, team.review_id, study_id)
        service.split(session, review, viewer, study)


def seen(world: World, team: Team, person: Person) -> list[ShownStudy]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=person.id)
        return [*service.page(session, viewer, cursor=START, limit=100).items]


def test_a_companion_is_a_report_and_no_study_and_splitting_undoes_it(
    world: World, team: Team
) -> None:
    before = flow_of(world, team)
    assert (before.n("new_studies"), before.n("new_reports")) == (2, 2)

    study_id = group(world, team, [1, 2])

    grouped = flow_of(world, team)
    assert grouped.boxes["new_studies"].items == (StudyKey.grouped(str(study_id)),)
    assert grouped.n("new_reports") == 2
    split(world, team, study_id)
    assert flow_of(world, team) == before
    assert seen(world, team, team.owner) == []


def test_a_report_may_be_in_two_studies_and_the_last_one_takes_its_study_along(
    world: World, team: Team
) -> None:
    first, second = group(world, team, [1]), group(world, team, [1, 2])
    assert flow_of(world, team).n("new_studies") == 2

    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        study = service.get(session, team.review_id, second)
        service.take_out(session, review, viewer, study, RecordNumber(1))
        with pytest.raises(NotFound):
            service.take_out(session, review, viewer, study, RecordNumber(1))
        service.add_report(session, review, viewer, study, RecordNumber(4))
        alone = service.get(session, team.review_id, first)
        service.take_out(session, review, viewer, alone, RecordNumber(1))

    (shown,) = seen(world, team, team.owner)
    assert shown.reports == [2, 4]
    assert flow_of(world, team).n("new_studies") == 2


def test_only_reports_are_grouped_and_observers_group_none(world: World, team: Team) -> None:
    world.records(team.review_id, team.owner, 1)
    with pytest.raises(NoReport):
        group(world, team, [1, 5])
    with pytest.raises(Forbidden):
        group(world, team, [1], team.observer)
    with (
        pytest.raises(NotFound),
        world.entered(team.review_id, team.ann) as (session, review, viewer),
    ):
        service.create(session, review, viewer, numbers=[RecordNumber(1)], primary=RecordNumber(2))


def test_a_mixed_study_is_shown_to_those_who_may_see_it(world: World, team: Team) -> None:
    group(world, team, [1, 3])

    assert [one.is_mixed for one in seen(world, team, team.owner)] == [True]
    assert [one.is_mixed for one in seen(world, team, team.eve)] == [False]


def test_linked_records_are_in_the_studies_of_all(world: World, team: Team) -> None:
    group(world, team, [2])

    merged = world.merge(team.review_id, team.owner, 1, 2)

    (shown,) = seen(world, team, team.owner)
    assert len(shown.reports) == 1
    assert flow_of(world, team).n("new_studies") == 1
    world.split(team.review_id, team.owner, merged)
    assert [one.reports for one in seen(world, team, team.owner)] == [[2]]


def sample(world: World, team: Team, study_id: StudyId, sampled: bool | None) -> None:
    with world.entered(team.review_id, team.judge) as (session, review, viewer):
        study = service.get(session, team.review_id, study_id)
        service.sample(session, review, viewer, study, sampled=sampled, note=None)


def test_a_study_that_is_not_sampled_is_beyond_and_comes_back(world: World, team: Team) -> None:
    study_id = group(world, team, [1])
    before = flow_of(world, team)

    sample(world, team, study_id, False)

    made = flow_of(world, team)
    assert made.boxes["dbr_eligible_not_sampled"].items == (1,)
    assert made.n("new_reports") == 1
    assert [one.sees_sampling for one in seen(world, team, team.ann)] == [False]
    sample(world, team, study_id, None)
    assert flow_of(world, team) == before


def rate(world: World, team: Team, person: Person, number: int, richness: int | None) -> None:
    with world.entered(team.review_id, person) as (session, review, viewer):
        ratings.rate(
            session, review, viewer, number=RecordNumber(number), richness=richness, relevance=None
        )


def rated(world: World, team: Team, person: Person, number: int) -> list[tuple[str, int | None]]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=person.id)
        found = ratings.visible(session, viewer, [RecordNumber(number)])
    return [(one.name, one.richness) for one in found.get(RecordNumber(number), [])]


def test_ratings_are_hidden_like_votes(world: World, team: Team) -> None:
    rate(world, team, team.ann, 1, 4)
    rate(world, team, team.ben, 1, 2)
    rate(world, team, team.ben, 1, 3)

    assert rated(world, team, team.ann, 1) == [("ann", 4)]
    assert rated(world, team, team.owner, 1) == [("ann", 4), ("ben", 3)]
    rate(world, team, team.ben, 1, None)
    assert rated(world, team, team.judge, 1) == [("ann", 4)]


def make_rich(world: World, team: Team, number: int) -> None:
    """Let a record stand for those that are linked to it."""
    with world.database.write.begin() as session:
        record = session.get_one(Record, (team.review_id, number))
        record.abstract, record.doi = "Peer workers were interviewed. " * 9, "10.1000/rich"


def test_ratings_of_linked_reports_are_of_the_one_that_is_shown(world: World, team: Team) -> None:
    rate(world, team, team.ann, 1, 4)
    rate(world, team, team.ben, 2, 2)
    rate(world, team, team.ben, 1, 3)
    make_rich(world, team, 2)
    group_id = world.merge(team.review_id, team.owner, 1, 2)

    assert rated(world, team, team.owner, 2) == [("ann", 4), ("ben", 3)], "the newest of each"
    assert rated(world, team, team.ann, 2) == [("ann", 4)]
    rate(world, team, team.ann, 2, None)
    assert rated(world, team, team.owner, 2) == [("ben", 3)]
    world.split(team.review_id, team.owner, group_id)
    assert rated(world, team, team.owner, 1) == [("ann", 4), ("ben", 3)]
    assert rated(world, team, team.owner, 2) == [("ben", 2)]


def test_the_primary_report_may_be_shown_as_another_record(world: World, team: Team) -> None:
    study_id = group(world, team, [1, 3])
    make_rich(world, team, 2)
    world.merge(team.review_id, team.owner, 1, 2)
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        study = service.get(session, review.id, study_id)
        service.change(session, review, viewer, study, changes={"primary_number": RecordNumber(2)})
        with pytest.raises(NotFound):
            service.change(
                session, review, viewer, study, changes={"primary_number": RecordNumber(4)}
            )
    (shown,) = seen(world, team, team.ann)
    assert ([*shown.reports], shown.primary) == ([2, 3], 2)
    assert verify.check(trail_of(world, team)).ok


def test_the_newest_rating_counts_also_after_a_clock_was_set_back(
    world: World, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate(world, team, team.ann, 1, 4)
    earlier = now() - timedelta(hours=1)
    monkeypatch.setattr(ratings, "now", lambda: earlier)
    rate(world, team, team.ann, 1, 2)
    assert rated(world, team, team.ann, 1) == [("ann", 2)]


def test_proposals_come_from_relations_registry_numbers_and_like_titles(
    world: World, team: Team
) -> None:
    with world.database.write.begin() as session:
        for number, title, ids in (
            (1, "Peer support in community mental health", ["NCT01234567"]),
            (2, "Peer support in community mental health: follow-up", []),
            (3, "Something else", ["NCT01234567"]),
            (4, "Diet of bears", []),
        ):
            record = session.get_one(Record, (team.review_id, number))
            record.title, record.registry_ids = title, ids

    def proposed() -> list[tuple[list[int], list[str]]]:
        with world.database.read() as session:
            viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.eve.id)
            found = proposals.proposals(session, viewer)
        return [([*one.reports], [*one.evidence]) for one in found]

    like, registered = "same first author, like titles", "both name NCT01234567"

    def separate(person: Person, numbers: Sequence[int], *, is_separate: bool = True) -> None:
        with world.entered(team.review_id, person) as (session, review, viewer):
            chosen = [RecordNumber(number) for number in numbers]
            separation.separate(session, review, viewer, numbers=chosen, is_separate=is_separate)

    assert proposed() == [([1, 2, 3], [like, registered])]
    with pytest.raises(Forbidden):
        separate(team.observer, [2, 1])
    separate(team.eve, [2, 1])
    assert proposed() == [([1, 3], [registered])]
    before = len(trail_of(world, team))
    separate(team.ann, [1, 2])
    assert len(trail_of(world, team)) == before, "to repeat changes nothing"
    separate(team.ann, [1, 2, 3])
    assert proposed() == []
    with world.database.read() as session:
        assert separation.pairs(session, team.review_id) == [(1, 2), (1, 3), (2, 3)]
    separate(team.ben, [1, 2, 3], is_separate=False)
    assert proposed() == [([1, 2, 3], [like, registered])]
    with pytest.raises(NoReport):
        separate(team.ann, [1, 99])
    group(world, team, [1, 2, 3])
    assert proposed() == []


def test_what_is_known_of_a_linked_record_is_known_of_the_report_that_is_shown_for_it(
    world: World, team: Team
) -> None:
    """A protocol of report 2, and a record of a trial that report 3 names, are linked to 1."""
    protocol, registered = world.records(team.review_id, team.owner, 2)
    with world.database.write.begin() as session:
        for number, title in ((1, "Sleep"), (2, "Bears"), (3, "Tides"), (4, "Wheat")):
            session.get_one(Record, (team.review_id, number)).title = title
        for number in (registered, 3):
            session.get_one(Record, (team.review_id, number)).registry_ids = ["NCT01234567"]
        found = [Related(RecordNumber(2), protocol, Relation.PROTOCOL)]
        relate(session, team.review_id, found)
    world.merge(team.review_id, team.owner, 1, protocol, registered)

    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.eve.id)
        found_of = [(one.reports, one.evidence) for one in proposals.proposals(session, viewer)]

    assert found_of == [([1, 2, 3], ["protocol", "both name NCT01234567"])]


def test_a_separation_goes_with_the_record_that_is_shown_and_can_be_taken_back(
    world: World, team: Team
) -> None:
    def separate(*, is_separate: bool) -> None:
        two = [RecordNumber(1), RecordNumber(2)]
        with world.entered(team.review_id, team.ann) as (session, review, viewer):
            separation.separate(session, review, viewer, numbers=two, is_separate=is_separate)

    def pairs() -> list[separation.Pair]:
        with world.database.read() as session:
            return separation.pairs(session, team.review_id)

    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        other = [RecordNumber(2), RecordNumber(4)]
        separation.separate(session, review, viewer, numbers=other, is_separate=True)
    world.merge(team.review_id, team.owner, 1, 4)
    assert pairs() == [(1, 2)]
    before = len(trail_of(world, team))
    separate(is_separate=True)
    assert len(trail_of(world, team)) == before, "to repeat changes nothing"

    separate(is_separate=False)

    assert pairs() == []


def test_a_trail_with_separated_reports_and_a_corrected_search_holds(
    world: World, team: Team
) -> None:
    two = [RecordNumber(1), RecordNumber(2)]
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        separation.separate(session, review, viewer, numbers=two, is_separate=True)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        import_id = session.scalars(
            select(Record.import_id).where(Record.review_id == review.id)
        ).first()
        assert import_id is not None
        changes = {"searched_on": date(2026, 10, 1), "strategy": "(peer work*).ti,ab."}
        sources.change_import(
            session, review, viewer, import_id=ImportId(import_id), changes=changes
        )

    made = verify.check(trail_of(world, team))
    assert made.ok, made.difference


def trail_of(world: World, team: Team) -> list[str]:
    who = team.owner.id
    return list(trail.lines(world.database, review_id=team.review_id, user_id=who))


def test_near_misses_are_derived_and_owners_strike_and_add(world: World, team: Team) -> None:
    def listed(struck: bool = False) -> list[tuple[int, list[str]]]:
        with world.database.read() as session:
            viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.judge.id)
            found = near_misses.near_misses(
                session, viewer=viewer, struck=struck, cursor=START, limit=10
            )
        return [(one.number, [*one.because]) for one in found.items]

    def mark(on: bool, number: int = 3) -> None:
        with world.entered(team.review_id, team.owner) as (session, review, viewer):
            near_misses.mark(
                session,
                review,
                viewer,
                number=RecordNumber(number),
                listed=on,
                explanation="Eligible but for its design",
            )

    assert listed() == [(3, ["last_reason"])]
    mark(False)
    assert (listed(), listed(struck=True)) == ([], [(3, ["last_reason"])])
    mark(True)
    assert listed() == [(3, ["last_reason", "listed"])]
    for person in (team.ann, team.ben):
        decide(world, team, person, 4, "exclude")
    make_rich(world, team, 4)
    world.merge(team.review_id, team.owner, 3, 4)
    assert listed() == [(4, ["last_reason", "listed"])], "the report is shown as another record"
    with world.database.write.begin() as session:  # a clock that has been set back since
        for row in session.scalars(select(NearMiss)):
            row.marked_at += timedelta(days=1)
    mark(False, 4)
    assert (listed(), listed(struck=True)) == ([], [(4, ["last_reason"])])
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.eve.id)
        with pytest.raises(Forbidden):
            near_misses.near_misses(session, viewer=viewer, struck=False, cursor=START, limit=9)


def test_a_study_of_another_review_is_not_found(world: World, team: Team) -> None:
    other = world.team(n_records=1)
    study_id = group(world, team, [1])
    with world.database.read() as session:
        assert session.get(Study, study_id) is not None
        with pytest.raises(NotFound):
            service.get(session, other.review_id, study_id)
