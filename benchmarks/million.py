"""One review of many records from its file to its export: time, processor time, memory, by size.

    python benchmarks/million.py --records 10000,100000 --labels 1000,10000 --plot sizes.svg

For each size a fresh installation on loopback. Its file is made up of real texts (see
`made_up_texts`), so that its vocabulary grows as a real one does. The memory is that of the largest
process of each kind, at its most (VmHWM), looked at twice a second. `--json FILE` keeps the figures
line by line; with `--plot` alone those of that file are drawn. Linux only: it reads /proc.
With `--filled` there is no import: the records are put into the database by this program.
"""

import argparse
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from uuid import UUID

import httpx
from sqlalchemy import select

from capacity import database_size, features_size, peak
from idle import family
from installation import ENGINES, Engine, Installation, running
from load import Processes
from load_data import Filled, decide_many, fill
from made_up_texts import texts
from sizes import Size, drawn, show
from tandem.ids import RecordNumber, ReviewId
from tandem.ranking.models import Ranking
from tandem.reviews.models import Review

_LOOK_SECONDS = 0.5
_A_FILE = 300_000
"""Records of a file: 465 MB, as an upload may have 512 MiB. More come in several, all at once."""

_TRIES = 7
_QUICK = {
    "queue": ("POST", "/queue", {"limit": 3}),
    "list": ("GET", "/records?limit=50", None),
    "list by rank": ("GET", "/records?limit=50&order=rank", None),
    "search, no hit": ("GET", "/records?q=zzyzxlessness&limit=50", None),
    "search, a slip": ("GET", "/records?q=interation&limit=50", None),
    "search, hits": ("GET", "/records?q=patient&limit=50", None),
    "progress": ("GET", "/progress", None),
}
"""Requests that are asked several times; their median counts."""


@dataclass
class Watch:
    """The most memory that a process of each kind has had, in MiB."""

    here: Installation
    most: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.over.wait(_LOOK_SECONDS):
            for name in ("api", "worker", "relay"):
                for pid in family(self.here.pid(name)):
                    self.most[name] = max(self.most[name], _peak_or_none(pid))


def _peak_or_none(pid: int) -> float:
    try:
        return peak(pid)
    except (OSError, AssertionError):  # it has just ended
        return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", default="")
    parser.add_argument("--labels", default="1000,10000")
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument(
        "--filled", action="store_true", help="records are put into the database, not imported"
    )
    parser.add_argument("--within", type=float, default=7200.0, help="seconds for one step at most")
    parser.add_argument("--json", type=Path, help="a file to which figures are added")
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    numbers = [*map(int, filter(None, asked.records.split(",")))]
    labels = [*map(int, asked.labels.split(","))]
    for n in numbers:
        size = measure(asked.engine, n, labels, asked.within, is_filled=asked.filled)
        print(size.to_json(), file=sys.stderr)
        if asked.json:
            with asked.json.open("a") as file:
                file.write(size.to_json() + "\n")
        show([size])
    if asked.plot:
        found = [json.loads(line) for line in asked.json.read_text().splitlines()]
        sizes = [Size(one["records"], one["engine"], one["steps"]) for one in found]
        show(sizes)
        asked.plot.write_text(drawn(sizes))


def measure(
    engine: Engine, n: int, labels: list[int], within: float, *, is_filled: bool = False
) -> Size:
    size = Size(n, engine)
    with running(engine) as here:
        if is_filled:
            filled = _filled(here, n)
        else:
            with _step(size, here, "import"):
                filled = _imported(here, n, within)
        headers = {"Authorization": f"Bearer {filled.owner.token}"}
        client = httpx.Client(
            base_url=f"{here.url}/api/v1", headers=headers, timeout=within, trust_env=False
        )
        review_id = filled.review_id
        root = f"/reviews/{review_id}"
        with _step(size, here, "first ranking"):
            _ranked(here, review_id, within)
        for n_labels in (one for one in labels if one <= n):
            with _step(size, here, f"{n_labels:,} labels and a ranking") as figures:
                decide_many(here, filled, n_labels)
                figures["ranking"] = _ranked(here, review_id, within)
        for name, request in _QUICK.items():
            size.steps[name] = {"seconds": _median(partial(_asked, client, root, *request))}
        numbers = iter(range(n - 100, n))
        size.steps["decision"] = {
            "seconds": _median(
                lambda: client.put(
                    f"{root}/records/{next(numbers)}/decision", json={"verdict": "exclude"}
                )
            )
        }
        whole = f"{root}/export?format=ris"
        with _step(size, here, "export"), client.stream("GET", whole) as answer:
            for _ in answer.raise_for_status().iter_bytes():
                pass
        size.steps["disk"] = {
            "database": database_size(here), "features": features_size(here)
        }  # fmt: skip
    return size


