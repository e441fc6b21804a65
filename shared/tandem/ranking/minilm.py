"""Runs the sentence model: texts to vectors, by a graph that `minilm_graph` made."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

DIMENSIONS = 384
MOST_PIECES = 256
"""Word pieces of a text that the model reads: it has learnt from no longer ones."""

_BATCH = 4
"""Texts of about the same length go through the model together; more at once are no faster."""

_THREADS = 2
"""Requests and trainings have the other cores."""


def opened(graph: Path) -> Any:
    """Return the session of a graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(_THREADS, os.cpu_count() or 1)
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def tokenizer(folder: Path) -> "Tokenizer":
    """Return what cuts texts into word pieces, with the model's vocabulary."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.enable_truncation(MOST_PIECES)
    made.no_padding()
    return made


def vectors(session: Any, tokenizer: "Tokenizer", texts: Sequence[str]) -> NDArray[np.float32]:
    """Return what the model makes of each text, shape (n, DIMENSIONS), of any length."""
    cut = tokenizer.encode_batch(list(texts))
    made = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for rows in _batches(cut):
        longest = max(len(cut[row].ids) for row in rows)
        ids = np.zeros((len(rows), longest), np.int64)
        mask = np.zeros((len(rows), longest), np.float32)
        for line, row in enumerate(rows):
            ids[line, : len(cut[row].ids)] = cut[row].ids
            mask[line, : len(cut[row].ids)] = 1
        (made[rows],) = session.run(None, {"ids": ids, "mask": mask})
    return made


def _batches(cut: "Sequence[Encoding]") -> Iterator[list[int]]:
    """Yield rows of about the same length: what fills a line up costs as much as words."""
    by_length = sorted(range(len(cut)), key=lambda row: len(cut[row].ids))
    for start in range(0, len(cut), _BATCH):
        yield by_length[start : start + _BATCH]
