"""The PRISMA 2020 flow diagram as data."""

from collections.abc import Callable
from typing import Literal

from pydantic import Field

from tandem.reporting.boxes import BEYOND, REMAINDER, Box, Item
from tandem.reporting.flow import Template
from tandem.reporting.invariants import Invariant
from tandem.reporting.service import BoxItem, FlowWarning, ShownFlow
from tandem_api.schemas.base import Out

Href = Callable[[str, str | None], str]


class FlowPartOut(Out):
    """Those of a box that share a source, a reason or a column."""

    label: str = Field(examples=["Medline"])
    n: int = Field(examples=[800])
    href: str | None = Field(
        description="Its records; null where another box lists them.",
        examples=["/api/v1/reviews/6f1c2d3e/prisma/boxes/database_specific_results?part=Medline"],
    )


class FlowBoxOut(Out):
    """One number of the diagram; `href` lists what it counts."""

    n: int = Field(examples=[1528])
    label: str = Field(examples=["Records screened"])
    href: str = Field(examples=["/api/v1/reviews/6f1c2d3e/prisma/boxes/records_screened"])
    parts: list[FlowPartOut]

    @classmethod
    def of(cls, box: Box, href: Href) -> "FlowBoxOut":
        parts = [
            FlowPartOut(label=part.label, n=part.n, href=href(box.key, part.label))
            for part in box.parts
        ]
        return cls(n=box.n, label=box.label, href=href(box.key, None), parts=parts)


class InvariantOut(Out):
    """Two counts that have to be equal."""

    name: str = Field(examples=["screened = excluded + sought"])
    left: int = Field(examples=[1528])
    right: int = Field(examples=[1528])
    holds: bool

    @classmethod
    def of(cls, one: Invariant) -> "InvariantOut":
        return cls(name=one.name, left=one.left, right=one.right, holds=one.holds)


class FlowWarningOut(Out):
    code: FlowWarning
    message: str = Field(
        examples=["The CSV of the R package has no row for 3 records found by other methods."]
    )


class PrismaOut(Out):
    """A review's flow. Each number is the size of a list of records or studies.

    `boxes` has every number there is, by the names that the R package PRISMA2020 uses, whichever
    template is drawn. `remainder` and `beyond` are those of them that PRISMA has no box for: what
    is not finished, and eligible reports that are not included.
    """

    state: Literal["finished", "unfinished"]
    template: Template
    as_of: int = Field(description="The last event that is counted.", examples=[4211])
    wave: int | None = Field(description="Null: all waves as one.", examples=[2])
    boxes: dict[str, FlowBoxOut] = Field(
        examples=[
            {
                "records_screened": {
                    "n": 1528,
                    "label": "Records screened",
                    "href": "/api/v1/reviews/6f1c2d3e/prisma/boxes/records_screened",
                    "parts": [],
                }
            }
        ]
    )
    remainder: dict[str, int] = Field(examples=[{"not_screened": 12}])
    beyond: dict[str, int] = Field(examples=[{"ongoing": 2}])
    invariants: list[InvariantOut]
    warnings: list[FlowWarningOut]

    @classmethod
    def of(cls, found: ShownFlow, href: Href) -> "PrismaOut":
        flow = found.flow
        return cls(
            state="finished" if flow.is_finished else "unfinished",
            template=found.template,
            as_of=found.as_of,
            wave=flow.wave,
            boxes={key: FlowBoxOut.of(box, href) for key, box in flow.boxes.items()},
            remainder={key: flow.n(key) for key in REMAINDER},
            beyond={key: flow.n(key) for key in BEYOND},
            invariants=[InvariantOut.of(one) for one in flow.invariants],
            warnings=[FlowWarningOut(code=one.code, message=one.message) for one in found.warnings],
        )


class FlowItemOut(Out):
    """A record, or a study: by its id, or by the record that is its only report."""

    record_id: str | None = Field(examples=["17"])
    study_id: str | None = Field(examples=["6f1c2d3e-5a4b-4c8d-9e0f-112233445566"])
    seq: int | None = Field(
        description="The event that put the record there; null where the log tells of none.",
        examples=[412],
    )

    title: str | None = Field(
        description="Of the record, or of a study's only report; the label of a study.",
        examples=["Peer workers in hospital wards"],
    )

    @classmethod
    def of(cls, found: BoxItem) -> "FlowItemOut":
        record, study = _ids(found.item)
        return cls(record_id=record, study_id=study, seq=found.seq, title=found.title)


def _ids(item: Item) -> tuple[str | None, str | None]:
    if isinstance(item, int):
        return str(item), None
    return (None, item.id) if item.id else (str(item.report), None)


class FlowItemsOut(Out):
    """A page of what a number of the flow counts; `n` is that number."""

    key: str = Field(examples=["records_screened"])
    label: str = Field(examples=["Records screened"])
    n: int = Field(examples=[1528])
    items: list[FlowItemOut]
    next_cursor: str | None