@contextmanager
def _step(size: Size, here: Installation, name: str) -> Iterator[dict[str, float]]:
    """Note what a step takes of the clock, of the processor, and of memory so far."""
    print(f"{size.n_records:,} {name} …", file=sys.stderr)
    watch, processes, figures = Watch(here), Processes(here), dict[str, float]()
    thread = threading.Thread(target=watch.run)
    processes.begin()
    began = time.monotonic()
    thread.start()
    try:
        yield figures
    finally:
        watch.over.set()
        thread.join()
    figures["seconds"] = time.monotonic() - began
    figures |= {f"{who} CPU": cpu for who, cpu in processes.spent().items()}
    figures |= {f"{who} MiB": most for who, most in watch.most.items()}
    size.steps[name] = figures
    print(f"  {figures}", file=sys.stderr)


def _filled(here: Installation, n: int) -> Filled:
    """Put the records into the database, with the texts of their references."""
    references = enumerate(texts(n), start=1)

    def fields(number: RecordNumber) -> dict[str, object]:
        at, (title, abstract) = next(references)
        assert at == number
        reference = _reference(at, title, abstract)
        return {
            "title": reference["TI"],
            "abstract": abstract,
            "authors": [reference["AU"]],
            "year": int(reference["PY"]),
            "doi": reference["DO"],
            "raw": _ris(reference),
        }

    return fill(here, n_reviewers=2, n_records=n, fields=fields)


def _imported(here: Installation, n: int, within: float) -> Filled:
    owner, people = here.add_account("owner"), [here.add_account(f"r{i}") for i in range(2)]
    headers = {"Authorization": f"Bearer {owner.token}"}
    client = httpx.Client(
        base_url=f"{here.url}/api/v1", headers=headers, timeout=within, trust_env=False
    )
    made = client.post("/reviews", json={"title": "Large", "question": "Which words?"})
    review_id = ReviewId(UUID(made.raise_for_status().json()["id"]))
    root = f"/reviews/{review_id}"
    for person in people:
        client.put(f"{root}/members/{person.id}", json={"role": "reviewer"}).raise_for_status()
    references, imports = enumerate(texts(n), start=1), list[str]()
    for begun in range(0, n, _A_FILE):
        with NamedTemporaryFile(suffix=".ris") as file:
            for number, (title, abstract) in islice(references, min(_A_FILE, n - begun)):
                file.write(_ris(_reference(number, title, abstract)).encode())
            file.seek(0)
            accepted = client.post(f"{root}/imports", files={"file": ("large.ris", file)})
        imports.append(f"{root}/imports/{accepted.raise_for_status().json()['id']}")
    for path in imports:
        _read(client, path, within)
    return Filled(review_id, n, owner, people)


def _read(client: httpx.Client, path: str, within: float) -> None:
    """Wait until an import is done."""

    def state() -> str:
        return str(client.get(path).raise_for_status().json()["state"])

    _wait(lambda: state() in ("done", "failed"), within)
    if state() != "done":
        raise SystemExit(f"the import failed: {client.get(path).json()['error']}")


def _reference(number: int, title: str, abstract: str) -> dict[str, str]:
    return {
        "TI": title or f"Record {number}",
        "AB": abstract,
        "AU": f"Author{number % 9973}, A.",
        "PY": f"{1980 + number % 45}",
        "DO": f"10.1000/made.{number}",
    }


def _ris(reference: dict[str, str]) -> str:
    lines = "".join(f"{tag}  - {value}\n" for tag, value in reference.items() if value)
    return f"TY  - JOUR\n{lines}ER  - \n\n"


def _ranked(here: Installation, review_id: ReviewId, within: float) -> float:
    """Wait until a ranking counts all; return the seconds that it took."""
    database = here.open_database()
    newest = select(Ranking).where(Ranking.review_id == review_id)
    newest = newest.order_by(Ranking.labels_seq.desc()).limit(1)
    found: list[float] = []

    def is_ranked() -> bool:
        with database.read() as session:
            ranking = session.scalars(newest).first()
            if (
                ranking is None
                or ranking.labels_seq < session.get_one(Review, review_id).taught_seq
            ):
                return False
        found.append(ranking.seconds)
        return True

    try:
        _wait(is_ranked, within)
    finally:
        database.close()
    return found[0]


def _wait(is_done: Callable[[], bool], within: float) -> None:
    give_up_at = time.monotonic() + within
    while not is_done():
        if time.monotonic() > give_up_at:
            raise TimeoutError("it takes too long; see --within")
        time.sleep(_LOOK_SECONDS)


def _asked(client: httpx.Client, root: str, method: str, path: str, body: object) -> httpx.Response:
    return client.request(method, root + path, json=body)


def _median(ask: Callable[[], httpx.Response]) -> float:
    took = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        ask().raise_for_status()
        took.append(time.perf_counter() - began)
    return median(took)


if __name__ == "__main__":
    main()
