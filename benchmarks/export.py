"""How long an export takes in each format, and how much memory of the API process.

Usage: benchmarks/export.py [--records 100000]

A real API on SQLite, asked over HTTP by a client that only counts the bytes. A fifth of the
records have two decisions. Somebody else asks for their review all the while.
"""

import argparse
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import get_args

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert
from sqlalchemy.orm import Session

from installation import Account, Installation, running
from measures import pair
from tandem.db.base import now
from tandem.ids import DecisionId, ImportId, RecordNumber, ReviewId, UserId, new_id
from tandem.records.export.names import ExportFormat
from tandem.records.models import Import, ImportState, Record
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.rules import Status, Verdict

_WORDS = 20_000
_ABSTRACT_WORDS = 200
_BATCH = 2000
_MIB = 1 << 20
_EXPECTED_MIB = 512


@dataclass
class Measured:
    format: str
    megabytes: float
    first_byte: float
    seconds: float
    peak: float
    others: list[float] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=100_000)
    asked = parser.parse_args()
    with running("sqlite") as here:
        for name in ("relay", "worker"):  # nothing is to train meanwhile
            here.kill(name)
        owner, ann, ben = map(here.add_account, ("owner", "ann", "ben"))
        review_id = _review(here, owner, (ann, ben), asked.records)
        found = [_measured(here, owner, review_id, format) for format in get_args(ExportFormat)]
    _print(found, asked.records)
    return int(any(one.peak > _EXPECTED_MIB for one in found))


def _print(found: list[Measured], n: int) -> None:
    table = Table(title=f"Export of {n:,} records, SQLite", title_justify="left")
    heads = ("format", "MiB", "first byte, s", "all, s", "peak of the API, MiB", "others wait")
    for head in heads:
        table.add_column(head, justify="left" if head == "format" else "right")
    for one in found:
        numbers = (one.megabytes, one.first_byte, one.seconds, one.peak)
        shown = (f"{number:.1f}" for number in numbers)
        table.add_row(one.format, *shown, pair(one.others))
    Console(width=110).print(table)


def _measured(here: Installation, owner: Account, review_id: ReviewId, format: str) -> Measured:
    path = f"{here.url}/api/v1/reviews/{review_id}"
    headers = {"Authorization": f"Bearer {owner.token}"}
    _forget_peak(here.pid("api"))
    size, first = 0, 0.0
    with _somebody_else(path, headers) as others:
        started = time.perf_counter()
        query = {"format": format}
        with httpx.stream(
            "GET", f"{path}/export", params=query, headers=headers, timeout=600, trust_env=False
        ) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                first = first or time.perf_counter() - started
                size += len(part)
        seconds = time.perf_counter() - started
    peak = _peak(here.pid("api"))
    return Measured(format, size / _MIB, first, seconds, peak, others)


@contextmanager
def _somebody_else(path: str, headers: dict[str, str]) -> Iterator[list[float]]:
    """Ask for the review ten times a second, and note how long each answer takes."""
    took: list[float] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(headers=headers, trust_env=False) as client:
            while not over.wait(0.1):
                started = time.perf_counter()
                client.get(path, timeout=60).raise_for_status()
                took.append(time.perf_counter() - started)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not tell a process's peak memory")


def _review(
    here: Installation, owner: Account, people: tuple[Account, Account], n: int
) -> ReviewId:
    database = here.open_database()
    try:
        with database.write.begin() as session:
            review = reviews.create_review(session, owner_id=UserId(owner.id), title="A benchmark")
            review.last_record_number = n
            made = _import(session, review.id, UserId(owner.id), n)
        rows = _records(review.id, made, n)
        while batch := list(islice(rows, _BATCH)):
            with database.write.begin() as session:
                session.execute(insert(Record), batch)
        decided = range(1, n + 1, 5)
        for start in range(0, len(decided), _BATCH):
            with database.write.begin() as session:
                _decide(session, review.id, people, decided[start : start + _BATCH])
        return review.id
    finally:
        database.close()


def _import(session: Session, review_id: ReviewId, by: UserId, n: int) -> ImportId:
    row = Import(
        id=ImportId(new_id()),
        review_id=review_id,
        created_by=by,
        created_at=now(),
        finished_at=now(),
        state=ImportState.DONE,
        source="Medline",
        filename="made-up.ris",
        artifact="none",
        n_read=n,
        n_added=n,
        n_duplicates=0,
        n_rejected=0,
        rejected=[],
        n_priors=0,
        fence=0,
    )
    session.add(row)
    session.flush()
    return row.id


def _records(review_id: ReviewId, made: ImportId, n: int) -> Iterator[dict[str, object]]:
    dice = random.Random(1)
    words = [
        "".join(dice.choices("abcdefghilmnoprstu", k=dice.randint(3, 11))) for _ in range(_WORDS)
    ]
    for number in range(1, n + 1):
        text = dice.choices(words, k=_ABSTRACT_WORDS + 30)
        yield {
            "review_id": review_id,
            "number": number,
            "import_id": made,
            "source": "Medline",
            "ref": str(20_000_000 + number),
            "title": " ".join(text[:12]).capitalize(),
            "abstract": " ".join(text[12:-18]),
            "authors": [f"{name.capitalize()}, {name[0].upper()}." for name in text[-18:-12]],
            "year": 2000 + number % 25,
            "journal": " ".join(text[-12:-8]).title(),
            "volume": str(number % 90),
            "issue": str(number % 12),
            "pages": f"{number % 900}-{number % 900 + 9}",
            "doi": f"10.1234/made.up.{number}",
            "pmid": str(20_000_000 + number),
            "url": f"https://example.org/articles/{number}",
            "keywords": text[-8:],
            "language": "English",
            "priors": [],
            "raw": " ".join(text),
            "created_at": now(),
        }


def _decide(
    session: Session, review_id: ReviewId, people: tuple[Account, Account], numbers: range
) -> None:
    decisions, present, screened = [], [], []
    for number in numbers:
        place = {
            "review_id": review_id,
            "stage": Stage.TITLE_ABSTRACT,
            "record_number": RecordNumber(number),
        }
        for turn, person in enumerate(people):
            decision = {
                "id": DecisionId(new_id()),
                "reviewer_id": UserId(person.id),
                "labels_seq": 2 * number + turn,
                "verdict": Verdict.EXCLUDE,
                "reasons": ["wrong population"],
                "labels": [],
                "note": "Not about people.",
                "seconds": 12.5,
                "informed": False,
                "created_at": now(),
            }
            decisions.append(place | decision)
            present.append(
                place | {"reviewer_id": UserId(person.id), "decision_id": decision["id"]}
            )
        screened.append(place | {"status": Status.EXCLUDED, "n_decisions": 2})
    session.execute(insert(Decision), decisions)
    session.execute(insert(PresentDecision), present)
    session.execute(insert(ScreenedRecord), screened)


if __name__ == "__main__":
    raise SystemExit(main())
