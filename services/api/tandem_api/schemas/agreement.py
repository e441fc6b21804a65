"""Agreement between reviewers, excludes worth a second look, and one reviewer's record."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from tandem.db.keyset import Slice
from tandem.ranking.second_looks import Looks
from tandem.reviews.policy import Stage
from tandem.screening.agreement import statistics
from tandem.screening.agreement.drift import Drift, Measured
from tandem.screening.agreement.intervals import LEVEL
from tandem.screening.agreement.reviewer import AgainstOutcome, ReviewerRecord, Share, Week
from tandem.screening.agreement.service import Agreement, AgreementOn, Compared, Month, Pair, Reader
from tandem.screening.agreement.statistics import N_RESAMPLES, Figures
from tandem.screening.second_look import Doubtful
from tandem_api.schemas.base import Out, PersonId, PersonName
from tandem_api.schemas.records import RecordOut


class FigureOut(Out):
    """A figure with its 95 % interval. Null where the data give none, never a guess."""

    value: float | None = Field(examples=[0.779])
    low: float | None = Field(examples=[0.68])
    high: float | None = Field(examples=[0.861])

    @classmethod
    def of(cls, figure: statistics.Figure) -> "FigureOut":
        return cls(value=figure.value, low=figure.low, high=figure.high)


class TableOut(Out):
    """a: both include; b: only the first does; c: only the second; d: both exclude.

    A `maybe` counts as include: it keeps the record in.
    """

    a: int = Field(examples=[41])
    b: int = Field(examples=[12])
    c: int = Field(examples=[9])
    d: int = Field(examples=[609])


class FiguresOut(Out):
    """How far decisions agree. `n`: pairs of decisions compared, on `n_records` records.

    `prevalence`: the mean share of includes. `note` says what is wanting, if anything is.
    """

    n: int = Field(examples=[671])
    n_records: int = Field(examples=[671])
    table: TableOut
    prevalence: FigureOut
    percent: FigureOut
    kappa: FigureOut
    pabak: FigureOut
    ac1: FigureOut
    alpha: FigureOut
    positive_agreement: FigureOut
    negative_agreement: FigureOut
    note: str | None

    @classmethod
    def of(cls, figures: Figures) -> "FiguresOut":
        return cls.model_validate(figures_fields(figures))


class ComparedOut(FiguresOut):
    """All first decisions; `independent`: those alone that were made unaware of another's.

    `n_informed`: pairs in which one was made knowing another's verdict; `n_maybe`: pairs in
    which one was a `maybe`.
    """

    n_informed: int = Field(examples=[0])
    n_maybe: int = Field(examples=[7])
    independent: FiguresOut


def figures_fields(figures: Figures) -> dict[str, object]:
    shares = {
        name: FigureOut.of(getattr(figures, name))
        for name, field in FiguresOut.model_fields.items()
        if field.annotation is FigureOut
    }
    table = TableOut(a=figures.a, b=figures.b, c=figures.c, d=figures.d)
    counts = {"n": figures.n, "n_records": figures.n_records}
    return {**counts, "table": table, **shares, "note": figures.note}


def _compared(compared: Compared) -> ComparedOut:
    return ComparedOut.model_validate(
        figures_fields(compared.figures)
        | {
            "n_informed": compared.n_informed,
            "n_maybe": compared.n_maybe,
            "independent": FiguresOut.of(compared.independent),
        }
    )


class ReaderOut(Out):
    user_id: PersonId
    name: PersonName

    @classmethod
    def of(cls, reader: Reader) -> "ReaderOut":
        return cls(user_id=str(reader.user_id), name=reader.name)


class PairOut(Out):
    """Two reviewers who share records; `first` is the first of the table."""

    first: ReaderOut
    second: ReaderOut
    agreement: ComparedOut

    @classmethod
    def of(cls, pair: Pair) -> "PairOut":
        return cls(
            first=ReaderOut.of(pair.first),
            second=ReaderOut.of(pair.second),
            agreement=_compared(pair.compared),
        )


class MonthOut(Out):
    """Records whose last first decision was made in this month, in UTC."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$", examples=["2026-11"])
    agreement: ComparedOut

    @classmethod
    def of(cls, month: Month) -> "MonthOut":
        return cls(month=f"{month.year:04}-{month.month:02}", agreement=_compared(month.compared))


