"""How much the prior model counts while labels come in, as a picture.

Usage: benchmarks/prior_weight.py DIR [--sets A,B] [--seed 1] > docs/pictures/prior_weight.svg

Each set is read as `tandem simulate` does, trained again after ten labels, with a table that was
learnt without its family. Drawn is the weight of the prior model beside the words' 1.
"""

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from prior_model import unseen
from tandem.ranking.estimator import prior_weight
from tandem.ranking.learning import Labels
from tandem.ranking.ranker import rank
from tandem.ranking.recipes import DEFAULT_MODEL, PRESETS
from tandem.ranking.simulate import draw_priors, prepared
from tandem.ranking.simulate_files import Labelled, read_labelled

_BATCH = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--sets",
        type=lambda text: text.split(","),
        default="EPPI_NIPH_WHO_QES_Chronic_Pain,Cohen_2006_ProtonPumpInhibitors",
    )
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    everything = [read_labelled(path) for path in sorted(asked.folder.glob("*.csv.gz"))]
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for data, marker in zip(everything, "os^Dv" * len(everything), strict=False):
        if (name := Path(data.file).name.split(".")[0]) in asked.sets:
            includes, weights = _weights(data, everything, asked.seed)
            axes.plot(includes, weights, marker=marker, markersize=3, label=name)
    axes.set(
        xlabel="includes found", ylabel="weight of the prior model", ylim=(0, None), xlim=(0, 60)
    )
    axes.grid(color="#dddddd")
    axes.legend(frameon=False)
    svg = io.StringIO()
    figure.savefig(svg, format="svg", metadata={"Date": None})
    sys.stdout.write(svg.getvalue())


def _weights(
    data: Labelled, everything: list[Labelled], seed: int
) -> tuple[list[int], list[float]]:
    preset = PRESETS[DEFAULT_MODEL]
    recipe = unseen(preset, data, everything)
    features = prepared(data, recipe.words, recipe.sentences).features
    read = draw_priors(data, (1, 1), seed)
    includes, weights = list[int](), list[float]()
    while data.labels[read].sum() < data.labels.sum():
        labels = Labels(rows=read, values=data.labels[read].astype(np.float64))
        includes.append(int(labels.values.sum()))
        weights.append(prior_weight(preset, recipe.values, labels))
        pool = np.setdiff1d(np.arange(data.labels.size), read)
        ranked = rank(features, labels=labels, pool=pool, recipe=recipe, seed=seed)
        read = np.concatenate([read, ranked.order[:_BATCH]])
    return includes, weights


if __name__ == "__main__":
    main()
