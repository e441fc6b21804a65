"""The trail of a review with audits: its evidence is computed again, and a change is found."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from prepared import Prepared
from service.api.test_stopping_http import ASKED, N_READ, N, Screening, head_of_a_ranking_read
from tandem.audit import trail
from tandem.audit.checked import Checked
from tandem.audit.verify import check
from tandem.installation.backup.checking import check_reviews
from tandem.operations import lifecycle
from tandem.progress import no_progress
from tandem.stopping import states
from world import World

Line = dict[str, Any]


@pytest.fixture
def screening(world: World, client: TestClient, prepared: Prepared) -> Screening:
    return Screening(world, client, prepared(head_of_a_ranking_read, world))


def exported(screening: Screening) -> list[Line]:
    team = screening.team
    found = trail.lines(screening.world.database, review_id=team.review_id, user_id=team.owner.id)
    return [json.loads(line) for line in found]


def checked(lines: list[Line]) -> Checked:
    return check(json.dumps(line) for line in lines)


LATER = ("audit", "file", "retrieval", "report", "import_of", "removal", "opened", "study", "flow")
"""Lines of later versions of the trail."""


def test_its_evidence_follows_from_the_log_whatever_happened_meanwhile(
    screening: Screening,
) -> None:
    before = screening.register()
    screening.open(before)
    screening.read_draws(3)
    audit = screening.send("POST", f"/audits/{before['id']}/reframe", status=201)
    (found,) = screening.read_draws(1, "include")
    screening.send("PATCH", f"/audits/{audit['id']}", {"target_recall": 0.85})
    read = [*range(1, N_READ + 1), *drawn(screening, before), *drawn(screening, audit)]
    unread = [number for number in range(1, N + 1) if number not in read]
    screening.both(unread[-1], "include")  # out of turn
    screening.both(found, "exclude")  # a correction
    screening.world.merge(screening.team.review_id, screening.team.owner, 1, 2)
    screening.world.decide(screening.team.review_id, screening.team.ann, unread[-2], "include")

    made = checked(exported(screening))
    assert made.difference is None, made.difference
    assert made.n_audits == 2


def test_audits_that_replace_each_other_at_once_stand_in_their_order(screening: Screening) -> None:
    audit = screening.register()
    begun = [audit["id"]]
    for _ in range(4):  # no decision comes between them, and their ids are random
        audit = screening.send("POST", f"/audits/{audit['id']}/reframe", status=201)
        begun.append(audit["id"])
    lines = exported(screening)
    assert [line["audit"] for line in lines if "audit" in line] == begun
    assert checked(lines).difference is None


def drawn(screening: Screening, audit: Line) -> list[int]:
    return [int(one["record_id"]) for one in screening.get(f"/audits/{audit['id']}/draws")["items"]]


def certified(screening: Screening) -> list[Line]:
    audit, _ = enough(screening)
    screening.send("PATCH", f"/audits/{audit['id']}", {"state": "abandoned"})
    return exported(screening)


def enough(screening: Screening) -> tuple[Line, list[int]]:
    """Have the draws read that suffice for a certificate; nobody has looked."""
    cost = screening.send("POST", "/audits?dry_run=true", ASKED)["cost"][0]
    audit = screening.register()
    screening.open(audit)
    return audit, screening.read_draws(cost["draws_if_none_found"])


def test_what_somebody_changed_in_an_audit_is_found(screening: Screening) -> None:
    lines = certified(screening)
    assert checked(lines).ok
    at = next(n for n, line in enumerate(lines) if "audit" in line)

    def change(line: Line, *, of: str, to: Any) -> None:
        line[of] = to

    def swap(line: Line) -> None:
        draws = line["draws"]
        draws[0][0], draws[1][0] = draws[1][0], draws[0][0]

    def claim(line: Line) -> None:
        line["evidence"]["log_e"] += 0.1

    def leave_out(line: Line) -> None:
        line["draws"].pop(2)

    changes: list[Callable[[Line], None]] = [
        lambda line: change(line, of="target_recall", to="0.95"),
        lambda line: change(line, of="carried", to=1.0),
        lambda line: change(line, of="seed", to="00" * 32),
        lambda line: change(line, of="certificates", to=[]),
        lambda line: change(line["certificates"][0], of="pool", to=0),
        lambda line: change(line["certificates"][0], of="recall_low", to=0.99),
        lambda line: line["certificates"][0]["outside_frame"].update(settled=5),
        swap,
        claim,
        leave_out,
    ]
    for made in changes:
        changed = json.loads(json.dumps(lines))
        made(changed[at])
        assert checked(changed).difference is not None, made
    del lines[at]
    assert checked(lines).difference is not None


def test_a_trail_of_the_version_before_has_no_audits(screening: Screening) -> None:
    lines = certified(screening)
    lines[0]["trail"] = 2
    made = checked([line for line in lines if not {*line} & {*LATER}])
    assert made.difference is None, made.difference


def test_an_audit_that_is_ended_before_anybody_looked_is_certified_all_the_same(
    screening: Screening,
) -> None:
    audit = next(line for line in certified(screening) if "audit" in line)
    assert [one["withdrawn_at"] for one in audit["certificates"]] == [None]
    assert screening.get(f"/audits/{audit['audit']}")["state"] == "certified"


def test_a_correction_right_after_the_look_at_the_audits_leaves_no_wrong_certificate(
    screening: Screening, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, read = enough(screening)
    look = states.follow_all

    def look_and_correct(*given: Any) -> None:
        look(*given)
        if read:
            screening.both(read.pop(), "include")

    monkeypatch.setattr(states, "follow_all", look_and_correct)
    read = read[:1]
    made = check(screening.get("/export?format=trail").splitlines())
    assert (made.difference, read) == (None, [])


def test_reviews_that_are_restored_hold_whether_or_not_anybody_has_looked_at_their_audits(
    screening: Screening,
) -> None:
    audit, read = enough(screening)
    assert screening.get(f"/audits/{audit['id']}")["state"] == "certified"
    screening.both(read[0], "include")
    assert [one.difference for one in check_reviews(screening.world.database, no_progress)] == [
        None
    ]


def test_a_deleted_review_of_which_something_is_left_is_none_whose_trail_does_not_hold(
    world: World,
) -> None:
    kept, team = world.team(n_records=1), world.team(n_records=1)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        lifecycle.delete_review(session, review, viewer, title=review.title)
    (found,) = check_reviews(world.database, no_progress)
    assert (found.review_id, found.difference) == (kept.review_id, None)
