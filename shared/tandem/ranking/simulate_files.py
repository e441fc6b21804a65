"""Reads labelled files, which simulations replay."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tandem.errors import TandemError

LABEL_COLUMNS = ("label_included", "included", "label")
"""Names of a column of labels; a file that has several is read by the first in this list."""

_MISSING = frozenset(
    {"#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "n/a", "NULL", "null", "None"}
    | {"NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"}
)
"""Cells that `pandas.read_csv` takes for empty; the peers that we compare with load by it."""

_LONGEST_CELL = 2**31 - 1


class UnreadableFile(TandemError):
    """A file cannot be opened, or is not the CSV that it should be."""

    code = "unreadable_file"


class UnusableLabels(TandemError):
    """A file's labels are missing, are not 0 and 1, or leave nothing to simulate."""

    code = "unusable_labels"


@dataclass(frozen=True, eq=False)
class Labelled:
    """A screened file: its name as given, title and abstract of each record, labels 1 and 0.

    Two readings of one file are not equal: what is made of a file is kept by identity.
    """

    file: str
    texts: list[tuple[str, str]]
    labels: NDArray[np.int8]


def read_labelled(path: Path) -> Labelled:
    """Read a CSV, plain or `.gz`, in UTF-8, with a title or an abstract and a label column.

    Columns are parted by whatever parts the most of them: commas, semicolons or tabs.

    Raises:
        UnreadableFile: There is no such file, or it is no CSV with these columns.
        UnusableLabels: It has no label column, or a label is neither 0 nor 1.
    """
    csv.field_size_limit(_LONGEST_CELL)  # the default of 128 kB is for tables, not for texts
    try:
        packed = path.read_bytes()
        if path.suffix.lower() == ".gz":
            packed = gzip.decompress(packed)
        text = packed.decode("utf-8-sig")
        mark = max(",;\t", key=lambda mark: len(next(_table(text, mark), ())))
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
        return _labelled(str(path), rows.fieldnames or (), rows)
    except FileNotFoundError:
        raise UnreadableFile(f"There is no file {path}.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"{path} cannot be read: {error}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path} is not in UTF-8 (byte {error.start}).") from error
    except csv.Error as error:
        raise UnreadableFile(f"{path} is not a well-formed CSV: {error}.") from error


def _table(text: str, mark: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)


def _labelled(file: str, columns: Sequence[str], rows: Iterator[dict[str, str]]) -> Labelled:
    label_column = next((name for name in LABEL_COLUMNS if name in columns), None)
    if label_column is None:
        wanted = ", ".join(LABEL_COLUMNS)
        raise UnusableLabels(f"{file} has no label column: none of {wanted} is in its header.")
    if not {"title", "abstract"} & set(columns):
        raise UnreadableFile(f"{file} has neither a title nor an abstract column.")
    texts, labels = [], []
    for number, row in enumerate(rows, start=1):
        if None in row:
            raise UnreadableFile(f"{file}: record {number} has more cells than the header.")
        texts.append((_cell(row.get("title")), _cell(row.get("abstract"))))
        labels.append(_label(file, number, row[label_column]))
    return Labelled(file=file, texts=texts, labels=np.array(labels, dtype=np.int8))


def _cell(value: str | None) -> str:
    return "" if value is None or value in _MISSING else value


def _label(file: str, number: int, value: str | None) -> int:
    """Read 0 and 1; also 1.0, which spreadsheets make of them, and true and false."""
    match (value or "").strip().lower():
        case "1" | "1.0" | "true":
            return 1
        case "0" | "0.0" | "false":
            return 0
        case _:
            raise UnusableLabels(
                f"{file}: the label of record {number} is {value or ''!r}, but 0 or 1 is needed."
            )