class IntervalsOut(Out):
    """How the intervals are made: exact, or by so many bootstrap samples of the records."""

    level: float = LEVEL
    n_resamples: int = N_RESAMPLES


class AgreementOut(Out):
    """How far first decisions agree: overall (all pairs pooled), by month, and per pair.

    `n_readers` have decided one of these records. `n_hidden` records are left out: they are not
    settled yet, and the policy hides their votes from you. `plot` is the same as a picture.
    """

    stage: Stage
    on: AgreementOn
    basis: Literal["first_decisions"] = "first_decisions"
    n_readers: int = Field(examples=[2])
    n_hidden: int = Field(examples=[0])
    overall: ComparedOut
    by_month: list[MonthOut]
    pairs: list[PairOut]
    intervals: IntervalsOut = IntervalsOut()
    plot: str = Field(
        examples=[
            "/api/v1/reviews/6f1c2d3e-5a4b-4c8d-9e0f-112233445566/plots/agreement.svg?stage=title_abstract&on=all"
        ]
    )

    @classmethod
    def of(cls, found: Agreement, *, plot: str) -> "AgreementOut":
        return cls(
            stage=found.stage,
            on=found.on,
            n_readers=found.n_readers,
            n_hidden=found.n_hidden,
            overall=_compared(found.overall),
            by_month=[MonthOut.of(month) for month in found.by_month],
            pairs=[PairOut.of(pair) for pair in found.pairs],
            plot=plot,
        )


class SecondLookOut(Out):
    """An excluded record. `likeness`: the share of all others that look less like an include."""

    record: RecordOut
    n_decisions: int = Field(examples=[2])
    likeness: float = Field(ge=0, le=1, examples=[0.982])


State = Literal["none", "asked", "ready"]


class SecondLooksOut(Out):
    """Excludes that look like includes: those read by one person first, the most alike first.

    `state`: `none` (nobody has asked yet), `asked` (being worked out; what is shown is older),
    `ready`. `is_stale`: the review has changed since. No scores although `ready`: there are too
    few decisions to learn from.
    """

    state: State = Field(examples=["ready"])
    model: str | None = Field(examples=["tandem-1"])
    labels_seq: int | None = Field(examples=[1342])
    is_stale: bool
    n_scored: int = Field(examples=[609])
    seconds: float | None = Field(examples=[1.4])
    made_at: datetime | None = Field(examples=["2026-11-23T09:30:00Z"])
    items: list[SecondLookOut]
    next_cursor: str | None

    @classmethod
    def of(
        cls,
        looks: Looks,
        found: Slice[Doubtful],
        *,
        stage: Stage,
        labels_seq: int,
    ) -> "SecondLooksOut":
        row = looks.row
        made_of = None if row is None else row.labels_seq
        return cls(
            state=looks.state,
            model=None if row is None else row.model,
            labels_seq=made_of,
            is_stale=made_of is not None and labels_seq > made_of,
            n_scored=len(looks.numbers),
            seconds=None if row is None else row.seconds,
            made_at=None if row is None else row.made_at,
            items=[
                SecondLookOut(
                    record=RecordOut.shown(item.shown, stage),
                    n_decisions=item.n_decisions,
                    likeness=item.likeness,
                )
                for item in found.items
            ],
            next_cursor=found.next_cursor,
        )


class SecondLooksAskedOut(Out):
    """The answer will be at the same address, in seconds."""

    state: Literal["asked"] = "asked"


class ShareOut(Out):
    """`n` of so many, with an exact 95 % interval; null of none."""

    n: int = Field(examples=[4])
    of: int = Field(examples=[671])
    value: float | None = Field(examples=[0.004])
    low: float | None = Field(examples=[0.001])
    high: float | None = Field(examples=[0.013])

    @classmethod
    def from_share(cls, share: Share) -> "ShareOut":
        return cls(n=share.n, of=share.of, value=share.value, low=share.low, high=share.high)


