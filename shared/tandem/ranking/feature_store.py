"""Features of a review's records, computed once for each change of its texts.

A folder is named by everything its content depends on, so a stale one is not met: by the number and
the state of the texts, by how they are read, and by what the review asks for.
"""

import hashlib
import os
import shutil
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.log import logger
from tandem.progress import OnProgress, no_progress
from tandem.ranking import features
from tandem.ranking.features import Features
from tandem.ranking.recipes import Recipe
from tandem.ranking.stored_texts import StoredTexts
from tandem.records import import_work, seeds
from tandem.records.models import Record
from tandem.reviews import service as reviews
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
        labels_seq: The review's, when it was asked for its texts.
        corpus_seq: Likewise.
        key: Of the state that they are of, see `key_of`; while a file is read, of an earlier one.
    """

    numbers: NDArray[np.int32]
    features: Features
    labels_seq: int
    corpus_seq: int
    key: str

    def among(self, numbers: Iterable[RecordNumber]) -> list[RecordNumber]:
        """Return those of the records that are in it, ascending.

        Not in it are records that are linked to another one, and those that came after it.
        """
        return sorted(set(numbers).intersection(self.numbers.tolist()))

    def rows(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        """Return the rows of records by their numbers, all of which must be there."""
        return np.searchsorted(self.numbers, np.asarray(numbers, dtype=np.int32)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the features of one state of a review's texts are, or will be.

    Attributes:
        query: What the review says it looks for.
        made_as: The same where texts are read alike and the same is looked for.
        key: Of the folder in the artifacts, see `key_of`.
        folder: Itself, or a local copy of it.
    """

    review: Review
    query: str
    made_as: str
    key: str
    folder: Path

    def corpus(self, numbers: NDArray[np.int32], made: Features, key: str) -> Corpus:
        return Corpus(numbers, made, self.review.labels_seq, self.review.corpus_seq, key)


def load_or_build(
    database: Database,
    artifacts: Artifacts,
    cache: Path,
    review_id: ReviewId,
    recipe: Recipe,
    on_progress: OnProgress = no_progress,
) -> Corpus:
    """Return the review's corpus as of one moment after the call.

    No transaction is open while features are computed, which takes a quarter of an hour for a
    million records: SQLite's log would grow all that time, and PostgreSQL could not clean up.

    While a file is being read its records come in batches, and to compute the features of all
    after each of them would take longer than the import. Until its end the newest features
    there are serve.

    Args:
        database: Read in short sessions.
        artifacts: Where workers share what one of them has computed.
        cache: A local folder, for stores that are not one themselves.
        review_id: The review.
        recipe: How the texts are read.
        on_progress: Called with the share that is done, where there is anything to compute.
    """
    with database.read() as session:
        at = _place(session, artifacts, cache, review_id, recipe)
        is_reading = import_work.is_reading(session, review_id)
    found = _load(at.folder) or (_download(artifacts, at.key, at.folder) and _load(at.folder))
    if found:
        return at.corpus(*found, at.key)
    if is_reading and (before := _newest_before(at)):
        return before
    parent = at.folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(parent)
    with TemporaryDirectory(
        dir=parent, prefix=_IN_THE_MAKING, ignore_cleanup_errors=True
    ) as making:
        made_in = Path(making)
        with database.read() as session:
            at = _place(session, artifacts, cache, review_id, recipe)
            numbers, texts = _copied(session, review_id, made_in / "texts")
        _log.info("computing features", review_id=str(review_id), n_records=len(texts))
        made = features.build(
            texts, recipe.words, query=at.query, on_progress=on_progress, folder=made_in
        )
        features.save(made, at.folder, made_in)
        del made
    _save_numbers(numbers, at.folder)
    _upload(artifacts, at.key, at.folder)
    _remove_older(artifacts, at)
    return at.corpus(numbers, features.load(at.folder), at.key)


def key_of(review: Review, recipe: Recipe, sought: Sequence[str]) -> str:
    """Return what is another one where features would be: texts, how they are read, the question.

    `sought` are titles of studies that the review looks for and does not have.
    """
    made_as = _made_as(recipe, query_text(review, sought))
    return f"features/{review.id}/{review.corpus_seq}-{made_as}-{review.corpus_state}"


def _made_as(recipe: Recipe, query: str) -> str:
    asked = hashlib.sha256(query.encode()).hexdigest()[:12]
    return f"{features.feature_key(recipe.words)}-{asked}"


def _place(
    session: Session, artifacts: Artifacts, cache: Path, review_id: ReviewId, recipe: Recipe
) -> _Place:
    review = reviews.get_review(session, review_id)
    known = seeds.find(session, review_id, review.seed_studies)
    sought = seeds.missing_titles(known)
    query, key = query_text(review, sought), key_of(review, recipe, sought)
    folder = artifacts.local_path(key) or cache / key
    return _Place(review, query, _made_as(recipe, query), key, folder)


def _copied(
    session: Session, review_id: ReviewId, file: Path
) -> tuple[NDArray[np.int32], StoredTexts]:
    """Return the numbers of the records that are screened, ascending, and their texts."""
    numbers = array("i")
    query = (
        select(Record.number, Record.title, Record.abstract)
        .where(Record.review_id == review_id, Record.is_shown)
        .order_by(Record.number)
        .execution_options(yield_per=1000)
    )

    def texts() -> Iterator[tuple[str, str]]:
        with session.execute(query) as rows:
            for number, title, abstract in rows:
                numbers.append(number)
                yield title, abstract

    stored = StoredTexts(texts(), file)
    return np.array(numbers, np.int32), stored


def _newest_before(at: _Place) -> Corpus | None:
    """Return the newest corpus of the same making that this worker has, of fewer records."""
    parent, made_as, now_at = at.folder.parent, at.made_as, at.review.corpus_seq
    there = {
        int(seq): folder
        for folder in (parent.iterdir() if parent.is_dir() else ())
        for seq, _, rest in [folder.name.partition("-")]
        if seq.isdigit() and rest.startswith(f"{made_as}-") and int(seq) < now_at
    }
    for seq in sorted(there, reverse=True):
        if found := _load(there[seq]):
            return at.corpus(*found, f"features/{at.review.id}/{there[seq].name}")
    return None


def query_text(review: Review, sought: Sequence[str] = ()) -> str:
    """Return what the review says it looks for, `sought` titles included; "" if nothing."""
    return "\n".join(filter(None, [review.question, *review.criteria_include, *sought]))


def _load(folder: Path) -> tuple[NDArray[np.int32], Features] | None:
    # The numbers are written last: where they are, everything else is.
    try:
        return np.load(folder / _NUMBERS), features.load(folder)
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


def _remove_older(artifacts: Artifacts, at: _Place) -> None:
    """Drop what no training of this or a later state asks for. Open maps stay readable."""
    parent, folder = f"features/{at.review.id}", at.folder
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
