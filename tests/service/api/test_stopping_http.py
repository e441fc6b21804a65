"""Audits over HTTP: registered, drawn, certified, and withdrawn where labels change."""

import hashlib
import math
from fractions import Fraction
from typing import Any

import pytest
from fastapi.testclient import TestClient

from prepared import Prepared
from service.api.scene import API
from tandem.audit.verify import check
from tandem.reviews.policy import Stage
from tandem.stopping import random_order
from tandem.stopping.certificate import RunningEvidence, bad_total
from world import Person, Team, World

N, N_INCLUDED, N_READ = 44, 8, 20
TARGET, CONFIDENCE = 0.8, 0.8
ASKED = {"stage": "title_abstract", "target_recall": TARGET, "confidence": CONFIDENCE}


def both(world: World, team: Team, number: int, verdict: str) -> None:
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, number, verdict)


def head_of_a_ranking_read(world: World) -> Team:
    team = world.team(n_records=N)
    for number in range(1, N_READ + 1):
        both(world, team, number, "include" if number <= N_INCLUDED else "exclude")
    world.rank(team.review_id, *range(1, N + 1))
    return team


class Screening:
    """A team that has read the head of a ranking, and goes on over HTTP."""

    def __init__(self, world: World, client: TestClient, team: Team) -> None:
        self.world, self.client, self.team = world, client, team
        self.url = f"{API}/reviews/{team.review_id}"

    def both(self, number: int, verdict: str) -> None:
        both(self.world, self.team, number, verdict)

    def get(self, path: str, who: Person | None = None, status: int = 200) -> Any:
        answer = self.client.get(self.url + path, headers=(who or self.team.owner).auth)
        assert answer.status_code == status, answer.text
        return (
            answer.json() if answer.headers["content-type"] == "application/json" else answer.text
        )

    def send(
        self, method: str, path: str, body: Any = None, who: Person | None = None, status: int = 200
    ) -> Any:
        answer = self.client.request(
            method, self.url + path, json=body, headers=(who or self.team.owner).auth
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def register(self, **more: Any) -> dict[str, Any]:
        audit: dict[str, Any] = self.send("POST", "/audits", ASKED | more, status=201)
        return audit

    def open(self, audit: dict[str, Any]) -> None:
        self.send("PATCH", f"/audits/{audit['id']}", {"serving": "draws_only"})

    def served(self, who: Person, limit: int = 1) -> list[int]:
        queue = self.send("POST", "/queue", {"limit": limit}, who)
        return [int(item["record"]["id"]) for item in queue["items"]]

    def decide(self, who: Person, number: int, verdict: str) -> None:
        self.send("PUT", f"/records/{number}/decision", {"verdict": verdict}, who)

    def read_draws(self, n: int, verdict: str = "exclude") -> list[int]:
        """Let both read so many draws; return them in order."""
        read = []
        for _ in range(n):
            (number,) = self.served(self.team.ann)
            self.decide(self.team.ann, number, verdict)
            assert self.served(self.team.ben) == [number]  # half-done ones come first
            self.decide(self.team.ben, number, verdict)
            read.append(number)
        return read


@pytest.fixture
def screening(world: World, client: TestClient, prepared: Prepared) -> Screening:
    return Screening(world, client, prepared(head_of_a_ranking_read, world))


def needed(found: int, pool: int) -> int:
    evidence = RunningEvidence(Fraction("0.8"), Fraction("0.8"))
    n = 0
    while not evidence.is_certified(found=found, pool=pool - n):
        evidence.draw(pool=pool - n, found=found, is_include=False)
        n += 1
    return n


def test_an_audit_without_a_find_is_certified_after_the_draws_that_were_announced(
    screening: Screening,
) -> None:
    cost = screening.send("POST", "/audits?dry_run=true", ASKED)["cost"][0]
    assert cost["draws_if_none_found"] == needed(N_INCLUDED, N - N_READ)
    assert screening.get("/audits")["items"] == []

    audit = screening.register()
    assert (audit["state"], audit["n_draws"], audit["e"]) == ("registered", 0, 1.0)
    assert (audit["found"], audit["pool"]) == (N_INCLUDED, N - N_READ)
    assert audit["bad_total"] == bad_total(N_INCLUDED, Fraction("0.8"))
    assert audit["draws_to_go_if_none"] == cost["draws_if_none_found"]
    assert audit["seed_revealed"] is None
    screening.open(audit)

    read = screening.read_draws(cost["draws_if_none_found"] - 1)
    almost = screening.get(f"/audits/{audit['id']}")
    assert (almost["state"], almost["n_draws"]) == ("open", len(read))
    assert almost["e"] < almost["e_needed"] == pytest.approx(5)
    screening.get(f"/audits/{audit['id']}/certificate", status=404)

    read += screening.read_draws(1)
    done = screening.get(f"/audits/{audit['id']}")
    assert (done["state"], done["n_draws"], done["n_draw_includes"]) == ("certified", len(read), 0)
    assert done["e"] >= done["e_needed"]

    assert done["seed_revealed"] is None, "a correction may make more draws necessary"
    ended = screening.send("PATCH", f"/audits/{audit['id']}", {"state": "abandoned"})
    assert ended["state"] == "certified"
    seed = bytes.fromhex(ended["seed_revealed"])
    order = random_order.order(seed, Stage.TITLE_ABSTRACT, N).tolist()
    assert read == [number for number in order if number > N_READ][: len(read)]
    text = f"{seed.hex()}/title_abstract/{N}"
    assert audit["frame"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()

    certificate = screening.get(f"/audits/{audit['id']}/certificate.json")
    assert certificate["n_draws"] == len(read)
    assert "80%" in certificate["text"]
    assert "nothing of records that both reviewers would misjudge" in certificate["text"]
    assert certificate["frame"]["sha256"] in certificate["methods"]
    assert screening.get(f"/audits/{audit['id']}/certificate.md") == certificate["text"]


def test_every_draw_tells_what_it_was_a_bet_on(screening: Screening) -> None:
    audit = screening.register()
    screening.open(audit)
    screening.read_draws(2)
    screening.read_draws(1, "include")
    screening.read_draws(1)

    draws = screening.get(f"/audits/{audit['id']}/draws")["items"]
    assert [draw["pool"] for draw in draws] == [24, 23, 22, 21]
    assert [draw["found_before"] for draw in draws] == [8, 8, 8, 9]
    assert [draw["outcome"] for draw in draws] == ["exclude", "exclude", "include", "exclude"]
    found = screening.get(f"/audits/{audit['id']}/draws?outcome=include")["items"]
    assert found == [draws[2]]
    total = bad_total(9, Fraction("0.8"))
    factors = [
        Fraction(24, 21),
        Fraction(23, 20),
        Fraction(22, 19) * Fraction(total - 11, total - 8),
        Fraction(21, 18),
    ]
    assert [draw["factor"] for draw in draws] == pytest.approx([float(one) for one in factors])
    shown = screening.get(f"/audits/{audit['id']}")
    assert shown["e"] == pytest.approx(float(math.prod(factors)))
    first = screening.get(f"/audits/{audit['id']}/draws?limit=3")
    rest = screening.get(f"/audits/{audit['id']}/draws?limit=3&cursor={first['next_cursor']}")
    assert [*first["items"], *rest["items"]] == draws


def test_what_waits_counts_at_its_worst_and_blocks(screening: Screening) -> None:
    audit = screening.register()
    screening.open(audit)
    n = needed(N_INCLUDED, N - N_READ)
    screening.read_draws(n - 1)
    (last,) = screening.served(screening.team.ann)
    undecided = screening.get(f"/audits/{audit['id']}")
    assert (undecided["n_draws"], undecided["n_pending"]) == (n, 1)
    assert undecided["e_provisional"]
    assert undecided["e"] < screening.get(f"/audits/{audit['id']}/draws")["items"][-2]["e"]

    screening.decide(screening.team.ann, last, "exclude")
    screening.served(screening.team.ben)
    screening.decide(screening.team.ben, last, "include")
    panel = screening.get("/stopping")
    assert panel["blocking"] == [{"kind": "conflict", "n": 1}]
    assert panel["audit"]["state"] == "open"

    screening.world.resolve(screening.team.review_id, screening.team.judge, last, "exclude")
    assert screening.get("/stopping")["audit"]["state"] == "certified"


def test_a_certificate_that_no_longer_holds_is_withdrawn_and_never_changed(
    screening: Screening,
) -> None:
    audit = screening.register()
    screening.open(audit)
    read = screening.read_draws(needed(N_INCLUDED, N - N_READ))
    given = screening.get(f"/audits/{audit['id']}/certificate")

    screening.world.records(screening.team.review_id, screening.team.owner, 20)
    screening.send("PATCH", f"/audits/{audit['id']}", {"target_recall": 0.95})
    kept = screening.get(f"/audits/{audit['id']}/certificate")
    assert kept["withdrawn_at"] is None, "it is of its own target, and of the frame as it was"

    for person in (screening.team.ann, screening.team.ben):
        screening.decide(person, read[0], "include")

    after = screening.get(f"/audits/{audit['id']}")
    assert after["state"] == "withdrawn"
    now = screening.get(f"/audits/{audit['id']}/certificate")
    same = set(given) - {"withdrawn_at", "withdrawn_because", "text"}
    assert {key: now[key] for key in same} == {key: given[key] for key in same}
    assert "is needed" in now["withdrawn_because"]
    events = screening.get("/events?limit=500")["items"]
    kinds = [event["type"] for event in events if "audit" in event["type"]]
    assert kinds == ["tandem.audit.started", "tandem.audit.finished"]


def test_a_higher_target_is_certified_when_it_is_shown_and_not_before(
    screening: Screening,
) -> None:
    audit = screening.register()
    screening.open(audit)
    read = screening.read_draws(needed(N_INCLUDED, N - N_READ))

    def now() -> tuple[str, str]:
        found = screening.get(f"/audits/{audit['id']}")
        return found["state"], found["sentences"][0]

    state, sentence = now()
    assert (state, "recall at least 80%" in sentence) == ("certified", True)
    screening.send("PATCH", f"/audits/{audit['id']}", {"target_recall": 0.85})
    state, sentence = now()
    assert (state, "for a recall of 80% holds on" in sentence) == ("open", True)
    assert screening.get(f"/audits/{audit['id']}/certificate")["target_recall"] == 0.8
    assert screening.get(f"/audits/{audit['id']}")["certified_recall"] == 0.8

    while now()[0] == "open":
        read += screening.read_draws(1)
    state, sentence = now()
    assert (state, "recall at least 85%" in sentence) == ("certified", True)
    given = screening.get(f"/audits/{audit['id']}/certificate")
    assert (given["target_recall"], given["n_draws"]) == (0.85, len(read))
    screening.send("PATCH", f"/audits/{audit['id']}", {"target_recall": 0.8})
    assert "recall at least 85%" in now()[1], "that is more than is aimed at now"

    for number in read[needed(N_INCLUDED, N - N_READ) :]:
        screening.both(number, "include")
        assert now()[0] == "certified"
    left = screening.get(f"/audits/{audit['id']}/certificate")
    assert (left["target_recall"], left["withdrawn_at"]) == (0.8, None), "these draws came later"
    screening.both(read[0], "include")
    assert now()[0] == "withdrawn"
    assert check(screening.get("/export?format=trail").splitlines()).difference is None


def test_flow_and_list_of_audits_go_by_certificates_that_hold_whether_or_not_anybody_looked(
    screening: Screening,
) -> None:
    def left_unread() -> tuple[int, list[str]]:
        box = screening.get("/prisma")["boxes"]["excluded_automatic"]
        states = [one["state"] for one in screening.get("/audits")["items"]]
        assert screening.get("/prisma/boxes/excluded_automatic")["n"] == box["n"]
        return box["n"], states

    audit = screening.register()
    screening.open(audit)
    read = screening.read_draws(needed(N_INCLUDED, N - N_READ))
    assert left_unread() == (N - N_READ - len(read), ["certified"])
    screening.both(read[0], "include")
    assert left_unread() == (0, ["withdrawn"])


def test_rules_that_change_after_the_first_draw_are_named_in_the_certificate(
    screening: Screening,
) -> None:
    cost = screening.send("POST", "/audits?dry_run=true", ASKED)["cost"][0]
    audit = screening.register()
    screening.send("PATCH", "", {"question": "Does sleep help?"})
    screening.send("PATCH", "", {"policy": {"title_abstract": {"reasons_must_match": True}}})
    screening.open(audit)
    screening.read_draws(2)
    screening.send("PATCH", "?dry_run=true", {"policy": {"title_abstract": {"blind": False}}})
    screening.send("PATCH", "", {"policy": {"title_abstract": {"reasons_must_match": False}}})
    screening.send("PATCH", "", {"criteria": {"include": ["adults"], "exclude": ["animals"]}})
    screening.read_draws(cost["draws_if_none_found"] - 2)

    found = screening.get(f"/audits/{audit['id']}")
    assert [one["what"] for one in found["changes"]] == [
        "serving: draws_only",
        "policy.reasons_must_match: true to false",
        "criteria: version 2",
    ]
    text = screening.get(f"/audits/{audit['id']}/certificate.md")
    assert "- criteria: version 2" in text
    methods = screening.get(f"/audits/{audit['id']}/certificate")["methods"]
    assert methods.endswith("policy.reasons_must_match: true to false; criteria: version 2.")


def test_reading_by_rank_between_the_draws_changes_no_draw(screening: Screening) -> None:
    audit = screening.register()
    screening.open(audit)
    before = screening.read_draws(2)
    screening.send("PATCH", f"/audits/{audit['id']}", {"serving": "mixed"})
    unread = [n for n in range(N_READ + 1, N + 1) if n not in before]
    for number in unread[:10]:
        screening.both(number, "exclude")
    screening.open(audit)
    after = screening.read_draws(2)

    seed = bytes.fromhex(
        screening.send("PATCH", f"/audits/{audit['id']}", {"state": "abandoned"})["seed_revealed"]
    )
    order = random_order.order(seed, Stage.TITLE_ABSTRACT, N).tolist()
    left = [n for n in order if n > N_READ and n not in unread[:10]]
    assert (
        before + after
        == [n for n in order if n in before] + [n for n in left if n not in before][:2]
    )
    draws = screening.get(f"/audits/{audit['id']}/draws")["items"]
    assert [draw["pool"] for draw in draws][:2] == [N - N_READ, N - N_READ - 1]
    assert draws[2]["pool"] <= 28 + 10
    assert screening.get(f"/audits/{audit['id']}")["state"] == "abandoned"
    screening.send("PATCH", f"/audits/{audit['id']}", {"serving": "mixed"}, status=409)


def test_records_imported_later_must_be_screened_or_framed(screening: Screening) -> None:
    audit = screening.register()
    screening.open(audit)
    screening.read_draws(needed(N_INCLUDED, N - N_READ) - 1)
    screening.world.records(screening.team.review_id, screening.team.owner, 20)

    screening.read_draws(1)
    blocked = screening.get("/stopping")
    assert blocked["audit"]["state"] not in ("certified", "blocked")
    assert blocked["audit"]["outside_frame"] == {"settled": 0, "includes": 0, "unsettled": 20}
    assert {"kind": "outside_frame", "n": 20} in blocked["blocking"]

    framed = screening.send("POST", f"/audits/{audit['id']}/reframe", status=201)
    assert framed["frame"]["n"] == N + 20
    assert framed["carried"] is None or framed["carried"] <= 1
    assert framed["outside_frame"] == {"settled": 0, "includes": 0, "unsettled": 0}
    assert screening.get(f"/audits/{audit['id']}")["reframed_as"] == framed["id"]
    screening.send("POST", f"/audits/{audit['id']}/reframe", status=409)


def test_what_a_new_frame_keeps_follows_later_corrections(screening: Screening) -> None:
    audit = screening.register()
    screening.open(audit)
    excluded, *_ = screening.read_draws(3)
    framed = screening.send("POST", f"/audits/{audit['id']}/reframe", status=201)
    assert framed["carried"] is None
    screening.read_draws(4)
    kept = screening.get(f"/audits/{framed['id']}")["e"]
    assert kept > 1

    # Had the review just one include more than the first bet allows, that bet would be lost.
    screening.both(excluded, "include")
    refuted = screening.get(f"/audits/{framed['id']}")
    assert (refuted["carried"], refuted["e"]) == (0, 0)
    assert any("register a new one" in sentence for sentence in refuted["sentences"])
    screening.send("POST", f"/audits/{framed['id']}/reframe", status=409)
    assert exported_trail_holds(screening)

    screening.both(excluded, "exclude")
    corrected = screening.get(f"/audits/{framed['id']}")
    assert (corrected["carried"], corrected["e"]) == (None, pytest.approx(kept))


def exported_trail_holds(screening: Screening) -> bool:
    return check(screening.get("/export?format=trail").splitlines()).ok


def test_a_correction_withdraws_the_certificate_in_a_trail_that_is_exported_next(
    screening: Screening,
) -> None:
    audit = screening.register()
    screening.open(audit)
    read = screening.read_draws(needed(N_INCLUDED, N - N_READ))
    screening.get(f"/audits/{audit['id']}/certificate")

    screening.both(read[0], "include")

    assert exported_trail_holds(screening)
    assert screening.get(f"/audits/{audit['id']}")["state"] == "withdrawn"


def test_the_certificate_of_an_audit_that_went_on_from_another_is_withdrawn_too(
    screening: Screening,
) -> None:
    audit = screening.register()
    screening.open(audit)
    read = screening.read_draws(3)
    after = screening.send("POST", f"/audits/{audit['id']}/reframe", status=201)
    for _ in range(N):
        if screening.get(f"/audits/{after['id']}")["state"] == "certified":
            break
        screening.read_draws(1)

    screening.both(read[0], "include")

    assert exported_trail_holds(screening)
    assert screening.get(f"/audits/{after['id']}")["state"] == "withdrawn"


def test_a_reviewer_gets_no_figure_before_the_pair_has_enough(screening: Screening) -> None:
    audit = screening.register()
    for who in (screening.team.ann, screening.team.observer):
        own = screening.get("/stopping", who)
        assert set(own) == {"stage", "remaining_for_you", "note"}
        assert own["note"] is None
        screening.get(f"/audits/{audit['id']}", who, status=403)
        screening.get(f"/audits/{audit['id']}/draws", who, status=403)
        screening.get("/plots/stopping.svg", who, status=403)
    assert screening.get("/stopping", screening.team.ann)["remaining_for_you"] == N - N_READ
    screening.open(audit)
    assert "random order" in screening.get("/stopping", screening.team.ann)["note"]

    screening.read_draws(needed(N_INCLUDED, N - N_READ))
    assert screening.get(f"/audits/{audit['id']}")["state"] == "certified"
    assert "Certified" in screening.get("/stopping", screening.team.ann)["note"]
    screening.get(f"/audits/{audit['id']}", screening.team.ann, status=403)
    assert screening.get("/stopping", screening.team.observer)["audit"]["state"] == "certified"
    screening.get(f"/audits/{audit['id']}/draws", screening.team.observer)


def test_only_an_owner_registers_once_and_within_range(screening: Screening, world: World) -> None:
    for who in (screening.team.judge, screening.team.ann, screening.team.observer):
        screening.send("POST", "/audits", ASKED, who, status=403)
    for field in ("target_recall", "confidence"):
        for wrong in (0.5, 1, -1, 1e9):
            answer = screening.send("POST", "/audits", ASKED | {field: wrong}, status=422)
            assert field in answer["detail"]
    screening.register()
    assert screening.send("POST", "/audits", ASKED, status=409)["code"] == "audit_registered"

    empty = world.review(screening.team.owner, title="Empty")
    answer = screening.client.post(
        f"{API}/reviews/{empty}/audits", json=ASKED, headers=screening.team.owner.auth
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "too_few_includes")


def test_what_two_missed_is_not_estimated_from_votes_that_knew_of_each_other(
    screening: Screening,
) -> None:
    team = screening.team
    screening.world.change_policy(team.review_id, team.owner, blind=False)
    for person in (team.ann, team.ben):
        screening.world.decide(team.review_id, person, N_READ + 1, "include")
    assert screening.get("/stopping")["team"]["both"] == N_INCLUDED, "as before"


def test_the_panel_has_heuristics_costs_and_the_team(screening: Screening) -> None:
    panel = screening.get("/stopping")
    assert (panel["n_records"], panel["n_settled"], panel["n_included"]) == (N, N_READ, 8)
    assert panel["display"]["run_since_include"] == N_READ - N_INCLUDED
    assert panel["display"]["run_bar"] == [50, 3]
    assert panel["display"]["hypergeometric"]["target_recall"] == 0.95
    assert panel["audit"] is None
    assert len(panel["cost"]) == 6
    assert panel["team"]["both"] == 8
    assert panel["team"]["sensitivity_team"] == 1
    assert "<svg" in screening.get("/plots/stopping.svg")


def test_one_reviewer_alone_may_draw_too(world: World, client: TestClient) -> None:
    screening = Screening.__new__(Screening)
    screening.world, screening.client = world, client
    screening.team = world.team(n_records=N, policy={"reviewers_per_record": 1})
    screening.url = f"{API}/reviews/{screening.team.review_id}"
    for number in range(1, N_READ + 1):
        world.decide(screening.team.review_id, screening.team.ann, number, "include")
    audit = screening.register()
    screening.open(audit)

    (number,) = screening.served(screening.team.ann)

    screening.decide(screening.team.ann, number, "exclude")
    shown = screening.get(f"/audits/{audit['id']}")
    assert (shown["n_draws"], shown["n_pending"], shown["pool"]) == (1, 0, N - N_READ - 1)
