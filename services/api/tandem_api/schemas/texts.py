"""Texts of reports, and batches of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from tandem.texts.kinds import MediaType
from tandem.texts.matching import Evidence
from tandem.texts.models import TextBatch, TextBatchItem, TextItemState, TextKind, TextState
from tandem.texts.pages import Placed
from tandem.texts.reading import TextProblem
from tandem.texts.service import ShownText
from tandem_api.schemas.base import Id, In, Out, PersonId, PersonName, RecordId

Share = Annotated[float, Field(ge=0, le=1)]


class TextOut(Out):
    """A file of a report: its full text, or what was published beside it.

    `state`: `queued` until it is read. `ready`: its text can be read and searched. `no_text`: it
    is a scan. `failed`: `problem` says why; the file itself can be opened. `quarantined`: the
    virus scanner has refused it.
    """

    id: Id
    record_id: RecordId
    kind: TextKind = Field(examples=["main"])
    filename: str = Field(examples=["Okafor 2012.pdf"])
    media_type: MediaType = Field(examples=["application/pdf"])
    sha256: str = Field(
        description="Of the file.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    bytes: int = Field(examples=[248113])
    pages: int | None = Field(
        description="Null until it is read, and where its kind has none.", examples=[12]
    )
    state: TextState = Field(examples=["ready"])
    problem: TextProblem | None = Field(examples=[None])
    added_by: PersonId
    added_by_name: PersonName
    added_at: datetime

    @classmethod
    def of(cls, shown: ShownText) -> "TextOut":
        text, file = shown.text, shown.file
        return cls(
            id=str(text.id),
            record_id=str(shown.report),
            kind=text.kind,
            filename=text.filename,
            media_type=file.media_type,
            sha256=file.sha256,
            bytes=file.n_bytes,
            pages=file.n_pages,
            state=file.state,
            problem=file.problem,
            added_by=str(text.added_by),
            added_by_name=shown.added_by,
            added_at=text.added_at,
        )


class BoxOut(Out):
    """A rectangle on a page, in shares of the page's width and height as it is shown."""

    left: Share = Field(examples=[0.12])
    top: Share = Field(examples=[0.08])
    width: Share = Field(examples=[0.31])
    height: Share = Field(examples=[0.012])


class PassageOut(Out):
    """Where a term stands. Positions count code points of the plain text, from 0."""

    page: int = Field(description="From 1.", examples=[3])
    start: int = Field(examples=[4310])
    end: int = Field(description="Behind the last code point.", examples=[4322])
    quote: str = Field(examples=["peer workers"])
    before: str = Field(examples=["support was given by "])
    after: str = Field(examples=[" who had been"])
    boxes: list[BoxOut] = Field(description="One for each line; none where there are no pages.")

    @classmethod
    def of(cls, placed: Placed) -> "PassageOut":
        passage = placed.passage
        return cls(
            page=passage.page + 1,
            start=passage.start,
            end=passage.end,
            quote=passage.quote,
            before=passage.before,
            after=passage.after,
            boxes=[
                BoxOut(
                    **dict(zip(("left", "top", "width", "height"), map(_share, box), strict=True))
                )
                for box in placed.boxes
            ],
        )


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))


class TextCandidateOut(Out):
    """A record that something speaks for. `is_report`: it may have texts.

    `evidence`: the map, the number in the file's name, a DOI, the title on the first page, the
    file's name, the title in its metadata, or a likeness to what stands on the first page.
    `score`: up to 100.
    """

    record_id: RecordId
    title: str = Field(examples=["What peer workers say about their work"])
    evidence: Evidence = Field(examples=["doi"])
    score: int = Field(examples=[100])
    is_report: bool = Field(examples=[True])


class TextItemOut(Out):
    """A file of a batch. Choose among `candidates` where it is `proposed`."""

    position: int = Field(examples=[1])
    filename: str = Field(examples=["Okafor 2012.pdf"])
    state: TextItemState = Field(examples=["matched"])
    problem: TextProblem | None = Field(examples=[None])
    record_id: str | None = Field(examples=["17"])
    title: str | None = Field(
        description="Of that record.", examples=["What peer workers say about their work"]
    )
    text_id: str | None = Field(examples=["5c6d7e8f-9a0b-4d1e-8f2a-4b5c6d7e8f9a"])
    candidates: list[TextCandidateOut]

    @classmethod
    def of(cls, item: TextBatchItem, titles: Mapping[int, str]) -> "TextItemOut":
        number = item.record_number
        return cls(
            position=item.position,
            filename=item.filename,
            state=item.state,
            problem=item.problem,
            record_id=None if number is None else str(number),
            title=None if number is None else titles.get(number),
            text_id=None if item.text_id is None else str(item.text_id),
            candidates=[
                TextCandidateOut(
                    record_id=str(one["record"]),
                    title=titles.get(one["record"], ""),
                    evidence=one["evidence"],
                    score=one["score"],
                    is_report=one["is_report"],
                )
                for one in item.candidates
            ],
        )


class TextBatchOut(Out):
    """Files that were sent at once. `state` is `reading` until each is read and placed."""

    id: Id
    state: Literal["reading", "done"] = Field(examples=["done"])
    n_files: int = Field(examples=[100])
    n_reading: int = Field(examples=[0])
    n_matched: int = Field(description="Placed, or at their report already.", examples=[96])
    n_to_settle: int = Field(description="`proposed` or `unmatched`.", examples=[3])
    n_failed: int = Field(examples=[1])
    created_by: PersonId
    created_by_name: PersonName
    created_at: datetime

    @classmethod
    def of(
        cls, batch: TextBatch, counts: Mapping[TextItemState, int], created_by: str
    ) -> "TextBatchOut":
        return cls(**_summary(batch, counts, created_by))


class WholeTextBatchOut(TextBatchOut):
    items: list[TextItemOut]

    @classmethod
    def of_items(
        cls, batch: TextBatch, items: Sequence[TextItemOut], created_by: str
    ) -> "WholeTextBatchOut":
        counts: dict[TextItemState, int] = {}
        for item in items:
            counts[item.state] = counts.get(item.state, 0) + 1
        return cls(**_summary(batch, counts, created_by), items=list(items))


def _summary(
    batch: TextBatch, counts: Mapping[TextItemState, int], created_by: str
) -> dict[str, Any]:
    n_reading = counts.get(TextItemState.READING, 0)
    return {
        "id": str(batch.id),
        "state": "reading" if n_reading else "done",
        "n_files": sum(counts.values()),
        "n_reading": n_reading,
        "n_matched": counts.get(TextItemState.MATCHED, 0) + counts.get(TextItemState.KNOWN, 0),
        "n_to_settle": counts.get(TextItemState.PROPOSED, 0)
        + counts.get(TextItemState.UNMATCHED, 0),
        "n_failed": counts.get(TextItemState.FAILED, 0),
        "created_by": str(batch.created_by),
        "created_by_name": created_by,
        "created_at": batch.created_at,
    }


class TextItemIn(In):
    """Whose text a file is."""

    record_id: RecordId | None = Field(
        description="The report; null: the file belongs to none.", examples=["17"]
    )
