"""A trail that holds, and one that somebody has changed: what `verify` finds, and where."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from prepared import Prepared
from service.domain.trails import (
    Line,
    chained,
    checked,
    decision,
    entry,
    execute,
    exported,
    ledger,
    status,
)
from tandem.audit import digests
from tandem.audit.checked import NotATrail
from tandem.audit.differences import At
from tandem.audit.verify import check
from tandem.errors import Forbidden
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening.agreement.service import AgreementOn, agreement
from world import Team, World

TA = Stage.TITLE_ABSTRACT


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Included: 1. In conflict: 2. Excluded by the judge: 3. Linked: 5 to 4. Awaiting: 6."""
    team = world.team(n_records=7)
    r, ann, ben = team.review_id, team.ann, team.ben
    for number, verdict in ((1, "include"), (2, "exclude"), (3, "exclude")):
        world.decide(r, ann, number, "include")
        world.decide(r, ben, number, verdict, reasons=["population"])
    world.resolve(r, team.judge, 3, "exclude")
    world.decide(r, ann, 4, "include")
    world.decide(r, ben, 5, "include", note="The same as 4?")
    world.merge(r, team.owner, 4, 5)
    world.decide(r, team.eve, 6, "maybe")
    world.decide(r, team.eve, 7, "maybe")
    world.withdraw(r, team.eve, 7)
    world.change_policy(r, team.owner, reasons_must_match=True)
    return team


@pytest.mark.both_engines
def test_what_nobody_changed_holds(world: World, team: Team) -> None:
    lines = exported(world, team)

    found = checked(lines)

    assert found.difference is None
    assert (found.n_entries, found.n_sealed, found.n_conflicts) == (lines[0]["last_seq"], 0, 1)
    assert found.n_decisions == sum("tandem.decision." in line.get("type", "") for line in lines)
    assert found.last_hash == lines[0]["last_hash"]
    figures = lines[-1]["figures"]
    assert figures["flow"] == {
        "identified": 7,
        "duplicates": 1,
        "screened": 3,
        "included": 2,
        "excluded": 1,
        "awaiting": 1,
        "in_conflict": 1,
        "unscreened": 1,
    }
    assert figures["conflicts"] == {"open": 1, "resolved": 1}
    everybody = figures["agreement"][0]
    assert (everybody["a"], everybody["b"] + everybody["c"], everybody["d"]) == (2, 2, 0)


def _verdict(lines: list[Line]) -> int:
    line = decision(lines, 1, 1)
    line["detail"]["verdict"] = "exclude"
    return int(line["seq"])


def _note(lines: list[Line]) -> int:
    line = decision(lines, 5, 0)
    line["detail"]["note"] = "Something else."
    return int(line["seq"])


def _who(lines: list[Line]) -> int:
    line = decision(lines, 2, 0)
    line["data"]["reviewer_id"] = decision(lines, 6, 0)["data"]["reviewer_id"]
    return int(line["seq"])


def _when(lines: list[Line]) -> int:
    entry(lines, 9)["time"] = "2020-01-01T00:00:00.000000+00:00"
    return 9


def _hash(lines: list[Line]) -> int:
    entry(lines, 9)["hash"] = "0" * 64
    return 9


def _seal(lines: list[Line]) -> int:
    line = entry(lines, 9)
    line["detail"], line["salt"], line["seal"] = None, None, "0" * 64
    return 9


def _dropped(lines: list[Line]) -> int:
    lines.remove(entry(lines, 9))
    return 9


def _swapped(lines: list[Line]) -> int:
    one = lines.index(entry(lines, 9))
    lines[one], lines[one + 1] = lines[one + 1], lines[one]
    return 9


def _renumbered(lines: list[Line]) -> int:
    _swapped(lines)
    entry(lines, 10)["seq"], entry(lines, 9)["seq"] = 9, 0
    entry(lines, 0)["seq"] = 10
    return 9


def _twice(lines: list[Line]) -> int:
    lines.insert(lines.index(entry(lines, 9)), dict(entry(lines, 9)))
    return 10


def _cut_off(lines: list[Line]) -> int:
    last = lines[0]["last_seq"]
    lines.remove(entry(lines, last))
    return int(last) - 1


@pytest.mark.parametrize(
    "change",
    [
        _verdict,
        _note,
        _who,
        _when,
        _hash,
        _seal,
        _dropped,
        _swapped,
        _renumbered,
        _twice,
        _cut_off,
    ],
)
def test_a_changed_log_is_found_where_it_was_changed(
    change: Callable[[list[Line]], int], world: World, team: Team
) -> None:
    lines = exported(world, team)
    at = change(lines)

    difference = checked(lines).difference

    assert difference is not None
    assert difference.seq == at
    assert f"entry {at}" in str(difference)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "excluded"),
        ("n_decisions", 1),
        ("resolution", "00000000-0000-4000-8000-000000000000"),
        ("votes", {}),
    ],
)
def test_a_changed_status_is_found(field: str, value: Any, world: World, team: Team) -> None:
    lines = exported(world, team)
    status(lines, 1)[field] = value

    difference = checked(lines).difference

    assert difference is not None
    assert difference.at == At(TA, "1")


