"""Print the modules that `PUT …/decision` passes through, in order, one a line.

The second decision of a review is traced while its route runs: what every request passes through
before (middleware, sign-in) is not.
"""

import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
for part in ("tests", "services/worker", "services/api", "shared"):
    sys.path.insert(0, str(ROOT / part))

from fastapi.testclient import TestClient  # noqa: E402

from application import application  # noqa: E402  # found by the paths above
from tandem import log, migrate  # noqa: E402
from tandem.config import Settings  # noqa: E402
from tandem.db.session import Database  # noqa: E402
from world import World  # noqa: E402

PRODUCT = ("tandem.", "tandem_api.")
ROUTE = "put_decision"
passed: list[str] = []
running = threading.local()
wanted = threading.Event()


def note(frame: FrameType, event: str, _: object) -> None:
    if not wanted.is_set():
        return
    if frame.f_code.co_name == ROUTE and event in ("call", "return"):
        running.route = event == "call"
    module = frame.f_globals.get("__name__", "")
    enters = event == "call" and getattr(running, "route", False) and module.startswith(PRODUCT)
    if enters and passed[-1:] != [module]:
        passed.append(module)


def main(folder: Path) -> None:
    url = f"sqlite:///{folder}/tandem.sqlite3"
    migrate.upgrade(url)
    settings = Settings(
        data_dir=folder,
        database_url=url,
        redis_url=f"unix://{folder}/nobody-listens.sock",
        artifact_url=str(folder / "artifacts"),
        log_level="error",
    )
    log.configure(settings, process="walk")  # to stderr
    database = Database(url)
    team = World(database).team(n_records=2)
    address = f"/api/v1/reviews/{team.review_id}/records"
    threading.setprofile(note)
    with TestClient(application(settings)) as client:
        for number in (1, 2):
            if number == 2:
                wanted.set()
            answer = client.put(
                f"{address}/{number}/decision", json={"verdict": "include"}, headers=team.ann.auth
            )
            wanted.clear()
            answer.raise_for_status()
    database.close()
    sys.stdout.write("\n".join(passed) + "\n")


if __name__ == "__main__":
    with TemporaryDirectory(ignore_cleanup_errors=True) as made:
        main(Path(made))
