"""The certificate through the whole API: real files, two reviewers, an audit from start to end.

    python benchmarks/stopping_over_http.py DIR [--seeds 1-20] [--target .9] [--confidence .95]
        [--sets Sep_2021,Cohen_2006_UrinaryIncontinence,Nelson_2002] [--batch 30]

SQLite and the API in one process. Each review has the records of a file; both reviewers take them
from their queue and decide them in batches, as the file says. Until the audit is open the records
are ranked after each batch, by the code of `tandem simulate` (no worker runs here). The owner looks
at the panel after every batch, registers an audit as soon as one record is included, opens it after
a run without an include of 50 records or 2.5 % of all, and fetches the certificate.

Fails where the audits of a file missed their target more often than 1 − confidence allows, by a
binomial test at 1 %, where a certificate disagrees with what was decided or with its own draws, or
where the trail of a file's first review does not hold.
"""

import argparse
import logging
import math
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import structlog
from fastapi.testclient import TestClient
from rich.console import Console
from rich.progress import Progress
from scipy.stats import binomtest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from tandem import migrate
from tandem.audit.verify import check
from tandem.config import Settings
from tandem.db.session import Database
from tandem.ranking.recipes import recipe
from tandem.ranking.simulate import draw_priors, prepared
from tandem.ranking.simulate_files import Labelled, read_labelled
from tandem.ranking.simulate_replay import Replay
from tandem_api.app import create_app
from world import Person, Team, World

_SETS = "Sep_2021,Cohen_2006_UrinaryIncontinence,Nelson_2002"
_SIGNIFICANT = 0.01
_OPENS_AFTER, _OPENS_AFTER_SHARE = 50, 0.025


class Wrong(Exception):
    """What the service says does not agree with what was sent to it."""


@dataclass(frozen=True)
class Audited:
    """How one audit ended."""

    file: str
    target: float
    n_draws: int
    n_draw_includes: int
    work: float
    recall: float
    was_certain: bool

    @property
    def missed(self) -> bool:
        return self.recall < self.target


