"""The account of a synthesis: which construct rests on which passages of which study.

Nothing is named, ranked or left out: rows stand in the order of the code book, studies in that of
the hand-over.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.db.reading import OneMoment
from tandem.db.session import Database
from tandem.handover import code_books
from tandem.handover.code_books import ReviewCodes
from tandem.handover.gathering import gather
from tandem.handover.model import HandedStudy, Handover
from tandem.handover.models import CodeKind
from tandem.ids import CodeId, RecordNumber, ReviewId, TextId, UserId
from tandem.records.models import Record
from tandem.synthesis import imports
from tandem.synthesis.models import CodedPassage, SynthesisImport
from tandem.synthesis.placing import PassageState


class RowsOf(StrEnum):
    """What the rows of the matrix are: codes that an owner marked, or each code by itself."""

    CONSTRUCTS = "constructs"
    THEMES = "themes"
    CODES = "codes"


_KINDS = {RowsOf.CONSTRUCTS: CodeKind.CONSTRUCT, RowsOf.THEMES: CodeKind.THEME}


@dataclass(frozen=True, slots=True)
class Passage:
    """A coded passage of a report, under the number of the record that is shown now."""

    code_id: CodeId
    code: str
    report: RecordNumber
    label: str
    text_id: TextId | None
    start: int | None
    end: int | None
    quote: str
    state: PassageState
    coder: str


@dataclass(frozen=True, slots=True)
class Row:
    """A construct, theme or code with its passages by the key of the study, in order."""

    code_id: CodeId
    path: tuple[str, ...]
    kind: CodeKind | None
    cells: Mapping[str, Sequence[Passage]]

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def n_passages(self) -> int:
        """How many passages; one of a report in two studies counts once."""
        return len({id(one) for some in self.cells.values() for one in some})


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows × studies. `unused`: reports with passages that are not included (any more).

    `n_lost`: passages that are not in the texts. `n_unmarked`: passages in no row.
    """

    title: str
    as_of: int
    of: RowsOf
    rows: Sequence[Row]
    studies: Sequence[HandedStudy]
    unused: Sequence[RecordNumber]
    n_lost: int
    n_unmarked: int

    def feeds_none(self, study: HandedStudy) -> bool | None:
        """Whether a study has no passage in any row; None where there are no rows."""
        return all(not row.cells[study.key] for row in self.rows) if self.rows else None


def matrix(database: Database, *, review_id: ReviewId, user_id: UserId, of: RowsOf) -> Matrix:
    """Return the account as it is now.

    Raises:
        NotFound: There is no such review, or they are not a member of it.
        Forbidden: They are blinded in one of the stages.
    """
    with database.read() as session:
        handed = gather(OneMoment(session), review_id=review_id, user_id=user_id)
        codes = code_books.codes_of(session, review_id)
        found, n_lost = _passages(session, review_id, handed, codes)
    rows = [_row(codes, id, of, found, handed.studies) for id in _row_codes(codes, of)]
    in_rows = {one.code_id for row in rows for some in row.cells.values() for one in some}
    used = {number for study in handed.studies for number in study.reports}
    return Matrix(
        title=handed.title,
        as_of=handed.as_of,
        of=of,
        rows=rows,
        studies=handed.studies,
        unused=sorted({one.report for one in found if one.report not in used}),
        n_lost=n_lost,
        n_unmarked=sum(one.code_id not in in_rows for one in found if one.report in used),
    )


def _row_codes(codes: ReviewCodes, of: RowsOf) -> list[CodeId]:
    if of is RowsOf.CODES:
        return [*codes.tree.codes]
    return [id for id in codes.tree.codes if codes.kinds.get(id) is _KINDS[of]]


def _row(
    codes: ReviewCodes,
    id: CodeId,
    of: RowsOf,
    found: Sequence[Passage],
    studies: Sequence[HandedStudy],
) -> Row:
    """Return a row: passages of the code and, of a construct or theme, of all codes below it."""
    under = {id} if of is RowsOf.CODES else codes.tree.under(id)
    by_report = defaultdict[RecordNumber, list[Passage]](list)
    for one in found:
        if one.code_id in under:
            by_report[one.report].append(one)
    cells = {
        study.key: [one for number in study.reports for one in by_report.get(number, ())]
        for study in studies
    }
    return Row(id, codes.tree.path(id), codes.kinds.get(id), cells)


def _passages(
    session: Session, review_id: ReviewId, handed: Handover, codes: ReviewCodes
) -> tuple[list[Passage], int]:
    """Return the passages that count, in the order of the files, and how many are lost.

    A passage that two projects that count have from one coder, at one place with one code, is one.
    """
    labels = {report.number: report.label for report in handed.reports}
    query = (
        select(CodedPassage, Record.shown_as)
        .outerjoin(
            Record,
            (Record.review_id == CodedPassage.review_id)
            & (Record.number == CodedPassage.record_number),
        )
        .join(SynthesisImport, SynthesisImport.id == CodedPassage.import_id)
        .where(CodedPassage.import_id.in_(imports.counted(session, review_id)))
        .order_by(SynthesisImport.seq, CodedPassage.position)
    )
    found = dict[object, Passage]()
    n_lost = 0
    for row, number in session.execute(query):
        if row.state is PassageState.LOST:
            n_lost += 1
            continue
        same = tuple(getattr(row, column.key) for column in _SAME)
        if same not in found:
            found[same] = Passage(
                code_id=row.code_id,
                code=" / ".join(codes.tree.path(row.code_id)),
                report=number,
                label=labels.get(number, ""),
                text_id=row.text_id,
                start=row.start,
                end=row.end,
                quote=row.quote,
                state=row.state,
                coder=row.coder,
            )
    return [*found.values()], n_lost


def n_passages(session: Session, review_id: ReviewId) -> dict[CodeId, int]:
    """Return how many passages that count each code has itself.

    As in the matrix, what two projects have alike is one.
    """
    one = (
        select(*_SAME)
        .where(CodedPassage.import_id.in_(imports.counted(session, review_id)))
        .where(CodedPassage.state != PassageState.LOST)
        .distinct()
        .subquery()
    )
    query = select(one.c.code_id, func.count()).group_by(one.c.code_id)
    return dict(session.execute(query).all())


_SAME = (
    CodedPassage.code_id,
    CodedPassage.record_number,
    CodedPassage.text_id,
    CodedPassage.start,
    CodedPassage.end,
    CodedPassage.coder,
)
"""What passages have in common that are one."""
