"""How high mistaken excludes stand in the list of those that deserve a second look.

    python benchmarks/second_looks.py ../shared/data/labelled --share 0.1

Of each file everything is decided as labelled, but that a share of the relevant records, drawn
chosen again for each of three seeds, is excluded by mistake. Prints, per file and over files, which
share of the mistakes is among the first excludes of the list: as many as there are mistakes, and
the first 1 %, 5 % and 10 %; and the seconds that the five fits took.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from tandem.ranking.learning import Labels
from tandem.ranking.recipes import recipe
from tandem.ranking.second_look_scores import likeness
from tandem.ranking.simulate import prepared
from tandem.ranking.simulate_files import Labelled, read_labelled

SEEDS = (1, 2, 3)
SHARES = (0.01, 0.05, 0.1)


def found_among(labelled: Labelled, share: float, model: str) -> tuple[list[float], float]:
    """Return the mean shares of mistakes found, and the mean seconds."""
    how = recipe(model)
    features = prepared(labelled, how.words, how.sentences).features
    relevant = np.flatnonzero(labelled.labels == 1)
    n_mistakes = max(1, round(share * relevant.size))
    found, seconds = [], []
    for seed in SEEDS:
        mistakes = np.random.default_rng(seed).choice(relevant, n_mistakes, replace=False)
        values = (labelled.labels == 1).astype(np.float64)
        values[mistakes] = 0.0
        labels = Labels(np.arange(values.size), values)
        started = time.perf_counter()
        rows, scores = likeness(features, labels=labels, recipe=how, seed=seed)
        seconds.append(time.perf_counter() - started)
        order = rows[np.argsort(-scores, kind="stable")]
        depths = [n_mistakes, *(max(1, round(part * order.size)) for part in SHARES)]
        found.append([np.isin(mistakes, order[:depth]).mean() for depth in depths])
    return np.mean(found, axis=0).tolist(), float(np.mean(seconds))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--share", type=float, default=0.1)
    arguments.add_argument("--model", default="tandem-1-words")
    given = arguments.parse_args()
    print(f"{'':34} {'n':>6} {'as many':>8} {'1 %':>6} {'5 %':>6} {'10 %':>6} {'s':>7}")
    rows = []
    for path in sorted(given.folder.glob("*.csv.gz")):
        labelled = read_labelled(path)
        shares, seconds = found_among(labelled, given.share, given.model)
        rows.append(shares)
        line = " ".join(f"{value:6.0%}" for value in shares[1:])
        name = path.name.removesuffix(".csv.gz")
        print(f"{name:34} {labelled.labels.size:6} {shares[0]:8.0%} {line} {seconds:7.2f}")
    mean = np.mean(rows, axis=0).tolist()
    print(f"{'mean':34} {'':6} {mean[0]:8.0%} " + " ".join(f"{value:6.0%}" for value in mean[1:]))


if __name__ == "__main__":
    main()
