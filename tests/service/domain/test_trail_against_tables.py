"""Tables that were changed behind the log, and what the trail seals."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from service.domain.trails import checked, execute, exported, ledger, status
from service.filled import filled
from tandem.audit.differences import At
from tandem.ids import DecisionId, new_id
from tandem.reviews import texts
from tandem.screening.conflicts import service as conflicts
from tandem.screening.ledger.entries import ResolutionInput
from tandem.screening.models import Cause, Conflict, Decision
from tandem.screening.rules import Verdict
from world import TA, Team, World


@pytest.fixture(scope="module")
def built(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Team]:
    """A database on SQLite with the team in it: to make it takes longer than a test."""
    return filled(migrated_sqlite, tmp_path_factory.mktemp("rich"), rich_team)


@pytest.fixture
def database_url(database_url: str, built: tuple[Path, Team]) -> str:
    if database_url.startswith("sqlite"):
        shutil.copy(built[0], database_url.removeprefix("sqlite:///"))
    return database_url


@pytest.fixture
def rich(world: World, built: tuple[Path, Team]) -> Team:
    return built[1] if world.database.is_sqlite else rich_team(world)


def rich_team(world: World) -> Team:
    """Excluded by the judge: 1, for a reason. Taken back: 2. Over by themselves: 3. Changed: 4.

    Linked, with what the judge had settled: 6 to 5. The criteria, the title and the policy are
    other ones than at first.
    """
    team = world.team(n_records=6, include=["adults"], exclude=["animals"])
    r, ann, ben = team.review_id, team.ann, team.ben
    for number in (1, 2, 3, 6):
        world.decide(r, ann, number, "include", labels=["rct"], note="Why?", seconds=2.5)
        world.decide(r, ben, number, "exclude", reasons=["population"])
    settlement = ResolutionInput(Verdict.EXCLUDE, ["population"], "Mice.", Cause.MISREAD, "adults")
    with world.entered(r, team.judge) as (session, review, viewer):
        conflict_id = session.scalars(select(Conflict.id).where(Conflict.record_number == 1)).one()
        conflicts.resolve_conflict(
            session, review=review, viewer=viewer, conflict_id=conflict_id, given=settlement
        )
    world.resolve(r, team.judge, 2, "include")
    world.reopen(r, team.judge, 2, "Too early.")
    world.decide(r, ann, 3, "exclude", reasons=["population"])
    world.decide(r, ann, 4, "include")
    world.decide(r, ann, 4, "exclude")
    world.resolve(r, team.judge, 6, "include")
    world.decide(r, team.eve, 5, "maybe")
    world.withdraw(r, team.eve, 5)
    world.merge(r, team.owner, 5, 6)
    world.change_policy(r, team.owner, reasons_must_match=True)
    with world.entered(r, team.owner) as (session, review, _):
        changes = {"title": "Another title", "criteria_include": ["adults", "humans"]}
        texts.change(session, review, changes, by=team.owner.id, criteria_note="Clearer.")
    return team


@pytest.mark.both_engines
def test_what_happened_in_every_way_holds(world: World, rich: Team) -> None:
    found = checked(exported(world, rich))

    assert found.difference is None
    assert found.n_ledgers == 6


_JUDGED = "UPDATE resolution SET {} WHERE record_number = 1"

_FIRST = "UPDATE decision SET {} WHERE record_number = 4 AND verdict = 'include'"

_SECOND = "UPDATE decision SET {} WHERE record_number = 4 AND verdict = 'exclude'"


CHANGES = [
    (_JUDGED.format("verdict = 'include'"), "1"),
    (_JUDGED.format("reasons = '[]'"), "1"),
    (_JUDGED.format("note = NULL"), "1"),
    (_JUDGED.format("cause = 'scope'"), "1"),
    (_JUDGED.format("criterion = 'animals'"), "1"),
    (_JUDGED.format("taken_back_at = '2026-01-01 00:00:00'"), "1"),
    (_JUDGED.format("is_set_aside = TRUE"), "1"),
    (_JUDGED.format("resolver_id = (SELECT user_id FROM member WHERE role = 'owner')"), "1"),
    ("DELETE FROM resolution WHERE record_number = 1", "1"),
    ("UPDATE resolution SET taken_back_at = NULL WHERE record_number = 2", "2"),
    ("UPDATE resolution SET taken_back_note = 'x' WHERE record_number = 2", "2"),
    ("UPDATE resolution SET verdict = 'exclude' WHERE record_number = 2", "2"),
    ("DELETE FROM resolution WHERE record_number = 2", "2"),
    ("UPDATE resolution SET verdict = 'exclude' WHERE record_number = 5", "5"),
    ("UPDATE resolution SET verdict = 'exclude' WHERE record_number = 6", "6"),
    ("DELETE FROM resolution WHERE record_number = 5", "5"),
    ("DELETE FROM resolution WHERE record_number = 6", "6"),
    ("UPDATE conflict SET resolved_by = 'policy' WHERE record_number = 1", "1"),
    ("UPDATE conflict SET resolved_by = NULL WHERE record_number = 3", "3"),
    ("UPDATE decision SET informed = NOT informed WHERE record_number = 3", "3"),
    (_SECOND.format("informed = TRUE"), "4"),
    (_SECOND.format("criteria_version = 2"), "4"),
    (_SECOND.format("note = 'x'"), "4"),
    (_SECOND.format("labels = '[\"x\"]'"), "4"),
    (_SECOND.format("seconds = 1"), "4"),
    (_SECOND.format("rank = 7"), "4"),
    (_SECOND.format("carried_from = 1"), "4"),
    (_SECOND.format("entered_by = reviewer_id"), "4"),
    (_SECOND.format("labels_seq = labels_seq + 1000"), "4"),
    (_FIRST.format("verdict = 'maybe'"), "4"),
    (_FIRST.format("reasons = '[\"x\"]'"), "4"),
    (_FIRST.format("reviewer_id = (SELECT user_id FROM member WHERE role = 'owner')"), "4"),
    ("DELETE FROM decision WHERE record_number = 4 AND verdict = 'include'", "4"),
    ("UPDATE decision SET note = 'x' WHERE record_number = 6", "6"),
    # Where it turned up.
    ("UPDATE decision SET record_number = 3 WHERE record_number = 4", "3"),
]


@pytest.mark.parametrize(("statement", "record"), CHANGES)
def test_the_record_is_named_whose_rows_were_changed(
    statement: str, record: str, world: World, rich: Team
) -> None:
    execute(world.database.engine, statement)

    difference = checked(exported(world, rich)).difference

    assert difference is not None
    assert difference.at == At(TA, record)


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("statement", "record"),
    [
        change if number % 5 == 0 else pytest.param(*change, marks=pytest.mark.soak)
        for number, change in enumerate(CHANGES)
    ],
)
def test_on_either_engine(statement: str, record: str, world: World, rich: Team) -> None:
    """What reads the rows is the same on both: a soak changes all of them on PostgreSQL, too."""
    test_the_record_is_named_whose_rows_were_changed(statement, record, world, rich)


def test_a_row_more_in_the_ledger_is_found(world: World, rich: Team) -> None:
    with world.database.write.begin() as session:
        row = session.scalars(select(Decision).where(Decision.record_number == 4)).first()
        assert row is not None
        columns = {
            name: getattr(row, name)
            for name in [column.key for column in Decision.__table__.columns]
        }
        columns |= {"id": DecisionId(new_id()), "labels_seq": 10_000}
        session.add(Decision(**columns))

    difference = checked(exported(world, rich)).difference

    assert difference is not None
    assert difference.at == At(TA, "4")
    assert difference.says == "3 entries in its ledger"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DELETE FROM policy_version WHERE version = 2", "policy"),
        ("DELETE FROM policy_version WHERE version = 1 AND stage = 'title_abstract'", "policy"),
        ("UPDATE policy_version SET version = 3 WHERE version = 2", "policy"),
        (
            "UPDATE policy_version SET value = (SELECT value FROM policy_version"
            " WHERE version = 1 AND stage = 'title_abstract') WHERE version = 2",
            "version 2 of the policy for title_abstract",
        ),
        (
            "UPDATE policy_version SET created_by = (SELECT user_id FROM member"
            " WHERE role = 'adjudicator') WHERE version = 2",
            "version 2 of the policy",
        ),
        ("UPDATE criteria_version SET include = '[]' WHERE version = 1", "include of version 1"),
        ("UPDATE criteria_version SET exclude = '[]' WHERE version = 2", "exclude of version 2"),
        ("UPDATE criteria_version SET note = NULL WHERE version = 2", "note of version 2"),
        ("DELETE FROM criteria_version WHERE version = 1", "criteria 1"),
        ("DELETE FROM criteria_version WHERE version = 2", "criteria 2"),
        ("UPDATE review SET criteria_include = '[]'", "criteria_include"),
        ("UPDATE review SET criteria_version = 1", "version 1 of the criteria"),
        ("UPDATE review SET exclusion_reasons = '[\"x\"]'", "exclusion_reasons"),
        ("UPDATE review SET title = 'A third one'", "title"),
    ],
)
def test_changed_settings_are_found_and_named(
    statement: str, named: str, world: World, rich: Team
) -> None:
    execute(world.database.engine, statement)

    difference = checked(exported(world, rich)).difference

    assert difference is not None
    assert named in difference.says


@pytest.mark.parametrize("kind", ["policy", "criteria", "texts", "ledger", "resolved"])
def test_a_line_that_is_missing_or_there_twice_is_found(
    kind: str, world: World, rich: Team
) -> None:
    lines = exported(world, rich)
    places = [n for n, line in enumerate(lines) if kind in line and "seq" not in line]

    assert places
    for n in places:
        assert not checked(lines[:n] + lines[n + 1 :]).ok
        assert not checked([*lines[: n + 1], *lines[n:]]).ok


def test_what_is_not_hidden_has_to_be_in_the_trail(world: World, rich: Team) -> None:
    lines = exported(world, rich)
    for name in ("digest", "resolutions"):
        changed = [dict(line) for line in lines]
        ledger(changed, 1)[name] = None
        assert not checked(changed).ok
    status(lines, 1)["votes"] = None
    assert not checked(lines).ok


def test_no_digest_betrays_what_the_policy_hides(world: World, rich: Team) -> None:
    world.change_policy(rich.review_id, rich.owner, adjudicator_sees="nothing")
    lines = exported(world, rich)

    assert checked(lines).difference is None
    lines_of = {number: ledger(lines, number) for number in range(1, 7)}
    # In conflict again: 2. Awaiting: 4. Linked, and so without a status: 6.
    assert {number for number, line in lines_of.items() if line["digest"] is None} == {2, 4, 6}
    assert {number for number, line in lines_of.items() if line["resolutions"] is None} == {2, 4, 6}
    assert status(lines, 2)["standing"] is None
    # How many entries there are the log tells anyway.
    execute(world.database.engine, "DELETE FROM decision WHERE record_number = 6")
    difference = checked(exported(world, rich)).difference
    assert difference is not None
    assert difference.at == At(TA, "6")
