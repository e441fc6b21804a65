"""What operators see: metrics, jobs, and the documents that explain them."""

import json
import re
import statistics
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from service.api.scene import API
from service.domain.ranked_review import edit_training
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import RankingId, ReviewId, new_id
from tandem.ranking import training
from tandem.ranking.models import Ranking, Training
from tandem.reviews import service as reviews
from tandem.reviews.models import Review, Role
from tandem.tasks import QUEUES
from tandem_api.exposition import PRIVATE, PROCESSES, PUBLIC
from world import TA, Person, World

DEPLOY = Path(__file__).parents[3] / "deploy"
DOCS = Path(__file__).parents[3] / "docs"
NAME = re.compile(r"\btandem_[a-z_]+\b")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(client: TestClient, who: Person | None = None) -> Samples:
    answer = client.get("/metrics", headers=who.auth if who else {})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def names(samples: Samples) -> set[str]:
    return {name for name, _ in samples}


def one(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def park(database: Database, review_id: ReviewId) -> None:
    training.claim(database, review_id, TA, lasting=timedelta(minutes=1))
    edit_training(
        database,
        review_id,
        attempts=5,
        lease_until=None,
        parked_at=now(),
        parked_corpus_seq=1,
        cause="MemoryError",
    )


class TestMetrics:
    def test_they_tell_what_is_behind_and_what_waits(
        self, world: World, client: TestClient, database: Database
    ) -> None:
        team, other = world.team(), world.team()
        world.decide(team.review_id, team.ann, 1, "include")
        park(database, other.review_id)

        seen = scrape(client)

        assert one(seen, "tandem_reviews") == 2
        assert one(seen, "tandem_reviews_stale") == 2
        assert one(seen, "tandem_jobs", kind="ranking", state="queued") == 1
        assert one(seen, "tandem_jobs", kind="ranking", state="parked") == 1
        assert one(seen, "tandem_broker_up") == 0
        assert one(seen, "tandem_sse_clients") == 0

    def test_the_oldest_counts(self, world: World, client: TestClient, database: Database) -> None:
        team = world.team()
        world.team()
        with database.write.begin() as session:
            session.execute(
                update(Review)
                .where(Review.id == team.review_id)
                .values(stale_since=now() - timedelta(hours=1))
            )

        seen = scrape(client)

        assert 3600 <= one(seen, "tandem_staleness_oldest_seconds") < 3700
        assert 3600 <= one(seen, "tandem_job_oldest_due_seconds", kind="ranking") < 3700

    def test_a_ranking_under_way_is_running_and_not_due(
        self, world: World, client: TestClient, database: Database
    ) -> None:
        team = world.team()
        training.claim(database, team.review_id, TA, lasting=timedelta(minutes=1))

        seen = scrape(client)

        assert one(seen, "tandem_jobs", kind="ranking", state="running") == 1
        assert one(seen, "tandem_job_oldest_due_seconds", kind="ranking") == 0
        assert one(seen, "tandem_reviews_stale") == 1

    def test_single_reviews_and_events_are_for_administrators(
        self, world: World, client: TestClient, admin: Person
    ) -> None:
        team = world.team()
        world.decide(team.review_id, team.ann, 1, "include")
        review = str(team.review_id)

        for who in (None, team.ann, team.owner):
            answer = client.get("/metrics", headers=who.auth if who else {})
            assert review not in answer.text
            assert not PRIVATE.keys() & names(scrape(client, who))
        seen = scrape(client, admin)
        assert one(seen, "tandem_review_staleness_changes", review=review) == 2
        assert one(seen, "tandem_event_lag_events", consumer="stream") > 0
        # Sums are the same for all.
        assert one(seen, "tandem_reviews_stale") == one(scrape(client), "tandem_reviews_stale")

    def test_an_administrator_who_screens_sees_no_figures_of_that_review(
        self, world: World, client: TestClient, admin: Person
    ) -> None:
        team, other = world.team(), world.team()
        with world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=admin.id, role=Role.REVIEWER)
        world.decide(team.review_id, team.ann, 1, "include")

        text = client.get("/metrics", headers=admin.auth).text

        assert str(team.review_id) not in text
        assert str(other.review_id) in text
        # One more change than the other: resolutions would be among them.
        assert one(scrape(client, admin), "tandem_staleness_largest_changes") == 1

    def test_a_wrong_token_is_refused(self, client: TestClient) -> None:
        answer = client.get("/metrics", headers={"Authorization": "Bearer tandem_wrong"})

        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")

    def test_three_hundred_reviews_take_less_than_a_tenth_of_a_second(
        self, world: World, client: TestClient, database: Database, admin: Person
    ) -> None:
        owner = world.person("owner")
        with database.write.begin() as session:
            for _ in range(300):
                review_id = ReviewId(new_id())
                session.add(given_review(review_id, owner))
                session.flush()
                session.add(
                    Training(review_id=review_id, stage=TA, trained_seq=1, fence=1, attempts=0)
                )
                session.add(given_ranking(review_id))

        def seconds(who: Person | None) -> float:
            begun = time.process_time()  # not what else runs on the machine
            assert one(scrape(client, who), "tandem_reviews_stale") == 300
            return time.process_time() - begun

        for who in (None, admin):
            assert statistics.median(seconds(who) for _ in range(7)) < 0.1


