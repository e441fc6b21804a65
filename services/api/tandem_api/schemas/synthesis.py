"""Coded projects that came back, codes, and the account of the synthesis."""

from datetime import datetime
from typing import Any

from pydantic import Field

from tandem.handover.code_book import Code
from tandem.handover.code_books import ReviewCodes
from tandem.handover.model import HandedStudy
from tandem.handover.models import CodeKind
from tandem.ids import CodeId
from tandem.synthesis import account
from tandem.synthesis.account import Matrix, RowsOf
from tandem.synthesis.imports import ShownImport
from tandem.synthesis.known import SourceMatch
from tandem.synthesis.models import CodedPassage
from tandem.synthesis.placing import PassageState
from tandem_api.schemas.base import Id, In, Out, PersonId, PersonName, RecordId

_QUOTE = "I had been where they are now, and that changed how I saw myself."


class SynthesisSourceOut(Out):
    """A source of a coded project. Without a `record_id` it is of no report of the review.

    `found_by`: `guid` (Tandem gave it its id), `text` (its text is that of the report), `record`
    (its variable "Tandem record" says so).
    """

    name: str = Field(examples=["Okafor 2012 [17].pdf"])
    record_id: RecordId | None
    found_by: SourceMatch | None
    n_passages: int = Field(examples=[12])


class SynthesisImportOut(Out):
    """A coded project that came back, and what became of its passages.

    `kept`: the words are where the project says. `moved`: they stand elsewhere in the text, at
    the nearest place. `lost`: they are not in the text, or the source is of no report. `other`:
    codings of what is no text. `counts`: its passages are in the account; `replacement` is the
    newer state of the same project.
    """

    id: Id
    filename: str = Field(examples=["coded.qdpx"])
    project: str = Field(examples=["Peer workers"])
    origin: str = Field(examples=["QualCoder 3.6"])
    coders: list[str] = Field(examples=[["Ann", "Ben"]])
    n_kept: int = Field(examples=[212])
    n_moved: int = Field(examples=[3])
    n_lost: int = Field(examples=[0])
    n_other: int = Field(examples=[0])
    counts: bool
    replaces: list[Id]
    replacement: Id | None
    sources: list[SynthesisSourceOut]
    sequence: int = Field(description="The event that tells of it.", examples=[412])
    created_at: datetime = Field(examples=["2026-11-23T09:30:00Z"])
    by: PersonId
    name: PersonName

    @classmethod
    def of(cls, shown: ShownImport) -> "SynthesisImportOut":
        row = shown.row
        return cls(
            id=str(row.id),
            filename=row.filename,
            project=row.project,
            origin=row.origin,
            coders=row.coders,
            n_kept=row.n_kept,
            n_moved=row.n_moved,
            n_lost=row.n_lost,
            n_other=row.n_other,
            counts=shown.counts,
            replaces=[str(one) for one in shown.replaces],
            replacement=None if row.replaced_by is None else str(row.replaced_by),
            sources=[_source(one) for one in row.sources],
            sequence=row.seq,
            created_at=row.created_at,
            by=str(row.created_by),
            name=shown.by,
        )


def _source(stored: dict[str, Any]) -> SynthesisSourceOut:
    number = stored["number"]
    return SynthesisSourceOut(
        name=stored["name"],
        record_id=None if number is None else str(number),
        found_by=stored["found_by"],
        n_passages=stored["n_passages"],
    )


class ImportedPassageOut(Out):
    """A passage as a coded project brought it. One that is lost has the words of the file."""

    position: int = Field(examples=[1])
    code_id: Id
    record_id: RecordId | None
    text_id: Id | None
    start: int | None = Field(examples=[30])
    end: int | None = Field(examples=[95])
    quote: str = Field(examples=[_QUOTE])
    state: PassageState
    coder: str = Field(examples=["Ben"])
    source: str = Field(examples=["Okafor 2012 [17].pdf"])

    @classmethod
    def of(cls, row: CodedPassage) -> "ImportedPassageOut":
        return cls(
            position=row.position,
            code_id=str(row.code_id),
            record_id=None if row.record_number is None else str(row.record_number),
            text_id=None if row.text_id is None else str(row.text_id),
            start=row.start,
            end=row.end,
            quote=row.quote,
            state=row.state,
            coder=row.coder,
            source=row.source,
        )


class CodeMarkIn(In):
    """What the code is in your synthesis; null: neither."""

    kind: CodeKind | None


