"""Criteria change: versions of them, and second looks at what was decided under earlier ones."""

from typing import Any

import pytest
from sqlalchemy import select

from tandem.db.keyset import START, Cursor
from tandem.errors import Forbidden
from tandem.events.log import Event
from tandem.ids import RecordNumber
from tandem.records.imports import Found
from tandem.records.origin import FoundBy
from tandem.reviews import criteria, texts
from tandem.reviews import service as reviews
from tandem.screening.criteria import affected, confirming
from tandem.screening.criteria.affected import AffectedBy, AffectedList
from tandem.screening.decisions import NoDecision
from tandem.screening.models import Cause, Decision, Resolution
from tandem.screening.recording import Recorded
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines

TEXTS = [
    ("Paid peer workers", "Interviews in hospitals"),
    ("Volunteers at home", "A survey of relatives"),
    ("Peer support", "Workers in prisons"),
    ("Soil and nitrogen", "Fields of wheat"),
]


@pytest.fixture
def team(world: World) -> Team:
    made = world.team(n_records=0)
    world.records(made.review_id, made.owner, texts=TEXTS)
    change(world, made, include=["Peer support workers"], exclude=["Not about health"])
    return made


def change(world: World, team: Team, note: str | None = None, **lists: list[str]) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, _):
        changes = {f"criteria_{side}": listed for side, listed in lists.items()}
        texts.change(session, review, changes, by=team.owner.id, criteria_note=note)


def looks(world: World, team: Team, who: Person, **asked: Any) -> AffectedList:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=who.id)
        review = reviews.get_review(session, team.review_id)
        asked = {"limit": 100} | asked
        return affected.list_affected(session, viewer=viewer, review=review, stage=TA, **asked)


def causes(found: AffectedList) -> dict[int, list[AffectedBy]]:
    return {item.record.number: [why.touch for why in item.why] for item in found.page.items}


def confirm(world: World, team: Team, who: Person, number: int) -> Recorded:
    with world.entered(team.review_id, who) as (session, review, viewer):
        return confirming.confirm_decision(
            session, review=review, viewer=viewer, record_number=RecordNumber(number), stage=TA
        )


class TestVersions:
    def test_each_change_is_a_version_that_says_who_and_why(self, world: World, team: Team) -> None:
        change(world, team, "Volunteers do not count.", include=["Paid peer support workers"])
        change(world, team, "The same again.", include=["Paid peer support workers"])

        with world.database.read() as session:
            found = criteria.versions(session, team.review_id)
            changed = select(Event).where(Event.type == "tandem.review.changed")
            events = session.scalars(changed.order_by(Event.seq)).all()
            version = reviews.get_review(session, team.review_id).criteria_version

        assert [row.version for row in found] == [3, 2, 1]
        assert [row.include for row in found] == [
            ["Paid peer support workers"],
            ["Peer support workers"],
            [],
        ]
        assert [row.exclude for row in found] == [["Not about health"], ["Not about health"], []]
        assert [row.note for row in found] == ["Volunteers do not count.", None, None]
        assert {row.created_by for row in found} == {team.owner.id}
        assert version == 3
        last = events[-1]
        assert (len(events), last.data) == (2, {"changed": ["criteria"]})
        assert last.detail["by"] == str(team.owner.id)
        assert last.detail["from"] == {"criteria_include": ["Peer support workers"]}
        assert last.detail["to"] == {"criteria_include": ["Paid peer support workers"]}
        assert last.detail["criteria_version"] == 3

    def test_a_new_review_has_its_first_version(self, world: World) -> None:
        owner = world.person("owner")
        review_id = world.review(owner)
        with world.database.read() as session:
            (only,) = criteria.versions(session, review_id)

        assert (only.version, only.created_by, only.note) == (1, owner.id, None)

    def test_a_decision_keeps_the_version_it_was_made_under(self, world: World, team: Team) -> None:
        before = world.decide(team.review_id, team.ann, 1, "include").decision
        change(world, team, include=["Paid peer support workers"])
        after = world.decide(team.review_id, team.ann, 2, "include").decision

        assert before
        assert after
        assert (before.criteria_version, after.criteria_version) == (2, 3)

    def test_the_list_of_reasons_is_no_criterion_and_asks_for_no_ranking(
        self, world: World, team: Team
    ) -> None:
        with world.entered(team.review_id, team.owner) as (session, review, _):
            before = review.labels_seq
            texts.change(session, review, {"exclusion_reasons": ["a", "b"]}, by=team.owner.id)

            assert (review.labels_seq, review.criteria_version) == (before, 2)


