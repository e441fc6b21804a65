"""The account of a synthesis as tables for a manuscript. Pure."""

from collections.abc import Iterator

from tandem.records.export.tables import csv_line
from tandem.synthesis.account import Matrix


def matrix_csv(matrix: Matrix) -> Iterator[str]:
    """Yield a line for each row and a column for each study: how many passages it gives."""
    keys = [study.key for study in matrix.studies]
    yield csv_line(("row", "path", "kind", "passages", "studies", *keys))
    for row in matrix.rows:
        cells = [len(row.cells[key]) for key in keys]
        path, n_studies = " / ".join(row.path), sum(map(bool, cells))
        yield csv_line((row.name, path, row.kind, row.n_passages, n_studies, *cells))


def passages_csv(matrix: Matrix) -> Iterator[str]:
    """Yield a line for each passage of each row and study, with its words and where they stand."""
    header = ("row", "code", "study", "study_label", "record_id", "report", "coder", "quote")
    yield csv_line((*header, "text_id", "start", "end", "state"))
    for row in matrix.rows:
        for study in matrix.studies:
            for one in row.cells[study.key]:
                yield csv_line(
                    (
                        row.name,
                        one.code,
                        study.key,
                        study.label,
                        one.report,
                        one.label,
                        one.coder,
                        one.quote,
                        None if one.text_id is None else str(one.text_id),
                        one.start,
                        one.end,
                        one.state,
                    )
                )