def given_review(review_id: ReviewId, owner: Person) -> Review:
    return Review(
        id=review_id,
        title="A review",
        criteria_include=[],
        criteria_exclude=[],
        seed_studies=[],
        seed=1,
        created_by=owner.id,
        created_at=now(),
        labels_seq=3,
    )


def given_ranking(review_id: ReviewId) -> Ranking:
    return Ranking(
        id=RankingId(new_id()),
        review_id=review_id,
        stage=TA,
        model="given",
        preset={},
        kind="model",
        labels_seq=1,
        corpus_seq=1,
        n_labels=0,
        n_relevant=0,
        n_ranked=0,
        seconds=0.5,
        created_at=now(),
    )


class TestJobs:
    def test_the_list_can_be_filtered_and_paged(
        self, world: World, client: TestClient, database: Database, admin: Person
    ) -> None:
        parked, waiting = world.team(), world.team()
        park(database, parked.review_id)

        def listed(**params: Any) -> list[tuple[str, str]]:
            answer = client.get(f"{API}/jobs", params=params, headers=admin.auth)
            assert answer.status_code == 200
            return [(item["review_id"], item["state"]) for item in answer.json()["items"]]

        both = {(str(parked.review_id), "parked"), (str(waiting.review_id), "queued")}
        assert set(listed()) == both
        assert set(listed(kind="ranking")) == both
        assert listed(kind="import") == []
        assert listed(state="parked") == [(str(parked.review_id), "parked")]

        first = client.get(f"{API}/jobs?limit=1", headers=admin.auth).json()
        second = client.get(
            f"{API}/jobs", params={"limit": 1, "cursor": first["next_cursor"]}, headers=admin.auth
        ).json()
        assert second["next_cursor"] is None
        pages = {(i["review_id"], i["state"]) for i in first["items"] + second["items"]}
        assert pages == both

    def test_a_parked_job_shows_why_and_is_queued_again_on_demand(
        self, world: World, client: TestClient, database: Database, admin: Person
    ) -> None:
        team = world.team()
        park(database, team.review_id)
        (job,) = client.get(f"{API}/jobs", headers=admin.auth).json()["items"]
        assert (job["cause"], job["attempts"], job["state"]) == ("MemoryError", 5, "parked")

        path = f"{API}/jobs/{job['id']}/retry"
        answer = client.post(path, headers=admin.auth)
        assert (answer.status_code, answer.json()) == (202, {"id": job["id"], "state": "queued"})
        assert client.get(f"{API}/jobs", headers=admin.auth).json()["items"][0]["state"] == "queued"

        again = client.post(path, headers=admin.auth)
        assert (again.status_code, again.json()["code"]) == (409, "not_failed")
        unknown = client.post(f"{API}/jobs/none/retry", headers=admin.auth)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")

    def test_owners_learn_that_their_rankings_are_parked_and_can_ask_for_one(
        self, world: World, client: TestClient, database: Database
    ) -> None:
        team = world.team()
        root = f"{API}/reviews/{team.review_id}"
        park(database, team.review_id)

        def ranking_for(who: Person) -> Any:
            return client.get(f"{root}/progress", headers=who.auth).json()["ranking"]

        assert ranking_for(team.owner)["state"] == "parked"
        assert ranking_for(team.owner)["cause"] == "MemoryError"
        assert [ranking_for(who) for who in (team.ann, team.judge, team.observer)] == [None] * 3

        client.post(f"{root}/rankings", headers=team.ann.auth)
        assert ranking_for(team.owner), "a reviewer does not start it again"
        client.post(f"{root}/rankings", headers=team.owner.auth)
        assert ranking_for(team.owner) is None
        with database.read() as session:
            assert training.stale_reviews(session) == [team.review_id]


