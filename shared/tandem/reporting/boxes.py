"""The boxes of a flow diagram: their keys, and their names in the words of PRISMA 2020. Pure.

Keys are those of the R package PRISMA2020 where it has one. The others are Tandem's own: what is
not finished (`REMAINDER`), and eligible reports that are not included (`BEYOND`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple


class StudyKey(NamedTuple):
    """A study: a group of reports by its id, or a report in no group by its number."""

    id: str
    report: int

    @classmethod
    def grouped(cls, study_id: str) -> "StudyKey":
        return cls(study_id, 0)

    @classmethod
    def alone(cls, number: int) -> "StudyKey":
        return cls("", number)


Item = int | StudyKey
"""A record by its number, or a study."""


@dataclass(frozen=True, slots=True)
class Part:
    """Those of a box that share a source or a reason."""

    label: str
    items: Sequence[Item]

    @property
    def n(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Box:
    """A number of the flow diagram, with the records or studies that it counts, in order."""

    key: str
    label: str
    items: Sequence[Item]
    parts: Sequence[Part] = ()

    @property
    def n(self) -> int:
        return len(self.items)


COLUMNS: tuple[Literal["dbr", "other"], ...] = ("dbr", "other")
"""Databases and registers; other methods."""

BEYOND = ("ongoing", "awaiting_classification", "eligible_not_sampled")
REMAINDER = ("not_screened", "being_sought", "to_assess", "other_already_found")
IDENTIFIED = ("database_results", "register_results")
IDENTIFIED_OTHERWISE = (
    "website_results",
    "organisation_results",
    "citations_results",
    "other_method_results",
)

NO_SOURCE = "Source not named"
NO_REASON = "Reason not given"
BY_TOOLS = "Marked by a tool"
LEFT_UNREAD = "Left unread: screening ended with a certificate"

_BY_COLUMN: Mapping[str, str] = {
    "sought_reports": "Reports sought for retrieval",
    "notretrieved_reports": "Reports not retrieved",
    "being_sought": "Reports being sought",
    "assessed": "Reports assessed for eligibility",
    "to_assess": "Reports not assessed yet",
    "excluded": "Reports excluded",
    "included": "Reports included",
    "ongoing": "Reports of ongoing studies",
    "awaiting_classification": "Reports awaiting classification",
    "eligible_not_sampled": "Eligible reports that were not sampled",
}

LABELS: Mapping[str, str] = {
    "previous_studies": "Studies included in previous version of review",
    "previous_reports": "Reports of studies included in previous version of review",
    "database_results": "Records identified from: Databases",
    "database_specific_results": "Records identified from: Specific databases",
    "register_results": "Records identified from: Registers",
    "register_specific_results": "Records identified from: Specific registers",
    "website_results": "Records identified from: Websites",
    "organisation_results": "Records identified from: Organisations",
    "citations_results": "Records identified from: Citation searching",
    "other_method_results": "Records identified from: Other methods",
    "duplicates": "Duplicate records removed",
    "excluded_automatic": "Records marked as ineligible by automation tools",
    "excluded_other": "Records removed for other reasons",
    "records_screened": "Records screened",
    "records_excluded": "Records excluded",
    "not_screened": "Records not settled yet",
    "other_already_found": "Records that were found by another way already",
    "other_removed": "Records of other methods removed before screening",
    "other_screened": "Records of other methods screened",
    "other_records_excluded": "Records of other methods excluded",
    "other_not_screened": "Records of other methods not settled yet",
    **{f"{column}_{name}": text for column in COLUMNS for name, text in _BY_COLUMN.items()},
    "being_sought": _BY_COLUMN["being_sought"],
    "to_assess": _BY_COLUMN["to_assess"],
    **{name: _BY_COLUMN[name] for name in BEYOND},
    "new_studies": "New studies included in review",
    "new_reports": "Reports of new included studies",
    "total_studies": "Total studies included in review",
    "total_reports": "Reports of total included studies",
}
"""Every box there is, in the order of the diagram."""

UNIONS: Mapping[str, Sequence[str]] = {
    **{
        name: [f"{column}_{name}" for column in COLUMNS]
        for name in ("being_sought", "to_assess", *BEYOND)
    },
    "new_reports": [f"{column}_included" for column in COLUMNS],
}
"""Boxes that are made of others."""
