"""Maps that come with a batch: which file belongs to which record, as a reference manager says."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from tandem.errors import Invalid, TandemError
from tandem.ids import RecordNumber
from tandem.records.duplicates.titles import plain_title
from tandem.records.formats import normalise, reading
from tandem.records.formats.entry import Entry

LARGEST = 50_000_000
"""Bytes of a map."""

_NAMED_FILES = re.compile(
    r"(?:^L[1-4]\s{1,4}-|internal-pdf://|^%>|\bfile\s{0,4}=\s{0,4}[{\"])\s{0,9}([^\n]{1,4000})",
    re.M | re.I,
)
_PATH = re.compile(
    r"(?:([^/\\:;<>|{}\"\n]{1,200})[/\\])?([^/\\:;<>|{}\"\n]{1,250}?\.(?:pdf|docx|txt))(?![\w.])",
    re.I,
)
_FILE_COLUMNS = frozenset(
    {"file", "files", "filename", "path", "pdf", "fulltext", "attachments", "fileattachments"}
)
_RECORD_COLUMNS = frozenset({"record", "recordid", "recordnumber"})
"""No bare `id`: other programs have ids of their own."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a record is known by."""

    number: RecordNumber
    title: str
    doi: str | None
    pmid: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """Of a map: files, and what it says of the record that they belong to."""

    files: Sequence[str]
    number: int | None = None
    doi: str | None = None
    pmid: str | None = None
    title: str = ""


class FileMap:
    """Which records a map gives a file."""

    def __init__(self, lines: Iterable[Line] = (), records: Iterable[Known] = ()) -> None:
        self._records: Mapping[str, set[RecordNumber]] = defaultdict(set)
        finder = _Finder(records)
        for line in lines:
            for file in line.files:
                for key in _keys(file):
                    self._records[key].update(finder.find(line))

    def of(self, name: str, *, is_unique: bool = True) -> list[RecordNumber]:
        """Return the records of a file: by its folder and name where the map has that.

        Its name alone counts only if it `is_unique` among the files that came with it.
        """
        keys = _keys(name)
        for key in keys if is_unique else keys[:1]:
            if found := self._records.get(key):
                return sorted(found)
        return []


def _keys(path: str) -> list[str]:
    """Return the name with its folder first: EndNote keeps each file in a folder of its own."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    name = basename(path)
    return [f"{basename(parts[-2])}/{name}", name] if len(parts) > 1 else [name]


class _Finder:
    def __init__(self, records: Iterable[Known]) -> None:
        self._by: dict[tuple[str, str | None], set[RecordNumber]] = defaultdict(set)
        for each in records:
            named = {"number": str(each.number), "doi": each.doi, "pmid": each.pmid}
            for kind, value in (named | {"title": _title(each.title)}).items():
                if value:
                    self._by[kind, value].add(each.number)

    def find(self, line: Line) -> set[RecordNumber]:
        """Return the records that a line is about; several where what it says does not agree."""
        number = None if line.number is None else str(line.number)
        keys = {"number": number, "doi": line.doi, "pmid": line.pmid, "title": _title(line.title)}
        found = [self._by[key] for key in keys.items() if key[1] and key in self._by]
        return (set.intersection(*found) or set.union(*found)) if found else set()


def _title(title: str) -> str:
    return plain_title(title).replace(" ", "")


def read(content: bytes) -> list[Line]:
    """Read a map: RIS with `L1`, EndNote's XML, BibTeX with `file`, or CSV with a column `file`.

    Raises:
        Invalid: It is none of these, or names no file.
    """
    try:
        lines = [*_table(content)] or [*_entries(content)]
    except TandemError as error:
        raise Invalid(f"The map cannot be read. {error}", field="map") from None
    if not lines:
        raise Invalid(
            "The map names no file: RIS does by `L1`, EndNote's XML by `internal-pdf://`, CSV by "
            "a column `file`.",
            field="map",
        )
    return lines


def _entries(content: bytes) -> Iterator[Line]:
    for entry in reading.read(content).entries:
        if isinstance(entry, Entry) and (files := files_of(entry.raw)):
            yield Line(files, doi=entry.doi, pmid=entry.pmid, title=entry.title)


def files_of(raw: str) -> list[str]:
    """Return the files that a record's own text names, each with its folder where it has one."""
    found = []
    for field in _NAMED_FILES.findall(raw):
        found += ["/".join(filter(None, parts)).strip() for parts in _PATH.findall(field)]
    return found


def _table(content: bytes) -> Iterator[Line]:
    """Read a CSV with a column of files; yield nothing where it is none."""
    text = reading.decode(content)
    header = text.lstrip("\ufeff").partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = [re.sub(r"[\W_]", "", name).lower() for name in next(rows, [])]
    column = {name: place for place, name in reversed([*enumerate(names)])}
    files = next((column[name] for name in names if name in _FILE_COLUMNS), None)
    if files is None:
        return
    for row in rows:

        def value(*wanted: str, row: Sequence[str] = row) -> str:
            places = (column[name] for name in wanted if name in column)
            return next((row[at].strip() for at in places if at < len(row) and row[at].strip()), "")

        named = [part.strip() for part in (row[files] if files < len(row) else "").split(";")]
        if any(named):
            number = value(*_RECORD_COLUMNS)
            yield Line(
                [name for name in named if name],
                number=int(number) if number.isascii() and number.isdigit() else None,
                doi=normalise.doi(value("doi")),
                pmid=normalise.pmid(value("pmid")),
                title=value("title"),
            )


def basename(path: str) -> str:
    """Return how a file is called in maps and archives: its own name, folded."""
    return unquote(path.replace("\\", "/")).rstrip("/").rsplit("/", 1)[-1].strip().casefold()
