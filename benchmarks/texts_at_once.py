"""A hundred PDFs dropped at once on a real installation, whose worker is killed meanwhile.

    python benchmarks/texts_at_once.py ../shared/data/labelled --engine both

120 records of a real review are imported, 100 of them included. A zip holds a PDF of each of the
100, by title, DOI or metadata, and others: of records that are not at full text, errata, a bomb, a
web page, a scan. When a third is read, the worker is killed (kill -9) and started again. Exit code
1 where a file is lost, placed at a wrong report or not placed, or where the trail does not hold.
"""

import argparse
import csv
import io
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pdfs
from installation import ENGINES, Installation, running
from tandem.audit.verify import check
from tandem.records.duplicates.titles import LONG_TITLE, plain_title
from tandem.texts.matching import Target
from texts import Made, by_doi, by_metadata, by_title, erratum, read_records

_N_RECORDS, _N_INCLUDED = 120, 100
_MOST_SECONDS = 600.0


@dataclass
class Sent:
    """The files by name, each with the record that it is to be placed at; None: at none."""

    files: dict[str, bytes]
    due: dict[str, str | None]

    def add(self, name: str, content: bytes, record: str | None) -> None:
        self.files[name], self.due[name] = content, record


def chosen(folder: Path) -> list[Target]:
    """Return 120 records that differ, with DOIs where they have any."""
    for file in sorted(folder.glob("*.csv.gz")):
        found: dict[str, Target] = {}
        for target in read_records(file):
            folded = plain_title(target.title).replace(" ", "")
            if len(folded) >= LONG_TITLE and target.title.isascii() and target.doi:
                found.setdefault(folded, target)
        if len(found) >= _N_RECORDS:
            return list(found.values())[:_N_RECORDS]
    raise SystemExit(f"There is no set with {_N_RECORDS} such records in {folder}.")


def prepare(client: httpx.Client, records: Sequence[Target]) -> tuple[str, dict[str, str]]:
    """Make a review whose first 100 records are at full text; return its path, ids by title."""
    said = {"title": "Texts", "policy": {"title_abstract": {"reviewers_per_record": 1}}}
    path = f"/reviews/{_asked(client.post('/reviews', json=said))['id']}"
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerows([("title", "doi"), *((one.title, one.doi) for one in records)])
    files = {"file": ("records.csv", table.getvalue().encode())}
    imported = _asked(client.post(f"{path}/imports", files=files))
    while imported["state"] not in ("done", "failed"):
        time.sleep(0.2)
        imported = _asked(client.get(f"{path}/imports/{imported['id']}"))
    listed = _asked(client.get(f"{path}/records?limit=500&order=added"))["items"]
    ids = {plain_title(one["title"]): one["id"] for one in listed}
    items = [
        {"record_id": ids[plain_title(one.title)], "verdict": "include"}
        for one in records[:_N_INCLUDED]
    ]
    _asked(client.post(f"{path}/decisions", json={"items": items}))
    return path, ids


def packed(records: Sequence[Target], ids: dict[str, str]) -> Sent:
    chance, sent = random.Random(1), Sent({}, {})
    for place, target in enumerate(records):
        write = (by_title, by_doi, by_metadata)[place % 3]
        made: Made | None = write(target, records, chance)
        if made is None:
            raise SystemExit(f"No file of {target}")
        is_report = place < _N_INCLUDED
        sent.add(
            f"{place:03}x.pdf", made.content, ids[plain_title(target.title)] if is_report else None
        )
    for place, target in enumerate(records[:5]):
        if (made := erratum(target, records, chance)) is not None:
            sent.add(f"erratum{place}.pdf", made.content, None)
    first = ids[plain_title(records[0].title)]
    sent.add(f"record {first} scan.pdf", pdfs.scan(), first)
    sent.add("bomb.pdf", pdfs.bomb(), None)
    sent.add("page.pdf", b"<html>", None)
    return sent


def drop(here: Installation, client: httpx.Client, path: str, sent: Sent) -> dict[str, Any]:
    """Send the zip, kill the worker when a third is read; return the batch when it is done."""
    began = time.monotonic()
    files = {"files": ("papers.zip", pdfs.packed(sent.files))}
    batch = _asked(client.post(f"{path}/texts", files=files))
    taken, is_killed = time.monotonic() - began, False
    while batch["state"] == "reading":
        if time.monotonic() - began > _MOST_SECONDS:
            raise SystemExit(f"{batch['n_reading']} files are still not read.")
        time.sleep(0.2)
        batch = _asked(client.get(f"{path}/text-batches/{batch['id']}"))
        if not is_killed and batch["n_reading"] < 2 * batch["n_files"] / 3:
            here.kill("worker")
            here.start("worker")
            is_killed = True
    batch["taken"], batch["seconds"] = taken, time.monotonic() - began
    return batch


def faults(batch: dict[str, Any], sent: Sent) -> list[str]:
    found = []
    placed = {item["filename"]: item["record_id"] for item in batch["items"]}
    if len(batch["items"]) != len(sent.files):
        found.append(f"{len(batch['items'])} items of {len(sent.files)} files")
    found += [f"{name}: {placed.get(name)}, not {due}" for name, due in sent.due.items()
              if placed.get(name) != due]  # fmt: skip
    return found


def measure(here: Installation, records: Sequence[Target]) -> bool:
    owner = here.add_account("owner")
    headers = {"Authorization": f"Bearer {owner.token}"}
    with httpx.Client(
        base_url=f"{here.url}/api/v1", headers=headers, timeout=120, trust_env=False
    ) as client:
        path, ids = prepare(client, records)
        sent = packed(records, ids)
        batch = drop(here, client, path, sent)
        trail = client.get(f"{path}/export?format=trail")
    checked = check(trail.text.splitlines())
    wrong = faults(batch, sent)
    print(
        f"| {here.engine} | {batch['n_files']} | {batch['taken']:.1f} | {batch['seconds']:.1f} | "
        f"{batch['n_matched']} | {batch['n_to_settle']} | {batch['n_failed']} | {len(wrong)} | "
        f"{checked.n_files if checked.ok else checked.difference} |"
    )
    for line in wrong:
        print(f"  {line}")
    return not wrong and checked.ok


def _asked(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise SystemExit(f"{answer.request.url}: {answer.text}")
    found: dict[str, Any] = answer.json()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="sqlite")
    given = parser.parse_args()
    records = chosen(given.folder)
    columns = ("engine", "files", "s to 202", "s until done", "placed", "to settle", "failed")
    print("| " + " | ".join([*columns, "wrong", "verified"]) + " |")
    print("|---" * (len(columns) + 2) + "|")
    good = True
    for engine in ENGINES if given.engine == "both" else (given.engine,):
        with running(engine) as here:
            good &= measure(here, records)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
