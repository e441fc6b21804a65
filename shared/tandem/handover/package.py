"""The zip of a hand-over: references that link to the files, tables, and a manifest. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tandem.handover.archive import Entry, Manifest
from tandem.handover.contents import Contents
from tandem.handover.model import ExcludedReport, Handover, ReportFile, filename, sentence
from tandem.records.export import csl_json, ris
from tandem.records.export.record import ExportedRecord, one_line
from tandem.records.export.tables import Cell, csv_line

STUDY_FIELDS = ("country", "population", "n_participants", "data_collection", "methodology", "aim")
"""Item 8 of ENTREQ. They are what the team wrote into a study's fields; else they are empty."""

_FOLDER = "texts"


@dataclass(frozen=True, slots=True)
class Named:
    """A file of a report with the path that it has in the zip."""

    path: str
    file: ReportFile


def entries(handover: Handover, contents: Contents, *, texts: bool) -> Iterator[Entry]:
    """Yield the files of the zip; the manifest, with the digests of the others, is the last."""
    manifest = Manifest()
    yield from manifest.counted(files(handover, contents, texts=texts))
    header = ("file", "bytes", "sha256")
    yield Entry("manifest.csv", [_table([header, *manifest.lines])])


def files(handover: Handover, contents: Contents, *, texts: bool) -> Iterator[Entry]:
    """Yield the files of the zip but its manifest."""
    named = names(handover) if texts else {}
    yield Entry("included.ris", (part.encode() for part in with_links(handover, named)))
    items = csl_json.write(report.record for report in handover.reports)
    yield Entry("included.json", (part.encode() for part in items))
    yield Entry("studies.csv", [_table(study_rows(handover))])
    yield Entry("excluded.csv", [_table(excluded_rows(handover.excluded))])
    for some in named.values():
        for one in some:
            yield Entry(one.path, contents.file(one.file))


def names(handover: Handover) -> dict[int, list[Named]]:
    """Return the files of each report with their paths."""
    taken, found = set[str](), dict[int, list[Named]]()
    for report in handover.reports:
        found[report.number] = []
        for file in report.files:
            name = filename(report, file, taken)
            taken.add(name)
            found[report.number].append(Named(f"{_FOLDER}/{name}", file))
    return found


def with_links(handover: Handover, named: dict[int, list[Named]]) -> Iterator[str]:
    """Yield the included reports as RIS; `L1` names the file, beside which Zotero looks."""
    end = "ER  - "
    for report in handover.reports:
        (text,) = ris.write([report.record])
        links = "".join(f"L1  - {one.path}\r\n" for one in named.get(report.number, ()))
        before, _, after = text.rpartition(end)
        yield f"{before}{links}{end}{after}"


def study_rows(handover: Handover) -> Iterator[Sequence[Cell]]:
    """Yield a header and a row for each study."""
    yield ("study", "label", "reports", "citations", "dois", "years", *STUDY_FIELDS, "other_fields")
    by_number = {report.number: report for report in handover.reports}
    for study in handover.studies:
        reports = [by_number[number] for number in study.reports]
        own = [study.fields.get(name) for name in STUDY_FIELDS]
        others = {name: of for name, of in study.fields.items() if name not in STUDY_FIELDS}
        yield (
            study.key,
            one_line(study.label),
            "; ".join(str(number) for number in study.reports),
            "; ".join(citation(report.record) for report in reports),
            "; ".join(report.record.doi for report in reports if report.record.doi),
            "; ".join(str(report.record.year) for report in reports if report.record.year),
            *(_cell(value) for value in own),
            json.dumps(others, ensure_ascii=False, sort_keys=True) if others else "",
        )


def excluded_rows(excluded: Sequence[ExcludedReport]) -> Iterator[Sequence[Cell]]:
    """Yield a header and a row for each report that was excluded at full text, with its reason."""
    yield ("record_id", "citation", "title", "authors", "year", "journal", "doi", "reason", "seq")
    for one in excluded:
        record = one.record
        yield (
            record.id,
            citation(record),
            one_line(record.title),
            "; ".join(map(one_line, record.authors)),
            record.year,
            record.journal,
            record.doi,
            one.reason,
            one.seq,
        )


def citation(record: ExportedRecord) -> str:
    """Return the record as a list of references has it, as far as it is known."""
    authors = "; ".join(map(one_line, record.authors)) or "No author"
    parts = [f"{authors} ({record.year or 'n.d.'}). {sentence(record.title)}"]
    if record.journal:
        place = ", ".join(filter(None, [record.journal, record.volume, record.pages]))
        parts.append(f"{one_line(place)}.")
    if record.doi:
        parts.append(f"https://doi.org/{record.doi}")
    return " ".join(parts)


def _cell(value: object) -> Cell:
    if value is None:
        return ""
    if isinstance(value, str | int):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _table(rows: Iterator[Sequence[Cell]] | Sequence[Sequence[Cell]]) -> bytes:
    return "".join(csv_line(row) for row in rows).encode()
