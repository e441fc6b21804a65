"""How long the figures of agreement take, for a review of a size of your choice.

    python benchmarks/agreement.py --records 1500 100000

Two reviewers have decided every record; the database is a fresh SQLite file, or the one named by
TANDEM_TEST_DATABASE_URL. Prints the best of three, the picture apart.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from tandem import migrate
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import new_id
from tandem.reviews import service as reviews
from tandem.screening.agreement.plot import agreement_plot
from tandem.screening.agreement.service import Agreement, AgreementOn, agreement
from tandem.screening.models import Decision
from tandem.screening.rules import Verdict
from world import TA, Team, World


def screened_twice(world: World, n_records: int) -> Team:
    team = world.team(n_records=0)
    texts = [(f"Title {n}", "") for n in range(n_records)]
    world.records(team.review_id, team.owner, texts=texts)
    moment = now()
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "review_id": team.review_id,
            "record_number": 1 + at // 2,
            "stage": TA,
            "reviewer_id": (team.ann, team.ben)[at % 2].id,
            "labels_seq": at + 10,
            "verdict": Verdict.INCLUDE if at % (20 + at % 3) == 0 else Verdict.EXCLUDE,
            "reasons": [],
            "labels": [],
            "informed": False,
            "criteria_version": 1,
            "created_at": moment,
        }
        for at in range(2 * n_records)
    ]
    with world.database.write.begin() as session:
        session.execute(insert(Decision), rows)
    return team


def asked(world: World, team: Team) -> Agreement:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        return agreement(session, viewer=viewer, stage=TA, on=AgreementOn.ALL)


def best_of_three(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, nargs="+", default=[1500, 100_000])
    sizes: list[int] = arguments.parse_args().records
    with TemporaryDirectory() as folder:
        url = os.environ.get("TANDEM_TEST_DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        migrate.upgrade(url)
        world = World(Database(url))
        for n_records in sizes:
            team = screened_twice(world, n_records)
            found = asked(world, team)
            assert found.overall.figures.n == n_records
            figures = best_of_three(lambda team=team: asked(world, team))  # type: ignore[misc]
            picture = best_of_three(lambda found=found: agreement_plot(found))  # type: ignore[misc]
            print(f"{n_records:>7} records twice: {figures:.3f} s; picture {picture:.3f} s")
        world.database.close()


if __name__ == "__main__":
    main()
