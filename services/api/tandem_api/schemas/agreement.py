"""Agreement between reviewers, excludes worth a second look, and one reviewer's record."""

from typing import Literal

from pydantic import Field

from tandem.reviews.policy import Stage
from tandem.screening.agreement import statistics
from tandem.screening.agreement.intervals import LEVEL
from tandem.screening.agreement.service import Agreement, AgreementOn, Compared, Month, Pair, Reader
from tandem.screening.agreement.statistics import N_RESAMPLES, Figures
from tandem_api.schemas.base import Out, PersonId, PersonName


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
