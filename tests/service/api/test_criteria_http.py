"""Versions of the criteria over HTTP, second looks, final reasons, labels in use."""

import csv
import io
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from world import Person, Team, World

pytestmark = pytest.mark.both_engines

ORDER = ["wrong population", "wrong design"]
TEXTS = [("Paid peer workers", "In hospitals"), ("Volunteers", "In prisons"), ("Soil", "Wheat")]


@pytest.fixture
def team(world: World) -> Team:
    made = world.team(n_records=0)
    world.records(made.review_id, made.owner, texts=TEXTS)
    return made


class Asking:
    """Asks a review's routes as one of its people, and expects a status."""

    def __init__(self, client: TestClient, team: Team) -> None:
        self._client, self._root = client, f"/api/v1/reviews/{team.review_id}"

    def __call__(
        self, who: Person, method: str, path: str, body: Any = None, expect: int = 200
    ) -> Any:
        url = self._root + path
        answer = self._client.request(method, url, json=body, headers=who.auth)
        assert answer.status_code == expect, answer.text
        if answer.headers["content-type"].endswith("json"):
            return answer.json()
        return answer.text


@pytest.fixture
def ask(client: TestClient, team: Team) -> Asking:
    return Asking(client, team)


class TestCriteria:
    def test_a_change_is_a_version_that_every_member_can_read(
        self, ask: Asking, team: Team
    ) -> None:
        change = {"include": ["Peer workers"], "exclude": ["Soil"]}
        first = ask(team.owner, "PATCH", "", {"criteria": change})
        said = {"criteria": {"include": ["Paid peer workers"], "note": "Volunteers are out."}}
        second = ask(team.owner, "PATCH", "", said)

        assert (first["criteria_version"], second["criteria_version"]) == (2, 3)
        # What is left out stays as it is, within the criteria too.
        assert second["criteria"] == {"include": ["Paid peer workers"], "exclude": ["Soil"]}
        listed = ask(team.observer, "GET", "/criteria?limit=2")
        rest = ask(team.observer, "GET", f"/criteria?cursor={listed['next_cursor']}")
        assert [item["version"] for item in listed["items"] + rest["items"]] == [3, 2, 1]
        assert rest["next_cursor"] is None
        newest = listed["items"][0]
        assert (newest["note"], newest["created_by"]) == ("Volunteers are out.", str(team.owner.id))

    def test_a_dry_run_makes_no_version(self, ask: Asking, team: Team) -> None:
        shown = ask(team.owner, "PATCH", "?dry_run=true", {"criteria": {"include": ["A"]}})

        assert shown["criteria_version"] == 2
        assert ask(team.owner, "GET", "")["criteria_version"] == 1
        assert len(ask(team.owner, "GET", "/criteria")["items"]) == 1

    def test_decisions_and_their_file_name_the_version(self, ask: Asking, team: Team) -> None:
        decide = {"verdict": "include"}
        before = ask(team.ann, "PUT", "/records/1/decision", decide)["decision"]
        ask(team.owner, "PATCH", "", {"criteria": {"include": ["Peer workers"]}})
        after = ask(team.ann, "PUT", "/records/2/decision", decide)["decision"]

        assert (before["criteria_version"], after["criteria_version"]) == (1, 2)
        file = ask(team.ann, "GET", "/export?format=decisions")
        rows = list(csv.DictReader(io.StringIO(file)))
        assert [row["criteria_version"] for row in rows] == ["1", "2"]

    def test_what_was_decided_offline_is_of_the_criteria_that_were_shown(
        self, ask: Asking, team: Team
    ) -> None:
        ask(team.owner, "PATCH", "", {"criteria": {"exclude": ["Prisons"]}})
        shown_before = {"verdict": "maybe", "criteria_version": 1}
        late = ask(team.ann, "PUT", "/records/1/decision", shown_before)["decision"]
        many = {
            "items": [{"record_id": "2", **shown_before}, {"record_id": "3", "verdict": "maybe"}]
        }
        batch = ask(team.ann, "POST", "/decisions", many, expect=207)["items"]

        assert late["criteria_version"] == 1
        assert [one["decision"]["criteria_version"] for one in batch] == [1, 2]
        found = ask(team.ann, "GET", "/criteria/affected")["items"]
        assert [one["record"]["id"] for one in found] == ["1", "2"]

    def test_the_same_under_later_criteria_is_a_second_look(self, ask: Asking, team: Team) -> None:
        said = {"verdict": "maybe"}
        first = ask(team.ann, "PUT", "/records/1/decision", said)["decision"]
        ask(team.owner, "PATCH", "", {"criteria": {"exclude": ["Prisons"]}})

        for version, id_, n in ((None, first["id"], 1), (1, first["id"], 1)):
            again = said | ({} if version is None else {"criteria_version": version})
            assert ask(team.ann, "PUT", "/records/1/decision", again)["decision"]["id"] == id_
            assert ask(team.ann, "GET", "/criteria/affected")["n"] == n
        looked = said | {"criteria_version": 2}
        second = ask(team.ann, "PUT", "/records/1/decision", looked)["decision"]
        assert (second["criteria_version"], second["id"] != first["id"]) == (2, True)
        assert (
            ask(team.ann, "PUT", "/records/1/decision", said | {"criteria_version": 1})["decision"]
            == second
        )
        assert ask(team.ann, "GET", "/criteria/affected")["n"] == 0

    def test_a_confirmation_is_of_the_criteria_that_were_read(
        self, ask: Asking, team: Team
    ) -> None:
        ask(team.ann, "PUT", "/records/1/decision", {"verdict": "maybe"})
        for exclude in (["Prisons"], ["Prisons", "Schools"]):
            ask(team.owner, "PATCH", "", {"criteria": {"exclude": exclude}})

        confirm = "/records/1/decision/confirm"
        read = ask(team.ann, "POST", f"{confirm}?criteria_version=2")["decision"]
        assert read["criteria_version"] == 2
        assert ask(team.ann, "GET", "/criteria/affected")["n"] == 1
        assert ask(team.ann, "POST", f"{confirm}?criteria_version=2")["decision"] == read
        ask(team.ann, "POST", f"{confirm}?criteria_version=4", expect=422)
        assert ask(team.ann, "POST", confirm)["decision"]["criteria_version"] == 3

    def test_a_second_vote_is_of_the_criteria_that_were_shown(
        self, ask: Asking, team: Team
    ) -> None:
        ask(team.owner, "PATCH", "", {"policy": {"title_abstract": {"resolution": "consensus"}}})
        for who, verdict in ((team.ann, "include"), (team.ben, "exclude")):
            ask(who, "PUT", "/records/1/decision", {"verdict": verdict})
        for exclude in (["Prisons"], ["Prisons", "Hospitals"]):
            ask(team.owner, "PATCH", "", {"criteria": {"exclude": exclude}})
        (conflict,) = ask(team.ann, "GET", "/conflicts")["items"]
        vote = f"/conflicts/{conflict['id']}/vote"

        refused = ask(team.ann, "POST", vote, {"verdict": "include", "criteria_version": 4}, 422)
        assert refused["errors"][0]["field"].endswith("criteria_version")
        ask(team.ann, "POST", vote, {"verdict": "include", "criteria_version": 2})
        ask(team.ben, "POST", vote, {"verdict": "include"})

        votes = ask(team.owner, "GET", "/records/1")["decisions"]
        assert {one["reviewer"]: one["criteria_version"] for one in votes} == {"ann": 2, "ben": 3}
        assert ask(team.ann, "GET", "/criteria/affected")["n"] == 1
        assert ask(team.ben, "GET", "/criteria/affected")["n"] == 0

    @pytest.mark.parametrize("version", [0, 2, -1, 1.5, 2**40])
    def test_a_decision_is_under_criteria_that_there_are(
        self, ask: Asking, team: Team, version: float
    ) -> None:
        said = {"verdict": "maybe", "criteria_version": version}
        refused = ask(team.ann, "PUT", "/records/1/decision", said, expect=422)
        assert refused["errors"][0]["field"].endswith("criteria_version")
        item = {"items": [{"record_id": "1", **said}]}
        assert ask(team.ann, "POST", "/decisions", item, expect=207)["items"][0]["status"] == 422
        assert ask(team.ann, "GET", "/records/1")["my_decision"] is None

    def test_what_the_change_could_touch_until_one_has_looked(
        self, ask: Asking, team: Team
    ) -> None:
        for number, said in ((1, {"verdict": "maybe"}), (2, {"verdict": "exclude"})):
            ask(team.ann, "PUT", f"/records/{number}/decision", said)
        ask(team.owner, "PATCH", "", {"criteria": {"exclude": ["Prisons"]}})

        found = ask(team.ann, "GET", "/criteria/affected?limit=1")
        rest = ask(team.ann, "GET", f"/criteria/affected?limit=1&cursor={found['next_cursor']}")
        one, two = found["items"] + rest["items"]
        assert (one["record"]["id"], two["record"]["id"], found["n"]) == ("1", "2", 2)
        assert one["why"] == [{"cause": "maybe", "criteria": [], "words": []}]
        assert two["why"] == [{"cause": "words", "criteria": [], "words": ["prisons"]}]
        assert rest["next_cursor"] is None

        confirmed = ask(team.ann, "POST", "/records/2/decision/confirm")["decision"]
        again = ask(team.ann, "POST", "/records/2/decision/confirm")["decision"]
        assert confirmed == again
        assert (confirmed["criteria_version"], confirmed["verdict"]) == (2, "exclude")
        ask(team.ann, "PUT", "/records/1/decision", {"verdict": "include"})
        done = ask(team.ann, "GET", "/criteria/affected")
        assert (done["items"], done["n"]) == ([], 0)
        assert "version 2" in done["explanation"]

    def test_how_many_each_has_to_look_at_is_not_for_reviewers(
        self, ask: Asking, team: Team
    ) -> None:
        ask(team.ann, "PUT", "/records/1/decision", {"verdict": "maybe"})
        ask(team.owner, "PATCH", "", {"criteria": {"exclude": ["Prisons"]}})

        found = ask(team.judge, "GET", "/criteria/affected/reviewers")["items"]
        assert found == [{"user_id": str(team.ann.id), "name": "ann", "n": 1}]
        refused = ask(team.ben, "GET", "/criteria/affected/reviewers", expect=403)
        assert refused["code"] == "forbidden"

    @pytest.mark.parametrize(
        "cursor", ["LTEsMQ==", "LA==", "IngiLCJ5Ig==", "LTEsLTE=", "LTEsOTk5OTk5OTk5OTk5"]
    )
    def test_a_cursor_is_one_that_a_list_gave(self, ask: Asking, team: Team, cursor: str) -> None:
        good = cursor == "LTEsMQ=="
        ask(team.ann, "GET", f"/criteria/affected?cursor={cursor}", expect=200 if good else 422)

    @pytest.mark.parametrize(
        ("method", "path", "body", "code"),
        [
            ("POST", "/records/1/decision/confirm", None, "no_decision"),
            ("POST", "/records/99/decision/confirm", None, "not_found"),
            ("GET", "/criteria/affected?since=0", None, "invalid"),
            ("PATCH", "", {"exclusion_reasons": [" "]}, "invalid"),
            ("PATCH", "", {"exclusion_reasons": ["x"] * 101}, "invalid"),
            ("PATCH", "", {"criteria": {"because": "x"}}, "invalid"),
        ],
    )
    def test_problems(
        self, ask: Asking, team: Team, method: str, path: str, body: Any, code: str
    ) -> None:
        expect = 422 if code == "invalid" else 404
        assert ask(team.owner, method, path, body, expect=expect)["code"] == code