class CodeOut(Out):
    """A code of the code book. `path`: the names from the root; `kind`: what an owner marked.

    `n_passages`: of the code itself, without those below it.
    """

    id: Id
    parent: Id | None
    name: str = Field(examples=["Reciprocal relations"])
    path: list[str] = Field(examples=[["Reframing identity", "Reciprocal relations"]])
    description: str = Field(examples=["Theme under it."])
    color: str | None = Field(examples=["#0072B2"])
    is_codable: bool
    kind: CodeKind | None
    n_passages: int = Field(examples=[14])

    @classmethod
    def of(cls, code: Code, codes: ReviewCodes, n_passages: dict[CodeId, int]) -> "CodeOut":
        return cls(
            id=str(code.id),
            parent=None if code.parent is None else str(code.parent),
            name=code.name,
            path=[*codes.tree.path(code.id)],
            description=code.description,
            color=code.color,
            is_codable=code.is_codable,
            kind=codes.kinds.get(code.id),
            n_passages=n_passages.get(code.id, 0),
        )


class MatrixPassageOut(Out):
    """A passage of a report, in its words. Without positions it is of the whole text.

    Positions are code points of the text `text_id`; without one of title and abstract, or of a
    text that was removed since.
    """

    code_id: Id
    code: str = Field(examples=["Reframing identity / Reciprocal relations"])
    record_id: RecordId
    report: str = Field(examples=["Okafor 2012"])
    text_id: Id | None
    start: int | None = Field(examples=[30])
    end: int | None = Field(examples=[95])
    quote: str = Field(examples=[_QUOTE])
    state: PassageState
    coder: str = Field(examples=["Ben"])

    @classmethod
    def of(cls, one: account.Passage) -> "MatrixPassageOut":
        return cls(
            code_id=str(one.code_id),
            code=one.code,
            record_id=str(one.report),
            report=one.label,
            text_id=None if one.text_id is None else str(one.text_id),
            start=one.start,
            end=one.end,
            quote=one.quote,
            state=one.state,
            coder=one.coder,
        )


class MatrixCellOut(Out):
    study: str = Field(examples=["S1"])
    passages: list[MatrixPassageOut]


class MatrixRowOut(Out):
    """A construct, theme or code, with a cell for each study that gives it a passage."""

    code_id: Id
    name: str = Field(examples=["Reframing identity"])
    path: list[str] = Field(examples=[["Reframing identity"]])
    kind: CodeKind | None
    n_passages: int = Field(examples=[31])
    n_studies: int = Field(examples=[9])
    cells: list[MatrixCellOut]

    @classmethod
    def of(cls, row: account.Row) -> "MatrixRowOut":
        cells = [
            MatrixCellOut(study=key, passages=[MatrixPassageOut.of(one) for one in some])
            for key, some in row.cells.items()
            if some
        ]
        return cls(
            code_id=str(row.code_id),
            name=row.name,
            path=[*row.path],
            kind=row.kind,
            n_passages=row.n_passages,
            n_studies=len(cells),
            cells=cells,
        )


class MatrixStudyOut(Out):
    """A study of the synthesis. `feeds_none`: no row rests on it; null where there are no rows."""

    key: str = Field(examples=["S1"])
    label: str = Field(examples=["Okafor 2012"])
    reports: list[RecordId]
    feeds_none: bool | None

    @classmethod
    def of(cls, study: HandedStudy, matrix: Matrix) -> "MatrixStudyOut":
        return cls(
            key=study.key,
            label=study.label,
            reports=[str(number) for number in study.reports],
            feeds_none=matrix.feeds_none(study),
        )


class MatrixOut(Out):
    """Which construct rests on which passages of which study, as of an event of the log.

    `unused_reports`: reports with passages that are not included any more. `n_lost`: passages
    that are not in the texts. `n_unmarked`: passages of included reports that are in no row.
    """

    as_of: int = Field(examples=[412])
    of: RowsOf
    rows: list[MatrixRowOut]
    studies: list[MatrixStudyOut]
    unused_reports: list[RecordId]
    n_lost: int = Field(examples=[0])
    n_unmarked: int = Field(examples=[7])

    @classmethod
    def made(cls, matrix: Matrix) -> "MatrixOut":
        return cls(
            as_of=matrix.as_of,
            of=matrix.of,
            rows=[MatrixRowOut.of(row) for row in matrix.rows],
            studies=[MatrixStudyOut.of(study, matrix) for study in matrix.studies],
            unused_reports=[str(number) for number in matrix.unused],
            n_lost=matrix.n_lost,
            n_unmarked=matrix.n_unmarked,
        )
