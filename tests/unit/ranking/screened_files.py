"""Small reviews that are screened already, as files."""

import csv
import gzip
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tandem.ranking.recipes import recipe

U4 = recipe("elas-u4")


N, N_RELEVANT = 60, 12


def records(n: int = N, *, relevant_every: int = 5) -> list[tuple[str, str, str]]:
    """Relevant records share words that the others lack, in part."""
    random = np.random.RandomState(0)
    words = [f"word{number}" for number in range(200)]

    def record(row: int) -> tuple[str, str, str]:
        relevant = row % relevant_every == 0
        topic = words[:20] if relevant else words[10:60]
        text = [*random.choice(topic, 5), *random.choice(words, 15)]
        return f"Title {row}", " ".join(text), "1" if relevant else "0"

    return [record(row) for row in range(n)]


def write(
    path: Path,
    rows: Iterable[Iterable[str]] | None = None,
    header: str = "title,abstract,label_included",
) -> Path:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        file.write(header + "\n")
        csv.writer(file).writerows(records() if rows is None else rows)
    return path