class TestFinalReason:
    @pytest.fixture(autouse=True)
    def _order(self, ask: Asking, team: Team) -> None:
        order = [*ORDER, "WRONG population."]
        changed = ask(team.owner, "PATCH", "", {"exclusion_reasons": order})
        assert changed["exclusion_reasons"] == ORDER

    def exclude(self, ask: Asking, who: Person, number: int, *reasons: str) -> None:
        said = {"verdict": "exclude", "reasons": [*reasons]}
        ask(who, "PUT", f"/records/{number}/decision", said)

    def test_of_two_excluders_reasons_the_first_in_the_order(self, ask: Asking, team: Team) -> None:
        self.exclude(ask, team.ann, 1, "wrong design", "dull")
        assert ask(team.ann, "GET", "/records/1")["final_reason"] is None
        assert ask(team.owner, "GET", "/records/1")["final_reason"] is None
        self.exclude(ask, team.ben, 1, "Wrong Population")

        for who in (team.ann, team.ben, team.judge):
            assert ask(who, "GET", "/records/1")["final_reason"] == "wrong population"
            listed = ask(who, "GET", "/records?status=excluded")["items"]
            assert [item["final_reason"] for item in listed] == ["wrong population"]
        # Those who have not decided see neither that it is excluded nor why.
        assert ask(team.eve, "GET", "/records/1")["final_reason"] is None

    def test_files_lead_with_it_and_lose_no_other(self, ask: Asking, team: Team) -> None:
        self.exclude(ask, team.ann, 1, "wrong design", "dull")
        self.exclude(ask, team.ben, 1, "wrong population")

        def exported(format: str, who: Person) -> str:
            text = ask(who, "GET", f"/export?format={format}&status=excluded")
            assert isinstance(text, str)
            return text

        (row,) = csv.DictReader(io.StringIO(exported("csv", team.owner)))
        assert row["screening_reasons"] == "wrong population; wrong design; dull"
        assert json.loads(exported("jsonl", team.owner))["final_reason"] == "wrong population"
        ris = exported("ris", team.owner)
        assert ris.index("Tandem reason: wrong population") < ris.index("Tandem reason: dull")
        # A blinded reviewer's file has their own reasons, after the one that counts.
        (row,) = csv.DictReader(io.StringIO(exported("csv", team.ann)))
        assert row["screening_reasons"] == "wrong population; wrong design; dull"
        assert exported("jsonl", team.eve) == ""

    def test_counts_are_of_final_reasons_and_for_those_who_see_all(
        self, ask: Asking, team: Team
    ) -> None:
        for number, anns, bens in ((1, "wrong design", "dull"), (2, "dull", "dull"), (3, "", "")):
            self.exclude(ask, team.ann, number, *filter(None, [anns]))
            self.exclude(ask, team.ben, number, *filter(None, [bens]))

        found = ask(team.judge, "GET", "/exclusion-reasons")
        assert found["items"] == [
            {"reason": "wrong population", "n_records": 0, "is_listed": True},
            {"reason": "wrong design", "n_records": 1, "is_listed": True},
            {"reason": "dull", "n_records": 1, "is_listed": False},
        ]
        assert found["n_without_reason"] == 1
        assert ask(team.ann, "GET", "/exclusion-reasons", expect=403)["code"] == "forbidden"
        page = ask(team.judge, "GET", "/exclusion-reasons?limit=2")
        rest = ask(team.judge, "GET", f"/exclusion-reasons?cursor={page['next_cursor']}")
        assert page["items"] + rest["items"] == found["items"]

    def test_what_settled_the_conflict_says_why(self, ask: Asking, team: Team) -> None:
        self.exclude(ask, team.ann, 1, "wrong population")
        ask(team.ben, "PUT", "/records/1/decision", {"verdict": "include"})
        (conflict,) = ask(team.judge, "GET", "/conflicts")["items"]
        said = {"verdict": "exclude", "reasons": ["wrong design"]}
        ask(team.judge, "POST", f"/conflicts/{conflict['id']}/resolution", said)

        assert ask(team.judge, "GET", "/records/1")["final_reason"] == "wrong design"

    def test_settled_against_all_votes_and_without_a_word_it_has_none(
        self, ask: Asking, team: Team, world: World
    ) -> None:
        world.change_policy(team.review_id, team.owner, maybe="conflict")
        for who, verdict in ((team.ann, "maybe"), (team.ben, "include")):
            said = {"verdict": verdict, "reasons": ["wrong population"]}
            ask(who, "PUT", "/records/1/decision", said)
        world.resolve(team.review_id, team.judge, 1, "exclude")

        record = ask(team.judge, "GET", "/records/1")
        assert (record["status"], record["final_reason"]) == ("excluded", None)
        assert ask(team.judge, "GET", "/exclusion-reasons")["n_without_reason"] == 1


