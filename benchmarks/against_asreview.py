"""Does `tandem simulate` read in ASReview's order, record for record, and at what speed?

    python benchmarks/against_asreview.py DIR --asreview-python VENV/bin/python

DIR holds labelled files NAME.csv or NAME.csv.gz; VENV has asreview==3.0.8. Exit code 1 where
priors or reading order differ anywhere.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tandem.ranking.recipes import recipe
from tandem.ranking.simulate import Simulation, simulate
from tandem.ranking.simulate_files import read_labelled

PEER_SCRIPT = Path(__file__).parents[2] / "shared/tools/asreview_sim.py"


@dataclass(frozen=True)
class Pair:
    name: str
    ours: Simulation
    peer: dict[str, Any]

    @property
    def same_priors(self) -> bool:
        return bool(self.ours.priors == self.peer["priors"])

    @property
    def same_order(self) -> bool:
        return bool(self.ours.found_at == self.peer["found_at_rank"])


def run_peer(python: Path, script: Path, file: Path, seed: int, batch: int) -> dict[str, Any]:
    options = ["--seed", str(seed), "--n-query", str(batch)]
    # Not `resolve`: a venv's python is a link, and what it links to knows nothing of the venv.
    command = [str(path.absolute()) for path in (python, script, file)] + options
    with tempfile.TemporaryDirectory() as scratch:  # the peer leaves a cache where it is run
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=scratch)
    result: dict[str, Any] = json.loads(answer.stdout)
    return result


def table_of(pairs: list[Pair]) -> Table:
    table = Table(title="Ours against ASReview (elas-u4)", title_justify="left")
    for heading in ("set", "seed", "relevant", "same priors", "same order"):
        table.add_column(heading, justify="left" if heading == "set" else "right")
    for heading in ("loss", "ASReview's", "seconds", "ASReview's"):
        table.add_column(heading, justify="right")
    for pair in pairs:
        table.add_row(
            pair.name,
            str(pair.ours.seed),
            f"{pair.ours.n_relevant} of {pair.ours.n}",
            "yes" if pair.same_priors else "NO",
            "yes" if pair.same_order else "NO",
            f"{pair.ours.loss:.5f}",
            f"{pair.peer['loss']:.5f}",
            f"{pair.ours.seconds:.1f}",
            f"{pair.peer['wall_s']:.1f}",
        )
    return table


def files_in(folder: Path, names: str | None) -> dict[str, Path]:
    every = {path.name.split(".csv")[0]: path for path in sorted(folder.glob("*.csv*"))}
    every.pop("INDEX", None)
    if names is None:
        return every
    if missing := set(names.split(",")) - set(every):
        sys.exit(f"not in {folder}: {', '.join(sorted(missing))}")
    return {name: every[name] for name in names.split(",")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--asreview-python", type=Path, required=True)
    parser.add_argument("--peer-script", type=Path, default=PEER_SCRIPT)
    parser.add_argument("--sets", help="names, separated by commas; default: all in DIR")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--batch", type=int, default=1)
    asked = parser.parse_args()

    pairs = []
    progress = Console(stderr=True)
    for name, file in files_in(asked.folder, asked.sets).items():
        data = read_labelled(file)
        for seed in map(int, asked.seeds.split(",")):
            ours = simulate(data, recipe("elas-u4"), seed=seed, batch=asked.batch)
            peer = run_peer(asked.asreview_python, asked.peer_script, file, seed, asked.batch)
            pairs.append(Pair(name, ours, peer))
            progress.print(f"{name}, seed {seed}: {'same' if pairs[-1].same_order else 'DIFFERS'}")
    Console(width=130).print(table_of(pairs))
    return 0 if all(pair.same_priors and pair.same_order for pair in pairs) else 1


if __name__ == "__main__":
    sys.exit(main())
