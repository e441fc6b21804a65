"""The graph of a model: as BERT is defined, here written once more and plainly."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from scipy.special import erf, softmax

from tandem.ranking import minilm, minilm_graph

CONFIG = {
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "layer_norm_eps": 1e-12,
}
PIECES, WIDE, LONGEST = 11, 16, 6
Array = NDArray[Any]


def weights() -> dict[str, NDArray[np.float32]]:
    dice = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (PIECES, 8),
        "embeddings.position_embeddings.weight": (LONGEST, 8),
        "embeddings.token_type_embeddings.weight": (2, 8),
        "embeddings.LayerNorm.weight": (8,),
        "embeddings.LayerNorm.bias": (8,),
    }
    for layer in range(2):
        for part, n_out, n_in in (
            ("attention.self.query", 8, 8),
            ("attention.self.key", 8, 8),
            ("attention.self.value", 8, 8),
            ("attention.output.dense", 8, 8),
            ("intermediate.dense", WIDE, 8),
            ("output.dense", 8, WIDE),
        ):
            shapes[f"encoder.layer.{layer}.{part}.weight"] = (n_out, n_in)
            shapes[f"encoder.layer.{layer}.{part}.bias"] = (n_out,)
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{layer}.{part}.weight"] = (8,)
            shapes[f"encoder.layer.{layer}.{part}.bias"] = (8,)
    return {name: dice.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def plainly(known: dict[str, NDArray[np.float32]], ids: list[int]) -> Array:
    def linear(x: Array, name: str) -> Array:
        made: Array = x @ known[f"{name}.weight"].T + known[f"{name}.bias"]
        return made

    def normalised(x: Array, name: str) -> Array:
        spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
        made: Array = (x - x.mean(axis=-1, keepdims=True)) / spread
        return made * known[f"{name}.weight"] + known[f"{name}.bias"]

    x: Array = known["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x = x + known["embeddings.position_embeddings.weight"][: len(ids)]
    x = normalised(x + known["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in ("encoder.layer.0", "encoder.layer.1"):
        seen = np.empty_like(x)
        q, k, v = (
            linear(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value")
        )
        for head in (slice(0, 4), slice(4, 8)):
            share = softmax(q[:, head] @ k[:, head].T / 2.0, axis=-1)
            seen[:, head] = share @ v[:, head]
        attended = linear(seen, f"{layer}.attention.output.dense")
        x = normalised(x + attended, f"{layer}.attention.output.LayerNorm")
        wide = linear(x, f"{layer}.intermediate.dense")
        wide = wide * (1 + erf(wide / np.sqrt(2))) / 2
        x = normalised(x + linear(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    mean: Array = x.mean(axis=0)
    return mean


def test_the_graph_is_bert_with_a_mean_at_its_end(tmp_path: Path) -> None:
    known = weights()
    model = minilm_graph.make(known, CONFIG)
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / "graph.onnx")
    session = minilm.opened(tmp_path / "graph.onnx")

    ids = np.array([[1, 7, 3, 9, 2], [1, 4, 2, 0, 0]], np.int64)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.float32)
    (vectors,) = session.run(None, {"ids": ids, "mask": mask})

    assert vectors[0] == pytest.approx(plainly(known, [1, 7, 3, 9, 2]), abs=1e-4)
    assert vectors[1] == pytest.approx(plainly(known, [1, 4, 2]), abs=1e-4), "the rest is masked"
