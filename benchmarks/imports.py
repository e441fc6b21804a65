"""How long a large file takes to be imported and deduplicated, and whether the API stays quick.

Usage: benchmarks/imports.py [--records 100000] [--engine sqlite|postgresql|both]

Made-up references, a quarter of them copies as other databases write them, are sent as one RIS
file to a fresh installation. Meanwhile a person goes on screening in the same review.
"""

import argparse
import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from held import watch
from installation import ENGINES, Engine, Installation, running
from made_up_references import references
from measures import Line, print_table, quantile
from tandem import migrate
from tandem.accounts import service as accounts
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.records import importing, imports
from tandem.reviews import service as reviews
from tandem.screening.duplicates import deduplication

_WORDS = 150
"""In an abstract."""

_VOCABULARY = 30_000

_PAUSE = 0.1
"""Seconds between two requests of the person who goes on screening."""

_MOST_SECONDS = 300.0
_MOST_MB = 1024
_SLOWEST_SECONDS = 0.1

_Answer = dict[str, list[dict[str, dict[str, str]]]]


@dataclass
class Reader:
    """Asks for records and decides them, again and again, and notes how long that takes."""

    client: httpx.Client
    review: str
    over: threading.Event = field(default_factory=threading.Event)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: int = 0

    def run(self) -> None:
        while not self.over.wait(_PAUSE):
            queue = self._timed("queue", "POST", "/queue", {"limit": 3})
            for item in queue.get("items", [])[:1]:
                path = f"/records/{item['record']['id']}/decision"
                self._timed("decision", "PUT", path, {"verdict": "exclude"})
            self._timed("progress", "GET", "/progress", None)
            self._timed("records", "GET", "/records?limit=50", None)

    def _timed(self, kind: str, method: str, path: str, body: object) -> _Answer:
        began = time.monotonic()
        answer = self.client.request(method, self.review + path, json=body)
        self.seconds.setdefault(kind, []).append(time.monotonic() - began)
        # 409: the record turned out to be a copy of another one while it was held.
        self.failed += not answer.is_success and answer.status_code != 409
        found: _Answer = answer.json() if answer.is_success else {}
        return found


class Alone(NamedTuple):
    """One process that does nothing but this import, and how long its transactions take."""

    seconds: float
    megabytes: float
    held_median: float
    held_p95: float


@dataclass(frozen=True)
class Measured:
    seconds: float
    reading: float
    n_added: int
    n_duplicates: int
    n_proposed: int
    alone: Alone
    reader: Reader


def ris(n: int) -> bytes:
    """Return `n` references as one RIS file."""
    return "".join(_lines(n)).encode()


def _lines(n: int) -> Iterator[str]:
    dice = random.Random("abstracts")
    words = [f"word{number}" for number in range(_VOCABULARY)]
    heights = list(accumulate(1 / rank for rank in range(1, _VOCABULARY + 1)))
    for reference in references(n):
        it = reference.identity
        values = [("TI", it.title), *(("AU", name) for name in it.authors), ("PY", it.year)]
        values += [("JO", it.journal), ("VL", it.volume), ("IS", it.issue), ("SP", it.pages)]
        values += [
            ("DO", it.doi),
            ("AB", " ".join(dice.choices(words, cum_weights=heights, k=_WORDS))),
        ]
        body = "".join(f"{tag}  - {value}\n" for tag, value in values if value)
        yield f"TY  - JOUR\n{body}ER  - \n\n"


def measure(engine: Engine, content: bytes, *, within: float) -> Measured:
    with running(engine) as here:
        owner = here.add_account("owner")
        client = httpx.Client(
            base_url=f"{here.url}/api/v1",
            headers={"Authorization": f"Bearer {owner.token}"},
            timeout=120,
            trust_env=False,
        )
        made = client.post("/reviews", json={"title": "Large", "question": "Which words?"})
        made.raise_for_status()
        review = f"/reviews/{made.json()['id']}"
        reader = Reader(client, review)
        thread = threading.Thread(target=reader.run)
        began = time.monotonic()
        accepted = client.post(f"{review}/imports", files={"file": ("large.ris", content)})
        accepted.raise_for_status()
        thread.start()
        try:
            reading = _wait(client, f"{review}/imports/{accepted.json()['id']}", began, within)
        finally:
            reader.over.set()
            thread.join()
        seconds = time.monotonic() - began
        found = client.get(f"{review}/imports/{accepted.json()['id']}").json()
        if found["state"] != "done":
            raise SystemExit(f"the import is {found['state']}: {found['error']}")
        proposed = 0
        cursor: str | None = ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = client.get(f"{review}/duplicates?state=proposed&limit=500{more}").json()
            proposed, cursor = proposed + len(page["items"]), page["next_cursor"]
        return Measured(
            seconds,
            reading,
            found["n_added"],
            found["n_duplicates"],
            proposed,
            _alone(here, content),
            reader,
        )


