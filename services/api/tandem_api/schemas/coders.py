"""Coders of a synthesis, and how far two of them agree."""

from pydantic import Field

from tandem.synthesis.agreement import MEASURED, Coders
from tandem_api.schemas.agreement import FiguresOut, figures_fields
from tandem_api.schemas.base import Out


class CodersOut(Out):
    """Two coders, compared by report and code.

    `measured` says what is compared: of each report that both have coded, and each code that
    either has used in one of these, whether they used it. `n_one`: reports that one of them alone
    has coded. The figures take pairs of report and code as independent, which they are not quite.
    """

    first: str = Field(examples=["Ann"])
    second: str = Field(examples=["Ben"])
    measured: str = Field(examples=[MEASURED])
    n_reports: int = Field(examples=[12])
    n_codes: int = Field(examples=[19])
    n_one: int = Field(examples=[2])
    figures: FiguresOut

    @classmethod
    def of(cls, coders: Coders) -> "CodersOut":
        return cls(
            first=coders.first,
            second=coders.second,
            measured=MEASURED,
            n_reports=coders.n_reports,
            n_codes=coders.n_codes,
            n_one=coders.n_one,
            figures=FiguresOut.model_validate(figures_fields(coders.figures)),
        )


class CodersListOut(Out):
    """Each two coders who share a report."""

    items: list[CodersOut]
