"""Features of a review's records, computed once for each change of its texts.

A folder is named by everything its content depends on, so a stale one is not met: by the number and
the state of the texts, by how they are read, and by what the review asks for.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.ids import RecordNumber, ReviewId
from tandem.log import logger
from tandem.progress import OnProgress, no_progress
from tandem.ranking import features
from tandem.ranking.features import Features
from tandem.ranking.recipes import Recipe
from tandem.records import import_work
from tandem.records.models import Record
from tandem.reviews.models import Review

_NUMBERS = "numbers.npy"
_IN_THE_MAKING = ".made-"
_SURELY_LEFT_SECONDS = 24 * 3600
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Corpus:
    """The records that are screened, and what the ranking knows of their texts.

    Attributes:
        numbers: Record numbers, shape (n,), ascending; row i of the features is numbers[i].
        features: Of these records.
    """

    numbers: NDArray[np.int32]
    features: Features

    def among(self, numbers: Iterable[RecordNumber]) -> list[RecordNumber]:
        """Return those of the records that are in it, ascending.

        Not in it are records that are linked to another one, and those that came after it.
        """
        return sorted(set(numbers).intersection(self.numbers.tolist()))

    def rows(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        """Return the rows of records by their numbers, all of which must be there."""
        return np.searchsorted(self.numbers, np.asarray(numbers, dtype=np.int32)).astype(np.int64)


def load_or_build(
    session: Session,
    artifacts: Artifacts,
    cache: Path,
    review: Review,
    recipe: Recipe,
    sought: Sequence[str] = (),
    on_progress: OnProgress = no_progress,
) -> Corpus:
    """Return the review's corpus as of the session's snapshot.

    While a file is being read its records come in batches, and to compute the features of all
    after each of them would take longer than the import. Until its end the newest features
    there are serve.

    Args:
        session: Sees one state of the review throughout.
        artifacts: Where workers share what one of them has computed.
        cache: A local folder, for stores that are not one themselves.
        review: As of that state.
        recipe: How the texts are read.
        sought: Titles of studies that the review looks for and does not have.
        on_progress: Called with the share that is done, where there is anything to compute.
    """
    query = query_text(review, sought)
    asked = hashlib.sha256(query.encode()).hexdigest()[:12]
    made_as = f"{features.feature_key(recipe.words)}-{asked}"
    name = f"{review.corpus_seq}-{made_as}-{review.corpus_state}"
    key = f"features/{review.id}/{name}"
    folder = artifacts.local_path(key) or cache / key
    corpus = _load(folder) or (_download(artifacts, key, folder) and _load(folder))
    if corpus:
        return corpus
    if import_work.is_reading(session, review.id):
        before = _newest_before(review, folder.parent, made_as)
        if before:
            return before
    texts = _Texts(session, review.id)
    _log.info("computing features", review_id=str(review.id), n_records=len(texts))
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(folder.parent)
    with TemporaryDirectory(
        dir=folder.parent, prefix=_IN_THE_MAKING, ignore_cleanup_errors=True
    ) as made_in:
        made = features.build(
            texts, recipe.words, query=query, on_progress=on_progress, folder=Path(made_in)
        )
        features.save(made, folder, Path(made_in))
        del made
    _save_numbers(texts.numbers, folder)
    _upload(artifacts, key, folder)
    _remove_older(artifacts, review, folder)
    return Corpus(texts.numbers, features.load(folder))


def _newest_before(review: Review, parent: Path, made_as: str) -> Corpus | None:
    """Return the newest corpus of the same making that this worker has, of fewer records."""
    there = {
        int(seq): folder
        for folder in (parent.iterdir() if parent.is_dir() else ())
        for seq, _, rest in [folder.name.partition("-")]
        if seq.isdigit() and rest.startswith(f"{made_as}-") and int(seq) < review.corpus_seq
    }
    return next(filter(None, (_load(there[seq]) for seq in sorted(there, reverse=True))), None)


def query_text(review: Review, sought: Sequence[str] = ()) -> str:
    """Return what the review says it looks for, `sought` titles included; "" if nothing."""
    return "\n".join(filter(None, [review.question, *review.criteria_include, *sought]))


class _Texts(Collection[tuple[str, str]]):
    """Titles and abstracts of a review's records, read from the database each time.

    All of them in memory would be a third of what features take. The session sees one state.
    """

    def __init__(self, session: Session, review_id: ReviewId) -> None:
        self._session = session
        self._shown = (Record.review_id == review_id, Record.duplicate_of.is_(None))
        found = session.scalars(select(Record.number).where(*self._shown).order_by(Record.number))
        self.numbers: NDArray[np.int32] = np.array(found.all(), np.int32)

    def __len__(self) -> int:
        return self.numbers.size

    def __iter__(self) -> Iterator[tuple[str, str]]:
        query = select(Record.title, Record.abstract).where(*self._shown).order_by(Record.number)
        with self._session.execute(query.execution_options(yield_per=1000)) as rows:
            yield from rows

    def __contains__(self, text: object) -> bool:
        return any(one == text for one in self)


def _load(folder: Path) -> Corpus | None:
    # The numbers are written last: where they are, everything else is.
    try:
        return Corpus(np.load(folder / _NUMBERS), features.load(folder))
    except FileNotFoundError:
        return None
    except (EOFError, ValueError) as error:
        # Power was lost while it was written; what it is made of is in the database.
        _log.warning("features are damaged; computing them again", error=str(error))
        return None


def _save_numbers(numbers: NDArray[np.int32], folder: Path) -> None:
    partial = folder / f"partial-{os.getpid()}-{_NUMBERS}"
    np.save(partial, numbers)
    partial.replace(folder / _NUMBERS)


def _download(artifacts: Artifacts, key: str, folder: Path) -> bool:
    if artifacts.local_path(key) is not None or not artifacts.exists(f"{key}/{_NUMBERS}"):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    names = artifacts.list(key)
    for name in sorted(names, key=lambda name: name == _NUMBERS):
        partial = folder / f"partial-{os.getpid()}-{name}"
        partial.write_bytes(artifacts.read(f"{key}/{name}"))
        partial.replace(folder / name)
    return True


def _upload(artifacts: Artifacts, key: str, folder: Path) -> None:
    if artifacts.local_path(key) is not None:
        return
    whole = (path for path in folder.glob("*.npy") if not path.name.startswith("partial-"))
    files = sorted(whole, key=lambda path: path.name == _NUMBERS)
    for path in files:
        with path.open("rb") as file:
            artifacts.write(f"{key}/{path.name}", file)


def _remove_left_behind(parent: Path) -> None:
    """Drop what processes that were ended, for want of memory perhaps, have left half-made."""
    for folder in parent.glob(f"{_IN_THE_MAKING}*"):
        if time.time() - folder.stat().st_mtime > _SURELY_LEFT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_older(artifacts: Artifacts, review: Review, folder: Path) -> None:
    """Drop what no training of this or a later state asks for. Open maps stay readable."""
    parent = f"features/{review.id}"
    for name in artifacts.list(parent):
        if _is_older(name, folder.name):
            artifacts.remove(f"{parent}/{name}")
    for sibling in folder.parent.iterdir():
        if _is_older(sibling.name, folder.name):
            shutil.rmtree(sibling, ignore_errors=True)


def _is_older(name: str, newest: str) -> bool:
    """Return whether it is of fewer texts, or of another state or question and else the same."""
    seq, _, rest = name.partition("-")
    newest_seq, _, newest_rest = newest.partition("-")
    if not seq.isdigit():
        return False
    same_recipe = rest.split("-")[0] == newest_rest.split("-")[0]
    return int(seq) < int(newest_seq) or (seq == newest_seq and same_recipe and rest != newest_rest)