def test_changed_reasons_of_a_vote_are_found(world: World, team: Team) -> None:
    lines = exported(world, team)
    votes = status(lines, 2)["votes"]
    votes[str(team.ben.id)]["reasons"] = ["design"]

    difference = checked(lines).difference

    assert difference is not None
    assert difference.at == At(TA, "2")


@pytest.mark.parametrize("record", [1, 2, 3, 4, 6])
def test_a_missing_status_is_found(record: int, world: World, team: Team) -> None:
    lines = exported(world, team)
    lines.remove(status(lines, record))

    difference = checked(lines).difference

    assert difference is not None
    assert difference.at == At(TA, str(record))


@pytest.mark.parametrize("kind", ["conflict", "member", "linked"])
def test_a_missing_or_changed_line_of_any_kind_is_found(
    kind: str, world: World, team: Team
) -> None:
    lines = exported(world, team)
    line = next(line for line in lines if kind in line)
    field = {"conflict": "kind", "member": "role", "linked": "to"}[kind]
    without = [one for one in lines if one is not line]
    changed = [one | {field: "6"} if one is line else one for one in lines]
    twice = [copy for one in lines for copy in ([one, one] if one is line else [one])]

    for some in (without, changed, twice):
        assert not checked(some).ok


def test_every_changed_figure_is_found(world: World, team: Team) -> None:
    lines = exported(world, team)
    text_before, n = json.dumps(lines[-1]), 0
    for name, part in lines[-1]["figures"].items():
        keys = part if isinstance(part, dict) else range(len(part))
        for key in keys:
            changed = json.loads(text_before)
            value = changed["figures"][name][key]
            if isinstance(value, dict):
                value[next(iter(value))] = "odd"
            else:
                changed["figures"][name][key] = value + 1
            assert not checked([*lines[:-1], changed]).ok, (name, key)
            n += 1
    assert n == checked(lines).n_figures


def test_a_file_that_is_cut_off_does_not_hold(world: World, team: Team) -> None:
    lines = exported(world, team)

    assert all(not checked(lines[:n]).ok for n in range(1, len(lines)))
    assert not checked([*lines, lines[-1]]).ok


def test_a_forged_chain_still_has_to_make_sense(world: World, team: Team) -> None:
    """A forger who rewrites the whole chain has to change everything that follows, too."""
    lines = exported(world, team)
    line = decision(lines, 1, 1)
    line["detail"]["verdict"] = "exclude"

    difference = checked(chained(lines)).difference

    assert difference is not None
    assert difference.at == At(TA, "1")
    assert difference.seq is not None
    assert line["seq"] <= difference.seq <= line["seq"] + 1
    assert (difference.says, difference.follows) == (
        "that it is included",
        "its votes make it in conflict",
    )


def test_a_rewritten_history_lacks_the_hash_that_was_noted(world: World, team: Team) -> None:
    lines = exported(world, team)
    noted = lines[0]["last_hash"]
    earlier = entry(lines, 9)["hash"]
    assert checked(lines, expected_hash=noted).ok
    assert checked(lines, expected_hash=earlier).ok

    line = decision(lines, 5, 0)
    line["detail"]["note"] = "Nobody has noticed."
    assert not checked(chained(lines)).ok
    entered = digests.ledger_entry(line["data"], line["detail"])
    ledger(lines, 5)["digest"] = digests.add(digests.NOTHING, entered).hex()
    forged = chained(lines)

    assert checked(forged).ok, "the tables were changed as well, and nothing follows from a note"
    assert not checked(forged, expected_hash=noted).ok
    assert checked(forged, expected_hash=earlier).ok, "it is later than that"


@pytest.mark.parametrize(
    ("statement", "record"),
    [
        ("UPDATE decision SET verdict = 'exclude' WHERE record_number = 1", "1"),
        ("UPDATE decision SET reasons = '[]' WHERE record_number = 2", "2"),
        ("UPDATE screened_record SET status = 'excluded' WHERE record_number = 1", "1"),
        ("UPDATE screened_record SET resolution_id = NULL WHERE record_number = 3", "3"),
        ("DELETE FROM present_decision WHERE record_number = 4", "4"),
        ("UPDATE conflict SET kind = 'maybe' WHERE record_number = 2", "2"),
        ("UPDATE record SET duplicate_of = 6 WHERE number = 5", "5"),
    ],
)
def test_tables_changed_behind_the_log_are_found(
    statement: str, record: str, world: World, team: Team
) -> None:
    execute(world.database.engine, statement)

    difference = checked(exported(world, team)).difference

    assert difference is not None
    assert difference.at == At(TA, record)


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE event SET detail = \'{"tx": "x"}\' WHERE seq = 9',
        "UPDATE event SET subject = '7' WHERE seq = 9",
        "UPDATE event SET salt = '' WHERE seq = 9",
        "UPDATE event SET hash = '' WHERE seq = 9",
        "DELETE FROM event WHERE seq = 9",
    ],
)
def test_a_log_changed_in_the_database_is_found(statement: str, world: World, team: Team) -> None:
    execute(world.database.engine, statement)

    difference = checked(exported(world, team)).difference

    assert difference is not None
    assert difference.seq == 9


