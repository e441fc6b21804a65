"""Makes each alert of deploy/prometheus fire once, in a real Prometheus beside a real Tandem.

    .venv/bin/python benchmarks/alerts.py            # needs `prometheus` on PATH (Debian's package)

The rules' expressions are those that are delivered. Their waiting times (`for`) are shortened, and
what takes hours is dated back in the database; the rest is done as it happens: processes are
killed, requests are made.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from redis import Redis
from sqlalchemy import update
from sqlalchemy.orm import Session

from installation import ENGINES, Account, Installation, free_port, running
from tandem.accounts import service as accounts
from tandem.db.base import now
from tandem.events.log import Event
from tandem.ranking.models import Ranking
from tandem.records.models import Import, ImportState
from tandem.reviews.models import Review
from tandem.tasks import QUEUES
from tandem.webhooks.models import DisabledReason, Webhook

DEPLOY = Path(__file__).parents[1] / "deploy" / "prometheus"
WITHIN = 120.0
"""Seconds for an alert to fire: a worker is silent after 30, and machines are busy."""
RIS = "".join(f"TY  - JOUR\nTI  - Title {n}\nAB  - About {n}\nER  - \n" for n in range(1, 9))


class Prometheus:
    """A running server that looks each second."""

    def __init__(self, folder: Path, target: str, token: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        rules = (DEPLOY / "tandem.rules.yml").read_text("utf-8")
        self.alerts = re.findall(r"alert: (\w+)", rules)
        scrape = (DEPLOY / "prometheus.yml").read_text("utf-8")
        for old, new in (("127.0.0.1:8000", target), ("_interval: 15s", "_interval: 1s")):
            if old not in scrape:
                raise AssertionError(old)
            scrape = scrape.replace(old, new)
        short = re.sub(r"for: \w+", "for: 2s", rules)
        (folder / "tandem.rules.yml").write_text(short, "utf-8")
        (folder / "prometheus.yml").write_text(scrape, "utf-8")
        (folder / "tandem.token").write_text(token, "utf-8")
        self._command = [
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/prometheus",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]
        self._log = folder / "prometheus.log"

    @contextmanager
    def serving(self) -> Iterator[None]:
        with self._log.open("wb") as log:
            process = subprocess.Popen(self._command, stdout=log, stderr=log)
        try:
            wait_until(lambda: process.poll() is not None or self._answers(), "Prometheus")
            if process.poll() is not None:
                raise SystemExit(f"Prometheus ended: {self._log.read_text()}")
            yield
        finally:
            process.terminate()
            process.wait()

    def firing(self) -> set[str]:
        answer = httpx.get(f"{self.url}/api/v1/alerts", trust_env=False).json()
        found = answer["data"]["alerts"]
        return {one["labels"]["alertname"] for one in found if one["state"] == "firing"}

    def is_scraping(self) -> bool:
        answer = httpx.get(f"{self.url}/api/v1/targets", trust_env=False).json()
        return [one["health"] for one in answer["data"]["activeTargets"]] == ["up"]

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/-/ready", trust_env=False).is_success
        return False


class Site:
    """The installation, and what is done to it."""

    def __init__(self, here: Installation, admin: Account) -> None:
        self.here = here
        self.database = here.open_database()
        self.client = httpx.Client(
            base_url=f"{here.url}/api/v1",
            headers={"Authorization": f"Bearer {admin.token}"},
            timeout=60,
            trust_env=False,
        )
        made = self._ok(self.client.post("/reviews", json={"title": "Alerts"}))
        self.review = f"/reviews/{made['id']}"
        self.upload()
        wait_until(lambda: bool(self._rankings()), "a ranking")

    def upload(self) -> None:
        self._ok(self.client.post(f"{self.review}/imports", files={"file": ("a.ris", RIS)}))

    def slow_training(self) -> None:
        self._change(lambda session: session.execute(update(Ranking).values(seconds=61.0)))

    def quick_training(self) -> None:
        self._change(lambda session: session.execute(update(Ranking).values(seconds=1.0)))

    def parked_import(self) -> None:
        failed = {"state": ImportState.FAILED, "parked_at": now(), "finished_at": now()}
        self._change(lambda session: session.execute(update(Import).values(failed)))

    def import_that_is_over(self) -> None:
        done = {"state": ImportState.DONE, "parked_at": None}
        self._change(lambda session: session.execute(update(Import).values(done)))

    def webhook_that_is_off(self) -> None:
        body = {"url": "http://127.0.0.1:9/", "types": ["tandem.review.changed"]}
        self._ok(self.client.post(f"{self.review}/webhooks", json=body))
        off = {"disabled_at": now(), "disabled_reason": DisabledReason.FAILING}
        self._change(lambda session: session.execute(update(Webhook).values(off)))

    def no_webhook(self) -> None:
        off = {"disabled_reason": DisabledReason.BY_OWNER}
        self._change(lambda session: session.execute(update(Webhook).values(off)))

    def small_disk(self) -> None:
        """Put the artefacts on a disk of 512 MB, in memory; only root may."""
        self._small.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", "size=512m", "tandem-alerts", str(self._small)]
        subprocess.run(mount, check=True)

    def full_disk(self) -> None:
        with suppress(OSError), (self._small / "filling").open("wb") as file:
            while True:
                file.write(b"x" * (1 << 20))

    def large_disk(self) -> None:
        if os.path.ismount(self._small):
            subprocess.run(["umount", "--lazy", str(self._small)], check=True)

    @property
    def _small(self) -> Path:
        return Path(self.here.settings.resolved_artifact_url())

    def no_workers(self) -> None:
        self.here.kill("worker")
        self.here.kill("relay")

    def old_decision(self) -> None:
        path = f"{self.review}/records/1/decision"
        self._ok(self.client.put(path, json={"verdict": "include"}))
        old = now() - timedelta(minutes=10)
        self._change(lambda session: session.execute(update(Review).values(stale_since=old)))

    def old_events(self) -> None:
        old = now() - timedelta(minutes=5)
        self._change(lambda session: session.execute(update(Event).values(created_at=old)))

    def old_upload(self) -> None:
        self.upload()
        old = now() - timedelta(hours=2)
        self._change(lambda session: session.execute(update(Import).values(created_at=old)))

    def many_messages(self) -> None:
        with Redis.from_url(self.here.settings.resolved_redis_url()) as broker:
            broker.rpush(QUEUES["bulk"], *(["{}"] * 200))

    def _rankings(self) -> list[Any]:
        found: list[Any] = self._ok(self.client.get(f"{self.review}/rankings"))["items"]
        return found

    def _change(self, change: Callable[[Session], object]) -> None:
        with self.database.write.begin() as session:
            change(session)

    @staticmethod
    def _ok(answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            raise SystemExit(f"{answer.request.url}: {answer.status_code} {answer.text}")
        body: dict[str, Any] = answer.json()
        return body


def causes(site: Site) -> list[tuple[str, str, Callable[[], None], Callable[[], None] | None]]:
    """Return alerts in the order in which they are made to fire, and how they end again."""
    kill = site.here.kill
    return [
        ("TandemTrainingSlow", "dated: 61 s", site.slow_training, site.quick_training),
        ("TandemJobParked", "dated: parked", site.parked_import, site.import_that_is_over),
        ("TandemWebhookOff", "dated: failing", site.webhook_that_is_off, site.no_webhook),
        ("TandemStorageLow", "artefacts on a disk of 512 MB", site.small_disk, None),
        ("TandemStorageUnwritable", "that disk is filled", site.full_disk, site.large_disk),
        ("TandemWorkerSilent", "kill -9 of worker and relay", site.no_workers, None),
        ("TandemRankingsStale", "a decision, dated back 10 min", site.old_decision, None),
        ("TandemEventsLate", "its events, dated back 5 min", site.old_events, None),
        ("TandemJobsWait", "an upload, dated back 2 h", site.old_upload, None),
        ("TandemMessagesPileUp", "200 messages in the queue", site.many_messages, None),
        ("TandemBrokerDown", "kill -9 of Valkey", lambda: kill("valkey"), None),
        ("TandemDown", "kill -9 of the API", lambda: kill("api"), None),
    ]


def wait_until(condition: Callable[[], bool], what: str) -> float:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > WITHIN:
            raise SystemExit(f"{what}: not within {WITHIN:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - began


def add_admin(here: Installation) -> Account:
    database = here.open_database()
    with database.write.begin() as session:
        user = accounts.add_user(
            session, email="p@example.org", name="Prometheus", password=None, is_admin=True
        )
        _, secret = accounts.add_token(session, user_id=user.id, name="scrape", expires_at=None)
        account = Account(user.id, "Prometheus", secret)
    database.close()
    return account


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    engine = parser.parse_args().engine
    if shutil.which("prometheus") is None:
        sys.exit("prometheus is not on PATH (Debian: apt-get install prometheus)")
    with running(engine) as here:
        admin = add_admin(here)
        site = Site(here, admin)
        prometheus = Prometheus(here.folder, f"127.0.0.1:{here.settings.port}", admin.token)
        with prometheus.serving(), ExitStack() as stack:
            stack.callback(site.large_disk)
            wait_until(prometheus.is_scraping, "the first scrape")
            wait_until(lambda: not prometheus.firing(), "quiet")
            print(f"{'alert':<24}{'made to fire by':<32}{'fires after':>12}{'ends after':>12}")
            made = set()
            for alert, how, begin, end in causes(site):
                if alert not in prometheus.alerts:
                    continue
                if "Storage" in alert and os.geteuid() != 0:
                    print(f"{alert:<24}needs root, to mount a small disk")
                    continue
                before = alert in prometheus.firing()
                begin()
                seconds = wait_until(lambda alert=alert: alert in prometheus.firing(), alert)  # type: ignore[misc]  # bound at once
                ended = "stays"
                if end is not None:
                    end()
                    calm = wait_until(lambda: not prometheus.firing(), f"the end of {alert}")
                    ended = f"{calm:.1f} s"
                print(f"{alert:<24}{how:<32}{seconds:>10.1f} s{ended:>12}", flush=True)
                if not before:
                    made.add(alert)
        site.client.close()
        site.database.close()
    missing = set(prometheus.alerts) - made
    print(
        f"{len(made)} of {len(prometheus.alerts)} alerts fired"
        + f"; not: {missing}" * bool(missing)
    )
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
