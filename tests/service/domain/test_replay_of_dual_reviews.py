"""Real reviewers' votes, judged under every policy, against a recount that knows no Tandem."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import effort
from dual_data import read_dual
from service.domain.tables import assert_in_step, conflicts
from tandem.db.session import Database
from tandem.ids import RecordNumber
from tandem.screening import decisions
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.models import ConflictState, ScreenedRecord
from tandem.screening.rules import Verdict
from world import TA, Person, Team, World

DUAL = Path(__file__).parents[3].parent / "shared/data/dual"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DUAL.is_dir(), reason="no shared/data/dual beside the checkout"),
]

REASONS = ("wrong population", "wrong design", "no study")
"""The files say nothing of reasons; who excludes is given one, the same each time."""


class Given(NamedTuple):
    verdict: str
    reason: str | None


Ballot = tuple[Given, ...]


def ballots(name: str, *, every: int) -> list[Ballot]:
    """Return the votes on every n-th record of a file: of two reviewers, and of a third if any."""
    read = []
    for line, row in enumerate(islice(read_dual(DUAL / name).rows, 0, None, every)):
        columns = [f"reviewer_{i}" for i in (1, 2, 3)]
        said = [row.texts[column].lower() for column in columns if row.texts.get(column)]
        read.append(
            tuple(
                Given(
                    verdict,
                    REASONS[(line + 7 * i) % 3 if i else 0] if verdict == "exclude" else None,
                )
                for i, verdict in enumerate(said)
            )
        )
    return read


def every_policy() -> Iterator[dict[str, Any]]:
    for n, maybe, match, resolution, single in product(
        (1, 2, 3),
        ("as_include", "conflict"),
        (False, True),
        ("adjudicator", "consensus", "majority"),
        (False, True),
    ):
        yield {
            "reviewers_per_record": n,
            "maybe": maybe,
            "reasons_must_match": match,
            "resolution": resolution,
            "single_include_advances": single,
        }


def recounted(policy: dict[str, Any], ballot: Ballot) -> str:
    """Say what a record must be, and what its votes differ in: by the contract's words alone."""
    said = [one.verdict for one in ballot]
    if policy["maybe"] == "as_include":
        said = [verdict.replace("maybe", "include") for verdict in said]
    for_it, against = said.count("include"), said.count("exclude")
    if policy["single_include_advances"] and for_it:
        return "included"
    if len(said) < policy["reviewers_per_record"]:
        return "awaiting"
    outvoted = policy["resolution"] == "majority"
    if for_it == len(said) or (outvoted and for_it > len(said) / 2):
        return "included"
    if against == len(said) or (outvoted and against > len(said) / 2):
        n_reasons = len({one.reason for one in ballot if one.verdict == "exclude"})
        return "reason" if policy["reasons_must_match"] and n_reasons > 1 else "excluded"
    return "maybe" if "maybe" in said else "verdict"


def enter(world: World, team: Team, given: Sequence[Ballot]) -> None:
    """Let Ann, Ben and Eve vote, each on the whole file."""
    people: list[Person] = [team.ann, team.ben, team.eve]
    for i, person in enumerate(people):
        with world.entered(team.review_id, person) as (session, review, viewer):
            for number, ballot in enumerate(given, start=1):
                if i >= len(ballot):
                    continue
                verdict, reason = ballot[i]
                said = DecisionInput(Verdict(verdict), reasons=[reason] if reason else [])
                decisions.record_decision(
                    session,
                    review=review,
                    viewer=viewer,
                    record_number=RecordNumber(number),
                    stage=TA,
                    given=said,
                )


def stored(database: Database, team: Team) -> list[str]:
    """Return each record's status, or what its open conflict is about."""
    with database.read() as session:
        rows = session.scalars(
            select(ScreenedRecord)
            .where(ScreenedRecord.review_id == team.review_id)
            .order_by(ScreenedRecord.record_number)
        ).all()
    kinds = {
        row.record_number: row.kind.value
        for row in conflicts(database, team.review_id)
        if row.state is ConflictState.OPEN
    }
    assert {row.record_number for row in rows if row.status == "conflict"} == kinds.keys()
    return [kinds.get(row.record_number, row.status.value) for row in rows]


@pytest.mark.parametrize(
    ("file", "every", "n_differing"),
    [
        ("covid_misinformation.csv.gz", 1, 132),
        # Every fifth record: the whole of it takes a minute and tells no more.
        pytest.param("friends_2023.csv.gz", 5, None, marks=pytest.mark.soak),
    ],
)
def test_every_policy_makes_of_real_votes_what_a_recount_makes(
    world: World, database: Database, file: str, every: int, n_differing: int | None
) -> None:
    given = ballots(file, every=every)
    if n_differing is not None:
        assert sum(len({one.verdict for one in ballot[:2]}) > 1 for ballot in given) == n_differing
    first, *others = effort.part(list(every_policy()))
    team = world.team(n_records=len(given), policy=first)
    enter(world, team, given)
    before = [recounted(first, ballot) for ballot in given]
    assert stored(database, team) == before

    met = Counter(before)
    for policy in others:
        after = [recounted(policy, ballot) for ballot in given]
        (effect,) = world.change_policy(team.review_id, team.owner, **policy)
        there = stored(database, team)
        assert Counter(there) == Counter(after), policy
        assert there == after, policy
        opened, closed = both(before, after)
        assert [int(number) for number in effect.conflicts_opened] == opened
        assert [int(number) for number in effect.conflicts_closed] == closed
        met.update(after)
        before = after

    assert met.keys() >= {"awaiting", "included", "excluded", "verdict", "reason"}
    assert_in_step(database, team.review_id)


DIFFERING = {"verdict", "reason", "maybe"}


def both(before: Sequence[str], after: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the records that came into conflict, and those whose conflict ended."""
    pairs = list(enumerate(zip(before, after, strict=True), start=1))
    opened = [n for n, (was, now) in pairs if now in DIFFERING and was not in DIFFERING]
    closed = [n for n, (was, now) in pairs if was in DIFFERING and now not in DIFFERING]
    return opened, closed