class WeekOut(Out):
    """Records first decided in the week that begins on this Monday, in UTC."""

    monday: date = Field(examples=["2026-11-16"])
    n_read: int = Field(examples=[671])
    include_share: float | None = Field(examples=[0.079])
    median_seconds: float | None = Field(examples=[14.2])

    @classmethod
    def of(cls, week: Week) -> "WeekOut":
        return cls(
            monday=week.monday,
            n_read=week.n_read,
            include_share=week.n_include / week.n_read if week.n_read else None,
            median_seconds=week.median_seconds,
        )


class DriftOut(Out):
    """The share of includes of the last decisions less that of those before, with an interval.

    `what` says of which records; null where there are too few. The note says how to read it.
    """

    what: Measured = Field(examples=["include_share_change_all"])
    value: float | None = Field(examples=[-0.063])
    low: float | None = Field(examples=[-0.101])
    high: float | None = Field(examples=[-0.015])
    n_recent: int = Field(examples=[200])
    n_before: int = Field(examples=[471])
    note: str = Field(
        examples=[
            "All records, the likely ones first: the share of includes falls by design, "
            "and a fall is no sign of drift. A rise may be one."
        ]
    )

    @classmethod
    def of(cls, found: Drift) -> "DriftOut":
        return cls(
            what=found.what,
            value=found.value,
            low=found.low,
            high=found.high,
            n_recent=found.n_recent,
            n_before=found.n_before,
            note=found.note,
        )


class AgainstOutcomeOut(Out):
    """First decisions against what became of the records, of those that are settled.

    `missed_of_excludes`: of their excludes, finally included. `missed_of_included`: of the
    finally included that they read, excluded by them. `overruled_includes`: of their includes,
    finally excluded. `informed`: of all first decisions, made knowing another's verdict. The
    outcome rests on their own vote, too, so misses that nobody else noticed are not among them.
    """

    missed_of_excludes: ShareOut
    missed_of_included: ShareOut
    overruled_includes: ShareOut
    informed: ShareOut

    @classmethod
    def of(cls, found: AgainstOutcome) -> "AgainstOutcomeOut":
        return cls(
            missed_of_excludes=ShareOut.from_share(found.missed_of_excludes),
            missed_of_included=ShareOut.from_share(found.missed_of_included),
            overruled_includes=ShareOut.from_share(found.overruled_includes),
            informed=ShareOut.from_share(found.informed),
        )


class ReviewerRecordOut(Out):
    """What one reviewer has done, how fast and how steadily.

    Only what they entered themselves counts. `changed`: of the records that they decided, how
    many first verdicts they changed or took back later. `against_outcome` is null for a blinded
    reviewer, since it depends on others. `n_hidden`: of another one's record, so many that are not
    settled yet are left out everywhere, where the policy hides their votes from you.
    """

    user_id: PersonId
    name: PersonName
    stage: Stage
    n_read: int = Field(examples=[671])
    n_decisions: int = Field(examples=[677])
    n_hidden: int = Field(examples=[0])
    median_seconds: float | None = Field(examples=[14.2])
    includes: ShareOut
    changed: ShareOut
    by_week: list[WeekOut]
    drift: DriftOut
    against_outcome: AgainstOutcomeOut | None

    @classmethod
    def of(cls, found: ReviewerRecord) -> "ReviewerRecordOut":
        against = found.against_outcome
        return cls(
            user_id=str(found.user_id),
            name=found.name,
            stage=found.stage,
            n_read=found.n_read,
            n_decisions=found.n_decisions,
            n_hidden=found.n_hidden,
            median_seconds=found.median_seconds,
            includes=ShareOut.from_share(found.includes),
            changed=ShareOut.from_share(found.changed),
            by_week=[WeekOut.of(week) for week in found.by_week],
            drift=DriftOut.of(found.drift),
            against_outcome=AgainstOutcomeOut.of(against) if against is not None else None,
        )