@pytest.mark.both_engines
def test_seconds_of_any_size_come_back_as_they_were_hashed(world: World, team: Team) -> None:
    for number, seconds in enumerate((0.0, -0.0, 5e-324, 1e-7, 0.1, 1e6, 123456.789), start=1):
        if number != 5:  # it is linked
            world.decide(team.review_id, team.eve, number, "exclude", seconds=seconds)

    assert checked(exported(world, team)).difference is None


def test_the_agreement_is_the_one_that_is_shown(world: World, team: Team) -> None:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        shown = agreement(session, viewer=viewer, stage=TA, on=AgreementOn.ALL)
    rows = exported(world, team)[-1]["figures"]["agreement"]

    overall = shown.overall.figures
    assert [rows[0][cell] for cell in "abcd"] == [overall.a, overall.b, overall.c, overall.d]
    assert rows[0]["kappa"] == pytest.approx(overall.kappa.value)
    pairs = {(str(p.first.user_id), str(p.second.user_id)): p.compared.figures for p in shown.pairs}
    assert {tuple(line["reviewers"]) for line in rows[1:]} == set(pairs)
    for line in rows[1:]:
        pair = pairs[tuple(line["reviewers"])]
        assert [line[cell] for cell in "abcd"] == [pair.a, pair.b, pair.c, pair.d]


def test_only_owners_get_it(world: World, team: Team) -> None:
    for who in (team.ann, team.judge, team.observer):
        with pytest.raises(Forbidden):
            exported(world, team, who)


@pytest.mark.parametrize("sees", ["nothing", "anonymous"])
def test_what_the_policy_hides_is_sealed(sees: str, world: World, team: Team) -> None:
    open_before = exported(world, team)
    world.decide(team.review_id, team.owner, 7, "include")
    world.change_policy(team.review_id, team.owner, adjudicator_sees=sees)

    lines = exported(world, team)
    found = checked(lines)

    assert found.difference is None
    sealed = [line for line in lines if "seq" in line and line["detail"] is None]
    about = {line["data"]["record_id"] for line in sealed}
    # Still open, or linked and so without a status: 2, 5, 6 and 7.
    assert about == {"2", "5", "6", "7"}
    assert found.n_sealed == len(sealed)
    assert all(line["salt"] is None and len(line["seal"]) == 64 for line in sealed)
    assert all(line["data"].get("reviewer_id") != str(team.owner.id) for line in sealed)
    assert status(lines, 2)["votes"] is None
    assert status(lines, 1)["votes"] is not None
    hashes = {line["seq"]: line["hash"] for line in open_before if "seq" in line}
    assert all(entry(lines, seq)["hash"] == hash for seq, hash in hashes.items())
    # Its verdicts are nowhere in the file.
    hidden = decision(open_before, 2, 1)["detail"]["reasons"]
    assert hidden == ["population"]
    assert not [one for one in lines if str(one.get("record")) == "2" and "population" in str(one)]


def test_what_a_policy_does_to_a_record_of_ones_own_holds_though_it_is_sealed(world: World) -> None:
    team = world.team(policy={"single_include_advances": True})
    world.decide(team.review_id, team.owner, 2, "include")
    world.change_policy(team.review_id, team.owner, single_include_advances=False)
    world.change_policy(team.review_id, team.owner, adjudicator_sees="anonymous")

    lines = exported(world, team)

    assert checked(lines).difference is None
    sealed = [line["type"] for line in lines if "seq" in line and line["detail"] is None]
    assert sealed == ["tandem.record.included", "tandem.record.reopened"]


def test_a_sealed_trail_is_found_out_as_well(world: World, team: Team) -> None:
    world.change_policy(team.review_id, team.owner, adjudicator_sees="nothing")
    lines = exported(world, team)
    status(lines, 2)["status"] = "awaiting"
    assert checked(lines).difference is not None

    lines = exported(world, team)
    decision(lines, 2, 1)["seal"] = "1" * 64
    difference = checked(lines).difference
    assert difference is not None
    assert difference.seq == decision(lines, 2, 1)["seq"]


def test_what_is_no_trail_is_refused() -> None:
    for lines in ([], ["TY  - JOUR"], ['{"id": "17"}'], ["[]"], ['{"trail": 99}']):
        with pytest.raises(NotATrail):
            check(lines)


@pytest.mark.parametrize("line", ["{", "[]", "17", "{}", '{"seq": "x"}', '{"seq": 1, "id": 2}'])
def test_a_line_that_cannot_be_read_is_a_difference(line: str, world: World, team: Team) -> None:
    lines = [json.dumps(one) for one in exported(world, team)]
    for at in (1, 9, len(lines) - 1):
        assert not check([*lines[:at], line, *lines[at:]]).ok
