"""How many duplicates are found, how many of those found are none, and how long it takes.

Usage: benchmarks/duplicates.py [DIR] [--scale 100000] [--wrong]

Every labelled set of DIR (CSV, packed or not, with a column `duplicate_group`) is searched with
no knowledge of its labels. The pair of records is the unit, after closure: three records in one
group are three pairs. Proposals are the questions that people are asked: they can settle about 15
per 1,000 records. `--wrong` lists the pairs on which labels and findings differ. `--scale`
searches as many made-up records, with as many duplicates as real searches bring.
"""

import argparse
import csv
import gzip
import io
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from rich.console import Console
from rich.table import Table

from made_up_references import references
from tandem.ids import RecordNumber
from tandem.records.duplicates.clusters import Found, find
from tandem.records.duplicates.matching import Identity
from tandem.records.formats import reading
from tandem.records.formats.entry import Entry

Pair = tuple[int, int]


@dataclass(frozen=True)
class Labelled:
    """A set, and for each record the group that people put it into."""

    name: str
    identities: list[Identity]
    groups: list[str]


@dataclass(frozen=True)
class Outcome:
    """Pairs that are duplicates, those linked, and those linked or proposed."""

    true: set[Pair]
    linked: set[Pair]
    offered: set[Pair]
    n_proposals: int
    seconds: float
    megabytes: float


def main() -> int:
    asked = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 150)
    sets = [read_labelled(path) for path in _files(asked.folder)] if asked.folder else []
    if asked.scale:
        made = list(references(asked.scale))
        sets.append(Labelled("made up", [m.identity for m in made], [m.work for m in made]))
    outcomes = [(data, replay(data)) for data in sets]
    _print(console, outcomes)
    if asked.wrong:
        for data, outcome in outcomes:
            _print_wrong(console, data, outcome)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--scale", type=int, default=0)
    parser.add_argument("--wrong", action="store_true")
    asked = parser.parse_args()
    if not asked.folder and not asked.scale:
        parser.error("name a folder of labelled sets, or --scale, or both")
    return asked


def _files(folder: Path) -> list[Path]:
    found = sorted([*folder.glob("*.csv.gz"), *folder.glob("*.csv")])
    if not found:
        sys.exit(f"There is no labelled file in {folder}.")
    return found


def read_labelled(path: Path) -> Labelled:
    """Read a set as an import of it would; rows without a group stand alone."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    entries = list(reading.read(content, None).entries)
    if len(entries) != len(rows):
        sys.exit(f"{path} has {len(rows)} rows, but {len(entries)} were read.")
    kept = [
        (RecordNumber(number), entry, row["duplicate_group"] or f"alone {number}")
        for number, (entry, row) in enumerate(zip(entries, rows, strict=True), 1)
        if isinstance(entry, Entry)
    ]
    return Labelled(
        path.name.split(".")[0],
        [identity(number, entry) for number, entry, _ in kept],
        [group for _, _, group in kept],
    )


def identity(number: RecordNumber, entry: Entry) -> Identity:
    return Identity(
        number,
        entry.title,
        entry.authors,
        entry.year,
        entry.journal,
        entry.volume,
        entry.issue,
        entry.pages,
        entry.doi,
        entry.pmid,
        entry.kind,
        entry.abstract[:500],
        entry.registry_ids,
    )


def replay(data: Labelled) -> Outcome:
    started = time.perf_counter()
    found = find(data.identities)
    seconds = time.perf_counter() - started
    labels = defaultdict(list)
    for record, group in zip(data.identities, data.groups, strict=True):
        labels[group].append(int(record.number))
    return Outcome(
        true=set(_pairs(labels.values())),
        linked=set(_pairs(found.linked)),
        offered=set(_pairs(_closure(found))),
        n_proposals=len(found.proposed),
        seconds=seconds,
        megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _pairs(groups: Iterable[Sequence[int]]) -> Iterator[Pair]:
    return (pair for group in groups for pair in combinations(sorted(group), 2))


def _closure(found: Found) -> list[list[int]]:
    """Return the groups there would be if people accepted every proposal."""
    group_of: dict[int, list[int]] = {}
    for members in (*found.linked, *((p.first, p.second) for p in found.proposed)):
        merged = list({id(group_of.get(m)): group_of.get(m, [m]) for m in members}.values())
        group = [member for old in merged for member in old]
        group.extend(m for m in members if m not in group)
        group_of.update(dict.fromkeys(group, group))
    return list({id(group): group for group in group_of.values()}.values())


def sensitivity(found: set[Pair], true: set[Pair]) -> float:
    return len(found & true) / len(true) if true else 1.0


def precision(found: set[Pair], true: set[Pair]) -> float:
    return len(found & true) / len(found) if found else 1.0


def _print(console: Console, outcomes: Sequence[tuple[Labelled, Outcome]]) -> None:
    table = Table(title="Pairs found; sensitivity / precision (wrong pairs)")
    for heading in ("set", "records", "groups", "pairs", "automatic", "automatic and proposed",
                    "proposals per 1,000", "seconds", "MB"):  # fmt: skip
        table.add_column(heading, justify="right" if heading != "set" else "left")
    for data, outcome in outcomes:
        table.add_row(
            data.name,
            f"{len(data.identities):,}",
            f"{len(set(data.groups)):,}",
            f"{len(outcome.true):,}",
            *(
                f"{sensitivity(found, outcome.true):.4f} / {precision(found, outcome.true):.4f}"
                f" ({len(found - outcome.true)})"
                for found in (outcome.linked, outcome.offered)
            ),
            f"{1000 * outcome.n_proposals / len(data.identities):.1f}",
            f"{outcome.seconds:.1f}",
            f"{outcome.megabytes:.0f}",
        )
    console.print(table)


def _print_wrong(console: Console, data: Labelled, outcome: Outcome) -> None:
    records = {int(record.number): record for record in data.identities}
    for title, pairs in (
        ("linked, but labelled two", outcome.linked - outcome.true),
        ("proposed, but labelled two", outcome.offered - outcome.linked - outcome.true),
        ("missed, but labelled one", outcome.true - outcome.offered),
    ):
        console.rule(f"{data.name}: {title}")
        for pair in sorted(pairs):
            for number in pair:
                r = records[number]
                console.print(
                    f"{number}: {r.title[:120]} | {'; '.join(r.authors)[:40]} | {r.year} |"
                    f" {r.journal} | {r.volume} | {r.pages} | {r.doi}",
                    markup=False,
                    highlight=False,
                )
            console.print()


if __name__ == "__main__":
    sys.exit(main())
