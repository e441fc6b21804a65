"""Files of two (or three) real reviewers' decisions on the same records."""

import csv
import gzip
import io
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_VERDICTS = ("include", "exclude", "maybe")
_FINAL = ("final", "final_abstract")
_TEXTS = ("record_id", "title", "abstract", "authors", "year", "doi")


class BadData(Exception):
    """The file is not what this benchmark reads."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record. `final` is `include` or `exclude`: a final `maybe` went on to full text."""

    id: str
    verdicts: tuple[str, ...]
    final: str
    texts: dict[str, str]

    @property
    def differs(self) -> bool:
        """Whether the verdicts make a conflict, `maybe` counting as include."""
        return len({counted(verdict) for verdict in self.verdicts}) > 1

    @property
    def expected(self) -> str:
        """What the record must be in the end: what all agreed on, else the adjudicator's."""
        verdict = self.final if self.differs else counted(self.verdicts[0])
        return {"include": "included", "exclude": "excluded"}[verdict]


@dataclass(frozen=True)
class DualFile:
    name: str
    rows: list[Row]

    @property
    def n_reviewers(self) -> int:
        return len(self.rows[0].verdicts)

    @property
    def overruled(self) -> list[Row]:
        """Rows whose final decision is not what all reviewers agreed on: nobody could get there."""
        return [row for row in self.rows if row.expected != f"{row.final}d"]

    def as_csv(self) -> bytes:
        """Return what a database would export: the texts, and nothing of the decisions."""
        file = io.StringIO(newline="")
        names = [name for name in _TEXTS if name in self.rows[0].texts]
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row.texts for row in self.rows)
        return file.getvalue().encode()


def counted(verdict: str) -> str:
    return "include" if verdict == "maybe" else verdict


def read_dual(path: Path) -> DualFile:
    """Read a CSV (or .csv.gz) with record_id, title, abstract, reviewer_1, … and final.

    Reviewers are the columns `reviewer_1` to `reviewer_3` that are filled in every row.

    Raises:
        BadData: It is not such a file; the message says what is missing.
    """
    csv.field_size_limit(sys.maxsize)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    if not lines:
        raise BadData(f"{path.name} has no rows.")
    columns = set(lines[0])
    if missing := {"title", "abstract", "reviewer_1"} - columns:
        raise BadData(f"{path.name} has no column {', '.join(sorted(missing))}.")
    final = next((name for name in _FINAL if name in columns), None)
    if final is None and "label_included" not in columns:
        raise BadData(f"{path.name} has neither final, final_abstract nor label_included.")
    voters = [
        name
        for name in ("reviewer_1", "reviewer_2", "reviewer_3")
        if name in columns and all(line[name] for line in lines)
    ]
    rows = [_row(path.name, number, line, voters, final) for number, line in enumerate(lines, 1)]
    if repeated := [id for id, n in Counter(row.id for row in rows).items() if n > 1]:
        raise BadData(f"{path.name} has record_id {repeated[0]} more than once.")
    return DualFile(path.name.split(".")[0], rows)


def _row(file: str, number: int, line: dict[str, str], voters: list[str], final: str | None) -> Row:
    verdicts = tuple(line[name].strip().lower() for name in voters)
    if final is not None:
        settled = line[final].strip().lower()
    else:
        settled = "include" if line["label_included"].strip() == "1" else "exclude"
    for verdict in (*verdicts, settled):
        if verdict not in _VERDICTS:
            raise BadData(f"{file}, row {number}: {verdict!r} is no verdict.")
    if not verdicts:
        raise BadData(f"{file} has no column reviewer_1 … that is filled in every row.")
    id = line.get("record_id") or str(number)
    return Row(id, verdicts, counted(settled), {**line, "record_id": id})