class TestVotesOnARecord:
    def decide(self, ask: Asking, who: Person, number: int, verdict: str, *labels: str) -> None:
        said = {"verdict": verdict, "labels": [*labels], "note": f"{who.name}'s"}
        ask(who, "PUT", f"/records/{number}/decision", said)

    def notes(self, ask: Asking, who: Person, number: int) -> dict[str, str]:
        votes = ask(who, "GET", f"/records/{number}")["decisions"]
        return {vote["reviewer"]: vote["note"] for vote in votes}

    def test_others_are_shown_once_one_has_decided_and_it_is_settled(
        self, ask: Asking, team: Team
    ) -> None:
        self.decide(ask, team.ann, 1, "include", "odd")
        assert self.notes(ask, team.ann, 1) == {"ann": "ann's"}
        assert self.notes(ask, team.ben, 1) == {}
        self.decide(ask, team.ben, 1, "include", "new")

        both = {"ann": "ann's", "ben": "ben's"}
        assert self.notes(ask, team.ann, 1) == self.notes(ask, team.ben, 1) == both
        assert self.notes(ask, team.eve, 1) == self.notes(ask, team.observer, 1) == {}
        (anns, _) = ask(team.ben, "GET", "/records/1")["decisions"]
        assert (anns["reviewer_id"], anns["labels"]) == (str(team.ann.id), ["odd"])
        assert (anns["criteria_version"], anns["verdict"]) == (1, "include")

    def test_a_conflict_is_not_open_to_its_voters_here(self, ask: Asking, team: Team) -> None:
        self.decide(ask, team.ann, 1, "include")
        self.decide(ask, team.ben, 1, "exclude")

        assert self.notes(ask, team.ann, 1) == {"ann": "ann's"}
        assert self.notes(ask, team.judge, 1) == {"ann": "ann's", "ben": "ben's"}

    @pytest.mark.parametrize(
        ("sees", "shown"), [("all", {"ann", "ben"}), ("anonymous", {"A", "B"}), ("nothing", set())]
    )
    def test_an_adjudicator_sees_what_the_policy_shows(
        self, ask: Asking, team: Team, sees: str, shown: set[str]
    ) -> None:
        ask(team.owner, "PATCH", "", {"policy": {"title_abstract": {"adjudicator_sees": sees}}})
        self.decide(ask, team.ann, 1, "include", "odd")
        self.decide(ask, team.ben, 1, "exclude", "odd", "new")

        votes = ask(team.judge, "GET", "/records/1")["decisions"]
        assert {vote["reviewer"] for vote in votes} == shown
        if sees == "anonymous":
            (conflict,) = ask(team.judge, "GET", "/conflicts")["items"]
            there = {vote["reviewer"]: vote["verdict"] for vote in conflict["decisions"]}
            assert {vote["reviewer"]: vote["verdict"] for vote in votes} == there
            hidden = ("reviewer_id", "decided_at", "criteria_version")
            assert {vote[name] for vote in votes for name in hidden} == {None}
        n_odd = 1 if sees == "all" else 0
        assert len(ask(team.judge, "GET", "/records?label=odd")["items"]) == n_odd
        labels = ask(team.judge, "GET", "/labels")["items"]
        assert sum(label["n_records"] for label in labels) == 2 * n_odd

    def test_labels_in_use_are_those_the_filter_finds(self, ask: Asking, team: Team) -> None:
        self.decide(ask, team.ann, 1, "include", "odd", "odd")
        self.decide(ask, team.ben, 1, "include", "odd", "new")
        self.decide(ask, team.ben, 2, "include", "odd")

        def labels(who: Person) -> dict[str, tuple[int, int]]:
            found = ask(who, "GET", "/labels")["items"]
            for label in found:
                listed = ask(who, "GET", f"/records?label={label['label']}")["items"]
                assert len(listed) == label["n_records"]
            return {label["label"]: (label["n_records"], label["n_own"]) for label in found}

        assert labels(team.ann) == {"odd": (1, 1), "new": (1, 0)}
        assert labels(team.ben) == {"odd": (2, 2), "new": (1, 1)}
        assert labels(team.judge) == {"odd": (2, 0), "new": (1, 0)}
        assert labels(team.eve) == labels(team.observer) == {}