class TestSecondLooks:
    def test_only_what_the_change_could_touch(self, world: World, team: Team) -> None:
        r, ann = team.review_id, team.ann
        world.decide(r, ann, 1, "exclude", reasons=["not about HEALTH."])
        world.decide(r, ann, 2, "maybe")
        world.decide(r, ann, 3, "include")
        world.decide(r, ann, 4, "exclude")
        assert looks(world, team, ann).page.items == []

        change(world, team, exclude=["Not about health in prisons"])

        found = looks(world, team, ann)
        assert causes(found) == {
            1: [AffectedBy.REASON],
            2: [AffectedBy.MAYBE],
            3: [AffectedBy.WORDS],
        }
        assert found.page.items[0].why[0].criteria == ("not about HEALTH.",)
        assert found.page.items[2].why[0].words == ("prisons",)
        assert (found.n, found.explanation, found.page.next_cursor) == (3, None, None)

    def test_more_causes_come_first_and_pages_follow(self, world: World, team: Team) -> None:
        for number in (1, 2, 3):
            world.decide(team.review_id, team.ann, number, "maybe")
        world.decide(team.review_id, team.ann, 4, "maybe", reasons=["Peer support workers"])
        change(world, team, include=["Paid peer support workers"])

        pages, cursor = [], START
        for _ in range(4):
            page = looks(world, team, team.ann, cursor=cursor, limit=1)
            pages.append([item.record.number for item in page.page.items])
            following = page.page.next_cursor
            cursor = Cursor.parse(following)
        assert (pages, following) == ([[4], [1], [2], [3]], None)
        assert page.n == 4

    def test_a_change_that_was_taken_back_touches_nothing(self, world: World, team: Team) -> None:
        world.decide(team.review_id, team.ann, 1, "maybe")
        change(world, team, include=["Anything"])
        assert looks(world, team, team.ann).n == 1
        change(world, team, include=["Peer support workers"])

        found = looks(world, team, team.ann)
        assert found.page.items == []
        assert found.explanation
        assert "touches none" in found.explanation

    def test_since_leaves_out_earlier_changes(self, world: World, team: Team) -> None:
        for number in (1, 3):
            world.decide(team.review_id, team.ann, number, "include")
        change(world, team, exclude=["Not about health", "In prisons"])
        change(world, team, exclude=["Not about health", "In prisons", "In hospitals"])

        assert set(causes(looks(world, team, team.ann))) == {1, 3}
        assert set(causes(looks(world, team, team.ann, since=3))) == {1}
        later = looks(world, team, team.ann, since=4)
        assert later.explanation == (
            "The criteria have not changed since version 4; the newest is 4."
        )

    def test_why_there_is_nothing(self, world: World, team: Team) -> None:
        change(world, team, include=["Wheat"])
        assert looks(world, team, team.ann).explanation == (
            "You have not decided any record in this stage."
        )
        world.decide(team.review_id, team.ann, 1, "include")
        assert looks(world, team, team.ann).explanation == (
            "You have made or confirmed all of your decisions under version 3."
        )

    @pytest.mark.parametrize("again", ["include", "exclude"])
    def test_deciding_again_or_confirming_takes_it_off(
        self, world: World, team: Team, again: str
    ) -> None:
        world.decide(team.review_id, team.ann, 3, "include", labels=["odd"], note="See 2.")
        change(world, team, exclude=["In prisons"])
        assert looks(world, team, team.ann).n == 1

        if again == "include":
            # By contract the same again changes nothing; that one looked again is said apart.
            same = world.decide(team.review_id, team.ann, 3, again, labels=["odd"], note="See 2.")
            assert not same.changed
            assert looks(world, team, team.ann).n == 1
            done = confirm(world, team, team.ann, 3)
        else:
            done = world.decide(team.review_id, team.ann, 3, again)

        assert done.changed
        assert done.decision is not None
        assert looks(world, team, team.ann).n == 0
        assert (done.decision.criteria_version, done.decision.verdict) == (3, again)

    def test_a_conflict_over_the_criterion_once_it_is_settled(
        self, world: World, team: Team
    ) -> None:
        r, ann, ben = team.review_id, team.ann, team.ben
        world.decide(r, ann, 4, "exclude", reasons=["soil"])
        world.decide(r, ben, 4, "include", reasons=["unclear"])
        change(world, team, include=["Paid workers"])
        assert causes(looks(world, team, ann)) == {}

        world.resolve(r, team.judge, 4, "include")
        with world.database.write.begin() as session:
            row = session.scalars(select(Resolution)).one()
            row.cause, row.criterion = Cause.AMBIGUOUS_CRITERION, "Peer Support Workers"

        assert causes(looks(world, team, ann)) == {4: [AffectedBy.CONFLICT]}
        assert causes(looks(world, team, ben)) == {4: [AffectedBy.CONFLICT]}
        assert causes(looks(world, team, team.eve)) == {}

    def test_how_many_for_each_is_for_those_who_see_all(self, world: World, team: Team) -> None:
        world.decide(team.review_id, team.ann, 1, "maybe")
        world.decide(team.review_id, team.ann, 3, "include")
        world.decide(team.review_id, team.ben, 4, "include")
        change(world, team, exclude=["In prisons"])

        def counted(who: Person) -> dict[Any, int]:
            with world.database.read() as session:
                viewer = reviews.viewer(session, review_id=team.review_id, user_id=who.id)
                review = reviews.get_review(session, team.review_id)
                return affected.n_by_reviewer(session, viewer=viewer, review=review, stage=TA)

        assert counted(team.judge) == counted(team.owner) == {team.ann.id: 2}
        for who in (team.ann, team.observer):
            with pytest.raises(Forbidden):
                counted(who)

    def test_what_is_screened_no_more_needs_no_other_look(self, world: World, team: Team) -> None:
        """It is a report of the previous version: nobody could confirm the decision."""
        for number in (1, 2):
            world.decide(team.review_id, team.ann, number, "maybe")
        found = Found(FoundBy.PREVIOUS)
        (report,) = world.records(team.review_id, team.owner, 1, found=found)
        world.merge(team.review_id, team.owner, 1, report)

        change(world, team, exclude=["Not about health care"])

        assert causes(looks(world, team, team.ann)) == {2: [AffectedBy.MAYBE]}