class TestDocuments:
    """What is written about metrics names those that there are, and all of them."""

    def dashboard(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
        return loaded

    def text(self) -> str:
        return (DOCS / "operations.md").read_text(encoding="utf-8")

    def alerts(self) -> list[dict[str, Any]]:
        loaded = yaml.safe_load((DEPLOY / "prometheus" / "tandem.rules.yml").read_text("utf-8"))
        return [rule for group in loaded["groups"] for rule in group["rules"]]

    def test_the_table_is_complete_and_says_what_the_help_texts_say(self) -> None:
        rows = re.findall(
            r"^\| `(tandem_\w+)` \| .* \| (\w+) \| (.*) \|$", self.text(), re.MULTILINE
        )
        table = {name: (who, meaning) for name, who, meaning in rows}

        assert table == {
            name: ("everybody" if name in PUBLIC else "administrators", meaning)
            for name, meaning in (PUBLIC | PRIVATE).items()
        }

    def test_an_administrator_gets_all_of_them(
        self, world: World, client: TestClient, admin: Person
    ) -> None:
        team = world.team()
        world.rank(team.review_id, 1, 2, 3)
        only_with_a_broker = {
            *("tandem_broker_messages", "tandem_processes_alive", "tandem_heartbeat_age_seconds"),
        }
        with world.database.write.begin() as session:
            session.add(Training(review_id=team.review_id, stage=TA, trained_seq=2, fence=1))

        assert names(scrape(client, admin)) == (PUBLIC | PRIVATE).keys() - only_with_a_broker

    def test_dashboard_and_alerts_name_metrics_that_exist(self) -> None:
        shown = {
            target["expr"] for panel in self.dashboard()["panels"] for target in panel["targets"]
        }
        asked = {rule["expr"] for rule in self.alerts()}

        assert {name for expr in shown for name in NAME.findall(expr)} == (PUBLIC | PRIVATE).keys()
        assert {name for expr in asked for name in NAME.findall(expr)} <= (PUBLIC | PRIVATE).keys()
        assert NAME.findall(self.text())

    def test_alerts_ask_for_labels_that_there_are(self, client: TestClient, admin: Person) -> None:
        seen: dict[tuple[str, str], set[str]] = {
            ("tandem_processes_alive", "process"): {*PROCESSES},
            ("tandem_broker_messages", "queue"): {*QUEUES},
        }
        for name, labels in scrape(client, admin):
            for label, value in labels:
                seen.setdefault((name, label), set()).add(value)
        selectors = [
            found
            for rule in self.alerts()
            for found in re.findall(r"(tandem_\w+)\{(.*?)\}", rule["expr"])
        ]

        assert len(selectors) > 4
        for name, matchers in selectors:
            for label, how, wanted in re.findall(r"(\w+)(=~?)\"(.*?)\"", matchers):
                for one in wanted.split("|") if how == "=~" else [re.escape(wanted)]:
                    assert any(re.fullmatch(one, value) for value in seen[name, label]), one

    def test_every_name_in_the_text_exists(self) -> None:
        assert set(NAME.findall(self.text())) <= (PUBLIC | PRIVATE).keys()

    def test_the_dashboard_is_one_that_grafana_takes(self) -> None:
        made = self.dashboard()
        ids = [panel["id"] for panel in made["panels"]]

        assert len(ids) == len(set(ids))
        assert made["title"] == "Tandem"
        assert made["templating"]["list"][0]["type"] == "datasource"
        for panel in made["panels"]:
            assert {"type", "title", "gridPos", "targets", "datasource"} <= panel.keys()
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24

    def test_every_alert_says_why_and_what_to_do(self) -> None:
        explained = set(re.findall(r"^\| (Tandem\w+) \| .+ \| .+ \|$", self.text(), re.MULTILINE))
        rules = self.alerts()

        assert {rule["alert"] for rule in rules} == explained
        for rule in rules:
            assert rule["annotations"]["summary"]
            assert rule["labels"]["severity"] in ("page", "ticket")