class TestCorrections:
    def test_a_correction_is_normalised_and_the_trail_keeps_what_was(
        self, ask: Asking, team: Team, world: World
    ) -> None:
        said = {
            "title": " <i>Paid</i> peer  workers ",
            "doi": "https://doi.org/10.1000/Example.17",
            "pages": "pp. 12–15",
            "authors": ["Moran, Galia; Russinova, Zlatka"],
            "keywords": ["Peers", "peers", "*Health"],
            "year": 2012,
            "journal": None,
        }
        made = ask(team.owner, "PATCH", "/records/1", said)

        assert made == ask(team.owner, "GET", "/records/1")
        assert (made["title"], made["doi"]) == ("Paid peer workers", "10.1000/example.17")
        assert (made["pages"], made["year"], made["journal"]) == ("12-15", 2012, None)
        assert made["authors"] == ["Moran, Galia", "Russinova, Zlatka"]
        assert made["keywords"] == ["Peers", "Health"]
        assert made["abstract"] == "In hospitals"
        reported = ask(team.ann, "GET", "/events?limit=500")["items"][-1]
        assert (reported["type"], reported["data"]) == (
            "tandem.review.changed",
            {"changed": ["records/1"]},
        )
        # The same again changes nothing.
        ask(team.owner, "PATCH", "/records/1", said)
        assert ask(team.ann, "GET", "/events?limit=500")["items"][-1] == reported

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({"doi": "see the publisher"}, "doi"),
            ({"pmid": "PMC12"}, "pmid"),
            ({"url": "javascript:alert(1)"}, "url"),
            ({"year": 12}, "year"),
            ({"year": "2012"}, "year"),
            ({"title": " "}, "title"),
            ({"title": None}, "title"),
            ({"title": "<p></p>", "abstract": ""}, "title"),
            ({"raw": "x"}, "raw"),
            ({"kind": "article"}, "kind"),
        ],
    )
    def test_what_is_no_correction(
        self, ask: Asking, team: Team, said: dict[str, Any], field: str
    ) -> None:
        before = ask(team.owner, "GET", "/records/1")
        problem = ask(team.owner, "PATCH", "/records/1", said, expect=422)

        assert [error["field"] for error in problem["errors"]] == [field]
        assert ask(team.owner, "GET", "/records/1") == before
