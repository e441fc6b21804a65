"""What it takes to make a review's features and to rank by them, without database and worker.

    python benchmarks/features_by_size.py --records 10000,100000,1000000

Texts are made up as in `made_up_texts`, and read from a file, as a worker reads them from its
database. Features are made in one process, and each ranking in one of its own, so that each peak
(VmHWM) is its own. Processor time is that of the process. Of the labels a twentieth are includes,
records alike by their word vectors; of the half-done ones another reviewer's decision is to come.
`--json FILE` keeps the figures line by line, as `million.py --plot` draws them. Linux only: it
reads /proc.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from capacity import peak
from made_up_texts import texts
from tandem.ranking import features
from tandem.ranking.learning import Labels
from tandem.ranking.ranker import rank
from tandem.ranking.recipes import recipe

_SEED = 3
_SHARE_OF_INCLUDES = 0.05
_EXPLAINED = 100


class _Kept(Collection[tuple[str, str]]):
    """Titles and abstracts in a file, one a line."""

    def __init__(self, file: Path, n: int) -> None:
        self._file, self._n = file, n

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[tuple[str, str]]:
        with self._file.open(encoding="utf-8") as lines:
            for line in lines:
                title, _, abstract = line.rstrip("\n").partition("\t")
                yield title, abstract

    def __contains__(self, text: object) -> bool:
        return any(one == text for one in self)


def keep(n: int, folder: Path) -> None:
    """Write so many texts; white space of theirs is spaces already."""
    with (folder / "texts").open("w", encoding="utf-8") as file:
        for title, abstract in texts(n):
            file.write(f"{title}\t{abstract}\n")


def build(n: int, folder: Path, model: str) -> dict[str, float]:
    """Make the features, and return what that took."""
    made_in = folder / "made"
    made_in.mkdir()
    kept, words = _Kept(folder / "texts", n), recipe(model).words
    made = features.build(kept, words, query="Which words?", folder=made_in)
    features.save(made, folder / "features", made_in)
    shape, entries = made.matrix.shape, made.matrix.nnz
    size = sum(file.stat().st_size for file in (folder / "features").iterdir()) / 2**20
    return _taken() | {"terms": shape[1], "entries": entries, "disk MiB": size}


def fit(folder: Path, model: str, n_labels: int, n_half_done: int) -> dict[str, float]:
    """Rank by the features, and return what that took."""
    loaded = features.load(folder / "features")
    n, dice = loaded.similarity.size, np.random.RandomState(_SEED)
    rows = np.sort(dice.permutation(n)[:n_labels])
    vectors = loaded.word_vectors
    alike: NDArray[np.floating[Any]] = dice.random_sample(n_labels)
    if vectors is not None:
        alike = vectors[rows] @ np.float32(dice.standard_normal(vectors.shape[1]))
    values = (alike > np.quantile(alike, 1 - _SHARE_OF_INCLUDES)).astype(np.float64)
    half_done = np.sort(dice.permutation(rows)[:n_half_done])
    is_open = np.ones(n, bool)
    is_open[rows] = False
    is_open[half_done] = True
    pool, how = np.flatnonzero(is_open), recipe(model)
    began = time.process_time()
    rank(loaded, labels=Labels(rows, values), pool=pool, recipe=how, seed=1, explained=_EXPLAINED)
    return _taken() | {"CPU": time.process_time() - began}


def _taken() -> dict[str, float]:
    return {"CPU": time.process_time(), "MiB": peak(os.getpid())}


def _alone(*command: object) -> dict[str, float]:
    """Run a part of this benchmark in a process of its own."""
    line = [sys.executable, __file__, "--alone", *map(str, command)]
    done = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(n: int, model: str, labels: list[tuple[int, int]]) -> dict[str, dict[str, float]]:
    with TemporaryDirectory(prefix="tandem-features-") as name:
        folder = Path(name)
        keep(n, folder)
        found = {"features": _alone("build", n, folder, model)}
        print(n, found, file=sys.stderr)
        for n_labels, n_half_done in labels:
            if n_labels <= n:
                step = f"{n_labels:,} labels, {n_half_done:,} half done"
                found[step] = _alone("fit", folder, model, n_labels, n_half_done)
                print(n, step, found[step], file=sys.stderr)
        return found


def main() -> None:
    if sys.argv[1:2] == ["--alone"]:
        part, *rest = sys.argv[2:]
        if part == "build":
            print(json.dumps(build(int(rest[0]), Path(rest[1]), rest[2])))
        else:
            print(json.dumps(fit(Path(rest[0]), rest[1], int(rest[2]), int(rest[3]))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", default="10000,100000")
    parser.add_argument("--model", default="tandem-3-words")
    parser.add_argument("--labels", default="1000:0,5000:0,5000:500,10000:0")
    parser.add_argument("--json", type=Path, help="a file to which figures are added")
    asked = parser.parse_args()
    labels = [tuple(map(int, pair.split(":"))) for pair in asked.labels.split(",")]
    table = Table(title="processor seconds; MiB at the peak", title_justify="left")
    sizes = [*map(int, asked.records.split(","))]
    found = {}
    for n in sizes:
        found[n] = measure(n, asked.model, [(n_labels, n_half) for n_labels, n_half in labels])
        if asked.json:
            with asked.json.open("a") as file:
                line = {"records": n, "engine": "features alone", "steps": found[n]}
                file.write(json.dumps(line) + "\n")
    for column in ("", *(f"{n:,}" for n in sizes)):
        table.add_column(column, justify="right" if column else "left")
    for step in dict.fromkeys(step for steps in found.values() for step in steps):
        cells = [found[n].get(step) for n in sizes]
        shown = ("" if one is None else f"{one['CPU']:.1f}; {one['MiB']:.0f}" for one in cells)
        table.add_row(step, *shown)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
