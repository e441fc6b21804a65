"""Reports: records at full text, and how far the retrieval of each is."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from tandem.reports.listing import ShownReport
from tandem.reports.rules import Standing, retrieval_state
from tandem.reviews.policy import Stage
from tandem.screening.full_text.models import RetrievalState, Via
from tandem.texts.service import ShownText
from tandem_api.schemas.base import Id, In, Out, PersonName, Prose
from tandem_api.schemas.records import RecordOut
from tandem_api.schemas.texts import TextOut


class RetrievalIn(In):
    """How far the retrieval of a full text is."""

    state: RetrievalState = Field(examples=["requested"])
    via: Via | None = Field(
        default=None,
        description="How it is got. `ill`: interlibrary loan; `elsewhere`: read without a file.",
        examples=["ill"],
    )
    note: Prose | None = Field(
        default=None,
        description="Needed for `not_retrieved`: where you looked.",
        examples=["Asked the library for volume 22."],
    )


class RetrievalOut(Out):
    """The newest entry about its retrieval. Of linked records the one that got furthest counts.

    A report whose text is sought and of which nobody has said anything is `sought`, by nobody.
    """

    state: RetrievalState = Field(examples=["requested"])
    via: Via | None = Field(examples=["ill"])
    note: str | None = Field(examples=["Asked the library for volume 22."])
    by: PersonName | None
    at: datetime | None = Field(examples=["2026-11-23T09:30:00Z"])


class ReportOut(RecordOut):
    """A report: a record at full text, under the same number, and where it stands.

    `status` is that of its full text, as you may see it. While the report is not there, because
    title and abstract do not include it now or its text is not retrieved, what was decided of its
    full text is kept and does not count.
    """

    standing: Standing = Field(
        description="`being_sought`: its text is not there yet. `to_assess`: its text is there, "
        "and it is not settled, as far as you may see. `not_sought`: title and abstract do not "
        "include it now.",
        examples=["being_sought"],
    )
    retrieval: RetrievalOut | None = Field(
        description="The state of its retrieval; null: its text is not sought, and never was."
    )
    texts: list[TextOut] = Field(
        description="Its files, and those of records that are linked to it, the oldest first."
    )

    studies: list[Id] = Field(
        description="The studies that it is a report of; none: it is a study of its own."
    )

    @classmethod
    def of_report(cls, shown: ShownReport, texts: Sequence[ShownText]) -> "ReportOut":
        record = RecordOut.shown(shown.record, Stage.FULL_TEXT)
        state, entry = retrieval_state(shown.report.facts), shown.report.retrieval
        retrieval = None
        if state is not None:
            retrieval = RetrievalOut(
                state=state,
                via=None if entry is None else entry.via,
                note=None if entry is None else entry.note,
                by=shown.retrieved_by,
                at=None if entry is None else entry.created_at,
            )
        return cls(
            **dict(record) | {"final_reason": shown.final_reason},
            standing=shown.standing,
            retrieval=retrieval,
            texts=[TextOut.of(text) for text in texts],
            studies=sorted(shown.studies),
        )