class TestConfirming:
    def test_it_is_an_entry_of_its_own_with_the_same_content(
        self, world: World, team: Team
    ) -> None:
        said: dict[str, Any] = {"reasons": ["wheat"], "labels": ["odd"], "note": "See 2."}
        world.decide(team.review_id, team.ann, 4, "exclude", seconds=3.0, **said)
        world.decide(team.review_id, team.ben, 4, "include")
        change(world, team, include=["Anything"])
        with world.database.read() as session:
            status = world.status(team.review_id, 4)

        done = confirm(world, team, team.ann, 4)
        again = confirm(world, team, team.ann, 4)

        assert (done.changed, again.changed) == (True, False)
        assert world.status(team.review_id, 4) is status
        with world.database.read() as session:
            query = select(Decision).where(Decision.reviewer_id == team.ann.id)
            first, second = session.scalars(query.order_by(Decision.labels_seq)).all()
        for name in ("verdict", "reasons", "labels", "note", "second_in"):
            assert getattr(first, name) == getattr(second, name)
        assert (first.criteria_version, second.criteria_version) == (2, 3)
        assert (first.seconds, second.seconds) == (3.0, None)

    def test_what_one_has_not_decided_cannot_be_confirmed(self, world: World, team: Team) -> None:
        world.decide(team.review_id, team.ben, 1, "include")
        with pytest.raises(NoDecision):
            confirm(world, team, team.ann, 1)
        with pytest.raises(Forbidden):
            confirm(world, team, team.observer, 1)
