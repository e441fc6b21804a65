"""Which relevant records wait longer than others for the same ranking.

Usage: benchmarks/ranking_fairness.py DIR [--models elas-u4,tandem-4] [--seeds 1-3] [--batch 10]

Every labelled file of DIR is replayed. Of its relevant records those of a group (no abstract,
a translated or foreign title, a very long abstract) are set beside the others of the same file:
the mean share of the file that is read before one is found. Files without such a record count
for no group. The table of the prior model is learnt for each file without it and its family.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from prior_model import unseen
from ranking import labelled_files, seed_range
from tandem.ranking.learning import Labels
from tandem.ranking.presets import Preset
from tandem.ranking.ranker import rank
from tandem.ranking.recipes import Recipe, recipe
from tandem.ranking.simulate import draw_priors, prepared
from tandem.ranking.simulate_files import Labelled, read_labelled

LONG_WORDS = 400
FOREIGN_SHARE = 0.25

_FOREIGN = frozenset(
    re.findall(
        r"\w+",
        "der die das und für von mit bei eine einer le la les des du et pour dans une el los las "
        "del en con para por y il di nella per het een van och",
    )
)
"""Small words of other languages that hardly any English title has."""

Group = Callable[[str, str], bool]


@dataclass(frozen=True, eq=False)
class Found:
    """Rows of the relevant records as they are found; the share of the file read until then."""

    rows: NDArray[np.int64]
    places: NDArray[np.float64]


def has_foreign_title(title: str, _abstract: str) -> bool:
    """Whether a title is in brackets, as MEDLINE has translated ones, or in no English."""
    words = re.findall(r"\w+", title.lower())
    foreign = sum(word in _FOREIGN for word in words)
    return title.strip().startswith("[") or foreign > FOREIGN_SHARE * len(words)


GROUPS: Mapping[str, Group] = {
    "no abstract": lambda _title, abstract: not abstract.strip(),
    "abstract of more than 400 words": lambda _title, abstract: len(abstract.split()) > LONG_WORDS,
    "title translated or not English": has_foreign_title,
}


def main() -> int:
    asked = _arguments()
    files = [read_labelled(path) for path in labelled_files(asked.folder, asked.sets)]
    table = Table(title="Share of the file that is read before a relevant record is found, mean")
    for heading in ("group", "records", "in files", "model", "group's", "others'", "difference"):
        table.add_column(heading, justify="left" if heading in ("group", "model") else "right")
    everything = [read_labelled(path) for path in labelled_files(asked.folder, ())]
    for model in asked.models:
        found = {data.file: list[Found]() for data in files}
        for data in files:
            own = recipe(model)
            if isinstance(own, Preset) and own.prior_model:
                own = unseen(own, data, everything)
            found[data.file] = [_replay(data, own, seed, asked.batch) for seed in asked.seeds]
        for name, belongs in GROUPS.items():
            table.add_row(name, *_row(files, found, belongs, model))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return 0


def _replay(data: Labelled, own: Recipe, seed: int, batch: int) -> Found:
    """Read a file to its last relevant record, as `tandem simulate` does."""
    known = draw_priors(data, (1, 1), seed)
    features = prepared(data, own.words, own.sentences).features
    read, rows, places = known, list[int](), list[int]()
    stream = np.random.RandomState(seed)
    while len(rows) < np.sum(data.labels == 1) - 1:
        labels = Labels(rows=read, values=data.labels[read].astype(np.float64))
        pool = np.setdiff1d(np.arange(data.labels.size), read)
        ranked = rank(
            features, labels=labels, pool=pool, recipe=own, seed=seed, random_state=stream
        )
        now = ranked.order[:batch]
        hits = np.flatnonzero(data.labels[now] == 1)
        rows += now[hits].tolist()
        places += (hits + 1 + read.size - known.size).tolist()
        read = np.concatenate([read, now])
    return Found(np.array(rows), np.array(places) / (data.labels.size - known.size))


def _row(
    files: list[Labelled], found: Mapping[str, list[Found]], belongs: Group, model: str
) -> list[str]:
    n_records, own, others = 0, list[float](), list[float]()
    n_files = 0
    for data in files:
        in_group = np.array([belongs(*text) for text in data.texts])
        n_here = int(np.sum(in_group & (data.labels == 1)))
        mine, rest = _shares(found[data.file], in_group)
        if not mine.size:  # none, or the one that was known at the start
            continue
        n_records, n_files = n_records + n_here, n_files + 1
        # A file counts as often as it has records of the group, for the others too.
        own += [float(mine.mean())] * n_here
        others += [float(rest.mean())] * n_here
    if not n_records:
        return ["0", "0", model, "", "", ""]
    mean, beside = float(np.mean(own)), float(np.mean(others))
    return [
        str(n_records), str(n_files), model, f"{mean:.1%}", f"{beside:.1%}",
        f"{100 * (mean - beside):+.1f} points",
    ]  # fmt: skip


def _shares(
    found: list[Found], in_group: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the places of a group's records and of the others', over all seeds."""
    rows = np.concatenate([run.rows for run in found])
    places = np.concatenate([run.places for run in found])
    return places[in_group[rows]], places[~in_group[rows]]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=lambda text: text.split(","), default="elas-u4,tandem-4")
    parser.add_argument("--seeds", type=seed_range, default="1-3")
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--sets", type=lambda text: text.split(","), default=[])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