def _wait(client: httpx.Client, path: str, began: float, within: float) -> float:
    """Follow the import to its end, with a bar; return the seconds until the file was read."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    reading = 0.0
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("waiting", total=None)
        while time.monotonic() - began < within:
            found = client.get(path).json()
            if found["state"] not in ("queued", "running"):
                return reading or time.monotonic() - began
            if found["step"] == "linking" and not reading:
                reading = time.monotonic() - began
            bar.update(
                task,
                description=found["step"] or found["state"],
                total=found["n_total"],
                completed=found["n_read"],
            )
            time.sleep(0.5)
    raise SystemExit(f"the import is not done after {within:.0f} s")


def _alone(here: Installation, content: bytes) -> Alone:
    file = here.folder / "large.ris"
    file.write_bytes(content)
    done = subprocess.run(
        [sys.executable, __file__, "--alone", str(file)], capture_output=True, text=True, check=True
    )
    return Alone(*map(float, done.stdout.split()[-4:]))


def import_alone(file: Path) -> None:
    """Import a file into a new review in this process, on SQLite; print what `Alone` holds."""
    folder = file.parent / "alone"
    settings = Settings(data_dir=folder)
    url = settings.resolved_database_url()
    migrate.upgrade(url)
    database, artifacts = Database(url), Artifacts(settings.resolved_artifact_url())
    with database.write.begin() as session:
        owner = accounts.add_user(
            session, email="o@example.org", name="O", password=None, is_admin=False
        )
        review = reviews.create_review(session, owner_id=owner.id, title="Large")
    with file.open("rb") as stream:
        upload = imports.store_upload(artifacts, review_id=review.id, file=stream)
    with database.write.begin() as session:
        imports.accept(
            session,
            upload,
            review_id=review.id,
            user_id=owner.id,
            filename=file.name,
            source=None,
            requested_format=None,
        )
    began, held = time.monotonic(), watch(database)
    importing.run(database, artifacts, upload.import_id, link=deduplication.run)
    took, peak = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{took:.1f} {peak:.0f} {quantile(held, 0.5)} {quantile(held, 0.95)}\n")


def lines_of(measured: Measured) -> list[Line]:
    reader, alone = measured.reader, measured.alone
    slowest = max(quantile(seconds, 0.95) for seconds in reader.seconds.values())
    return [
        Line(
            "file to done",
            f"{measured.seconds:.0f} s",
            f"≤ {_MOST_SECONDS:.0f} s",
            measured.seconds <= _MOST_SECONDS,
        ),
        Line("of that reading", f"{measured.reading:.0f} s"),
        Line("added / linked", f"{measured.n_added:,} / {measured.n_duplicates:,}"),
        Line("proposed", f"{measured.n_proposed:,}"),
        Line("the same, nothing beside it", f"{alone.seconds:.0f} s"),
        Line(
            "its peak memory",
            f"{alone.megabytes:.0f} MB",
            f"≤ {_MOST_MB} MB",
            alone.megabytes <= _MOST_MB,
        ),
        Line(
            "its transactions, median / p95",
            f"{alone.held_median * 1000:.0f} / {alone.held_p95 * 1000:.0f} ms",
        ),
        *(
            Line(
                f"{kind} request, median / p95",
                f"{quantile(seconds, 0.5) * 1000:.0f} / {quantile(seconds, 0.95) * 1000:.0f} ms",
            )
            for kind, seconds in reader.seconds.items()
        ),
        Line("slowest p95", f"{slowest * 1000:.0f} ms", "≤ 100 ms", slowest <= _SLOWEST_SECONDS),
        Line("requests that failed", str(reader.failed), "0", reader.failed == 0),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="sqlite")
    parser.add_argument("--within", type=float, default=550.0, help="Seconds to wait at most.")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.alone is not None:
        import_alone(said.alone)
        return
    content = ris(said.records)
    engines: list[Engine] = list(ENGINES) if said.engine == "both" else [said.engine]
    found: dict[str, list[Line]] = {}
    for engine in engines:
        found[engine] = lines_of(measure(engine, content, within=said.within))
    title = f"{said.records:,} references, {len(content) / 1e6:.0f} MB of RIS"
    print_table(title, found)
    sys.exit(any(line.ok is False for lines in found.values() for line in lines))


if __name__ == "__main__":
    main()
