"""What one training takes beside `elas-u4`'s, and how much memory the features take.

    python benchmarks/fitting.py ../shared/data/labelled

The first set's includes are sought among 5,000 records of all the sets named, with the 1,000
labels that `elas-u4` would have asked for. The models take turns on one thread, so that other
work on the machine falls on all of them; CPU time is that of the process. Features are made in
processes of their own, whose peak is printed. Exit code 1 where `tandem-3-words` or `tandem-4`
takes longer than `elas-u4`, or features more than 400 MiB.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tandem.ranking import features, sentences
from tandem.ranking.features import Features
from tandem.ranking.learning import Labels
from tandem.ranking.ranker import rank
from tandem.ranking.recipes import recipe
from tandem.ranking.simulate_files import read_labelled

RECORDS, LABELS, AT_ONCE = 5000, 1000, 50
SETS = ("ACEInhibitors", "ProtonPumpInhibitors", "ADHD", "Triptans")
MODELS = ("elas-u4", "tandem-3-words", "tandem-4")
MOST_MIB = 400

Texts = list[tuple[str, str]]


def mixed(folder: Path, names: list[str]) -> tuple[Texts, NDArray[np.int64]]:
    """Return texts of all the sets, and 1 for the relevant ones of the first."""
    sets = [read_labelled(folder / f"{name}.csv.gz") for name in names]
    texts = [text for labelled in sets for text in labelled.texts]
    relevant = np.zeros(len(texts), np.int64)
    relevant[: len(sets[0].texts)] = sets[0].labels
    chosen = np.random.RandomState(1).permutation(len(texts))[:RECORDS]
    return [texts[row] for row in chosen], relevant[chosen]


def asked_for(made: Features, relevant: NDArray[np.int64]) -> Labels:
    """Return the labels that `elas-u4` gathers, from one of each kind on."""
    rows = np.array([relevant.argmax(), relevant.argmin()])
    while rows.size < LABELS:
        labels = Labels(rows, relevant[rows].astype(np.float64))
        pool = np.setdiff1d(np.arange(relevant.size), rows)
        best = rank(made, labels=labels, pool=pool, recipe=recipe("elas-u4"), seed=1).order
        rows = np.concatenate([rows, best[: min(AT_ONCE, LABELS - rows.size)]])
    return Labels(rows, relevant[rows].astype(np.float64))


def trainings(
    made: Mapping[str, Features], labels: Labels, rounds: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Return the milliseconds of each training and ranking, by the clock and of the CPU."""
    pool = np.setdiff1d(np.arange(RECORDS), labels.rows)
    spent: dict[str, tuple[list[float], list[float]]] = {model: ([], []) for model in made}
    for _ in range(rounds):
        for model, known in made.items():
            clock, cpu = time.perf_counter(), time.process_time()
            rank(known, labels=labels, pool=pool, recipe=recipe(model), seed=1)
            spent[model][0].append(1000 * (time.perf_counter() - clock))
            spent[model][1].append(1000 * (time.process_time() - cpu))
    return spent


def peak(model: str) -> float:
    """Return the MiB of a process that reads the sets and makes the model's features."""
    command = [sys.executable, *sys.argv, "--only-build", model]
    # `getrusage` would count what the parent had when it forked.
    return int(subprocess.run(command, check=True, capture_output=True).stdout) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", default=[f"Cohen_2006_{name}" for name in SETS])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--only-build", choices=MODELS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    texts, relevant = mixed(asked.folder, asked.sets)
    if asked.only_build:
        features.build(texts, recipe(asked.only_build).words)
        print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
        return 0
    made = {model: features.build(texts, recipe(model).words) for model in MODELS}
    if sentences.is_installed():
        made["tandem-4"] = replace(made["tandem-4"], sentences=sentences.encode_once(texts))
    else:
        del made["tandem-4"]
    spent = trainings(made, asked_for(made["elas-u4"], relevant), asked.rounds)
    failed = False
    for model, (clock, cpu) in spent.items():
        print(f"{model}: best {min(clock):.1f} ms (CPU {min(cpu):.1f}), "
              f"median {np.median(clock):.1f} (CPU {np.median(cpu):.1f})")  # fmt: skip
        failed |= min(cpu) > min(spent["elas-u4"][1])
    for model in ("elas-u4", "tandem-3-words"):
        print(f"features of {model}: {(most := peak(model)):.0f} MiB")
        failed |= most > MOST_MIB
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