class Screening:
    """One review: two reviewers who decide what the file says, and an owner who looks on."""

    def __init__(self, client: TestClient, world: World, data: Labelled, seed: int) -> None:
        self._client, self._world, self._data = client, world, data
        self.team: Team = world.team(n_records=0, seed=seed)
        self._url = f"/api/v1/reviews/{self.team.review_id}"
        world.records(self.team.review_id, self.team.owner, texts=data.texts)
        known = draw_priors(data, (1, 1), seed)
        self._read: list[int] = []
        for person in (self.team.ann, self.team.ben):
            self._decide(person, [int(row) + 1 for row in known])
        chosen = recipe("elas-u4")
        features = prepared(data, chosen.words, chosen.sentences).features
        self._ranking = Replay(data.labels, features, chosen, seed, batch=len(data.texts))

    def run(self, target: float, confidence: float, batch: int) -> Audited:
        """Screen until the recall is certified."""
        body = {"stage": "title_abstract", "target_recall": target, "confidence": confidence}
        audit = f"/audits/{self._send('POST', '/audits', body)['id']}"
        opens_after = max(_OPENS_AFTER, _OPENS_AFTER_SHARE * len(self._data.texts))
        is_open = False
        while True:
            panel = self.get("/stopping")
            if panel["audit"]["state"] == "certified":
                return self._audited(audit, panel)
            if not is_open and panel["display"]["run_since_include"] >= opens_after:
                self._send("PATCH", audit, {"serving": "draws_only"})
                is_open = True
            if not is_open:
                self._rank()
            if not sum(self._take(person, batch) for person in (self.team.ann, self.team.ben)):
                raise Wrong(f"nothing is served, and the audit is {panel['audit']['state']}")

    def get(self, path: str) -> Any:
        answer = self._client.get(self._url + path, headers=self.team.owner.auth)
        answer.raise_for_status()
        return (
            answer.json() if answer.headers["content-type"] == "application/json" else answer.text
        )

    def _send(self, method: str, path: str, body: Any, who: Person | None = None) -> Any:
        headers = (who or self.team.owner).auth
        answer = self._client.request(method, self._url + path, json=body, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def _take(self, who: Person, batch: int) -> int:
        queue = self._send("POST", "/queue", {"limit": batch}, who)
        numbers = [int(item["record"]["id"]) for item in queue["items"]]
        if numbers:
            self._decide(who, numbers)
        return len(numbers)

    def _decide(self, who: Person, numbers: list[int]) -> None:
        verdicts = {0: "exclude", 1: "include"}
        items = [
            {"record_id": str(number), "verdict": verdicts[int(self._data.labels[number - 1])]}
            for number in numbers
        ]
        answer = self._send("POST", "/decisions", {"items": items}, who)
        refused = [one for one in answer["items"] if one["status"] >= 300]
        if refused:
            raise Wrong(f"refused: {refused[0]}")
        self._read += [number - 1 for number in numbers if number - 1 not in self._read]

    def _rank(self) -> None:
        rest = self._ranking.next_after(np.array(self._read))
        order = [*self._read, *rest.tolist()]
        self._world.rank(self.team.review_id, *(row + 1 for row in order))

    def _audited(self, audit: str, panel: Any) -> Audited:
        """Hold the certificate against what was decided, and e against its own draws."""
        given = self.get(f"{audit}/certificate.json")
        labels = self._data.labels
        found, pool = int(labels[self._read].sum()), labels.size - len(self._read)
        if (given["found"], given["pool"]) != (found, pool) or panel["n_included"] != found:
            raise Wrong(f"{found} found and {pool} unread, but the certificate says {given}")
        draws, cursor = [], ""
        while cursor is not None:
            page = self.get(f"{audit}/draws?limit=500" + (f"&cursor={cursor}" if cursor else ""))
            draws += page["items"]
            cursor = page["next_cursor"]
        e = math.prod(draw["factor"] for draw in draws)
        if given["e"] is not None and not math.isclose(e, given["e"], rel_tol=1e-6):
            raise Wrong(f"the draws multiply to {e}, but the certificate says {given['e']}")
        if given["e"] is not None and e < given["e_needed"] * (1 - 1e-6):
            raise Wrong(f"certified with {e}")
        if len(draws) != given["n_draws"]:
            raise Wrong(f"{len(draws)} draws, but the certificate says {given['n_draws']}")
        return Audited(
            Path(self._data.file).name.split(".")[0],
            given["target_recall"],
            given["n_draws"],
            given["n_draw_includes"],
            len(self._read) / labels.size,
            found / int(labels.sum()),
            given["is_certain"],
        )

    def check_trail(self) -> None:
        found = check(self.get("/export?format=trail").splitlines())
        if found.difference is not None:
            raise Wrong(f"the trail does not hold: {found.difference}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default=_SETS)
    parser.add_argument("--seeds", type=_seeds, default="1-20")
    parser.add_argument("--target", type=float, default=0.9)
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--batch", type=int, default=30)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    files = [read_labelled(asked.folder / f"{name}.csv.gz") for name in asked.sets.split(",")]
    with tempfile.TemporaryDirectory(prefix="tandem-audits-") as folder:
        url = f"sqlite:///{folder}/tandem.sqlite3"
        settings = Settings(
            data_dir=Path(folder), database_url=url, redis_url=None, log_level="error"
        )
        migrate.upgrade(settings.resolved_database_url())
        database = Database(settings.resolved_database_url())
        with TestClient(create_app(settings)) as client:
            too_often = _all(client, World(database), files, asked)
        database.close()
    for line in too_often:
        print(f"TOO OFTEN WRONG: {line}")
    return 1 if too_often else 0


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _all(
    client: TestClient, world: World, files: list[Labelled], asked: argparse.Namespace
) -> list[str]:
    """Print a row for each file; return those that missed too often."""
    print("| file | audits | missed | lowest recall | read | draws | finds among them | certain |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    too_often = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("audits", total=len(files) * len(asked.seeds))
        for data in files:
            texts = [(title or "Untitled", abstract) for title, abstract in data.texts]
            named, ended = replace(data, texts=texts), list[Audited]()
            for seed in asked.seeds:
                screening = Screening(client, world, named, seed)
                ended.append(screening.run(asked.target, asked.confidence, asked.batch))
                if seed == asked.seeds[0]:
                    screening.check_trail()
                progress.advance(bar)
            print(_row(ended), flush=True)
            missed, allowed = sum(one.missed for one in ended), 1 - asked.confidence
            p = binomtest(missed, len(ended), allowed, alternative="greater").pvalue
            if p < _SIGNIFICANT:
                too_often.append(f"{ended[0].file}: p = {p:.2g}")
    return too_often


def _row(ended: list[Audited]) -> str:
    cells = [
        ended[0].file,
        f"{len(ended)}",
        f"{sum(one.missed for one in ended)}",
        f"{min(one.recall for one in ended):.1%}",
        f"{fmean(one.work for one in ended):.0%}",
        f"{fmean(one.n_draws for one in ended):.0f}",
        f"{fmean(one.n_draw_includes for one in ended):.1f}",
        f"{sum(one.was_certain for one in ended)}",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
