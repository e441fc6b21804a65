"""`tandem verify` finds what was changed behind the log's back: sources, removals, studies."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from prepared import Prepared
from tandem.audit import trail, verify
from tandem.audit.checked import Checked
from tandem.ids import RecordNumber
from tandem.records import waves
from tandem.records.imports import Found
from tandem.records.models import Import, Removal, Wave, WaveKind
from tandem.records.origin import FoundBy
from tandem.reports.models import Study, StudyReport
from tandem.reports.retrieval import append_retrieval
from tandem.screening.full_text.models import Retrieval, RetrievalState
from tandem.studies import service as studies
from world import Team, World


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Three records from Scopus and one cited; 3 is removed, 1 and 2 are one study."""
    team = world.team(n_records=0)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        waves.open_next(session, review, label="2027", kind=WaveKind.UPDATE, by=viewer.user_id)
    first = Found(FoundBy.DATABASE, wave=1)
    world.records(team.review_id, team.owner, 3, found=first, source="Scopus")
    world.records(team.review_id, team.owner, 1, found=Found(FoundBy.CITATION))
    for number in (1, 2):
        for person in (team.ann, team.ben):
            world.decide(team.review_id, person, number, "include")
    world.remove(team.review_id, team.owner, 3)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        append_retrieval(
            session,
            review=review,
            viewer=viewer,
            number=RecordNumber(1),
            state=RetrievalState.RETRIEVED,
        )
        both = [RecordNumber(1), RecordNumber(2)]
        study = studies.create(session, review, viewer, numbers=both, label="Okafor 2012")
        studies.sample(session, review, viewer, study, sampled=False, note="Thin")
    return team


def lines_of(world: World, team: Team) -> list[str]:
    return [*trail.lines(world.database, review_id=team.review_id, user_id=team.owner.id)]


def checked(world: World, team: Team) -> Checked:
    return verify.check(lines_of(world, team))


def test_an_untouched_review_verifies_every_box(world: World, team: Team) -> None:
    found = checked(world, team)

    assert found.difference is None
    assert found.n_boxes > 40
    assert found.n_sources_open == 0


TAMPERED: dict[str, Callable[[Session], object]] = {
    "found_by": lambda s: s.execute(update(Import).values(found_by=FoundBy.WEBSITE)),
    "source": lambda s: s.execute(update(Import).values(source="Medline")),
    "wave 2": lambda s: s.execute(update(Wave).values(label="2028")),
    "removal 3": lambda s: s.execute(update(Removal).values(reason="Duplicate")),
    "box excluded_other": lambda s: s.execute(delete(Removal)),
    "label of study": lambda s: s.execute(update(Study).values(label="Smith 2013")),
    "sampled of study": lambda s: s.execute(update(Study).values(sampled=True)),
    "numbers of study": lambda s: s.execute(
        delete(StudyReport).where(StudyReport.record_number == 2)
    ),
    "nothing of study": lambda s: s.execute(delete(Study)),
    "of its retrieval": lambda s: s.execute(update(Retrieval).values(state="not_retrieved")),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_it_finds_what_was_changed(what: str, world: World, team: Team) -> None:
    with world.database.write.begin() as session:
        TAMPERED[what](session)

    difference = checked(world, team).difference

    assert difference is not None
    assert what in difference.says


def test_it_finds_a_number_that_was_changed_in_the_file(world: World, team: Team) -> None:
    lines = lines_of(world, team)
    (place,) = [at for at, line in enumerate(lines) if line.startswith('{"flow"')]
    last_line = json.loads(lines[place])
    last_line["flow"]["duplicates"]["n"] += 1
    forged = [*lines[:place], json.dumps(last_line) + "\n", *lines[place + 1 :]]

    assert (found := verify.check(forged).difference) is not None
    assert "box duplicates" in found.says
    missing = verify.check([*lines[:place], *lines[place + 1 :]]).difference
    assert missing is not None
    assert "nothing of flow" in missing.says


def test_what_an_older_log_does_not_tell_is_not_compared_and_it_says_so(world: World) -> None:
    team = world.team(n_records=3)  # added without an entry in the log

    found = checked(world, team)

    assert found.difference is None
    assert found.n_sources_open == 3
