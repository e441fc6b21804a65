"""Where records came from, what was removed before screening, and the waves of searches."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from tandem.ids import UserId
from tandem.records.models import Removal, Wave, WaveKind
from tandem.records.origin import FoundBy, RemovalKind, StartsAt
from tandem_api.schemas.base import Day, In, Line, Out, PersonId, PersonName, Prose, RecordId


class ImportPatch(In):
    """What is left out stays as it is."""

    source: Line | None = Field(default=None, description="Null: no name.", examples=["Scopus"])
    platform: Line | None = Field(
        default=None, description="Where that was searched. Null: not known.", examples=["Ovid"]
    )
    searched_on: Day | None = Field(
        default=None, description="When it was searched. Null: not known.", examples=["2026-10-01"]
    )
    strategy: Prose | None = Field(
        default=None,
        description="The search as it was run. Null: not known.",
        examples=["(peer work* OR peer support).ti,ab."],
    )
    found_by: FoundBy = Field(default=FoundBy.DATABASE, examples=["citation"])
    screening: StartsAt = Field(default=StartsAt.TITLE_ABSTRACT, examples=["full_text"])
    wave: int = Field(default=1, ge=1, le=2**31 - 1, examples=[2])

    def changes(self) -> dict[str, Any]:
        """Return what was sent, by the names that the domain has for it."""
        names = {"screening": "starts_at"}
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        if sent.get("strategy") == "":
            sent["strategy"] = None
        return {names.get(name, name): value for name, value in sent.items()}


class RemovalIn(In):
    """Why a record is removed before screening."""

    kind: RemovalKind
    reason: Line = Field(examples=["Not in a language that the team reads"])
    tool: Line | None = Field(
        default=None,
        description="Which tool marked it, for `automation`: it is reported.",
        examples=["RobotSearch 1.0"],
    )


class RemovalOut(Out):
    """A record that nobody screens, because it was removed before."""

    record_id: RecordId
    kind: RemovalKind
    reason: str = Field(examples=["Not in a language that the team reads"])
    tool: str | None = Field(examples=["RobotSearch 1.0"])
    removed_by: PersonId
    removed_by_name: PersonName
    removed_at: datetime

    @classmethod
    def of(cls, row: Removal, names: Mapping[UserId, str]) -> "RemovalOut":
        return cls(
            record_id=str(row.record_number),
            kind=row.kind,
            reason=row.reason,
            tool=row.tool,
            removed_by=str(row.removed_by),
            removed_by_name=names[row.removed_by],
            removed_at=row.removed_at,
        )


class WaveIn(In):
    """Why the search is run again."""

    label: Line = Field(examples=["Update of March 2027"])
    reason: WaveKind


class WaveOut(Out):
    """A later search. The first search is wave 1, and is not listed."""

    wave: int = Field(ge=2, examples=[2])
    label: str = Field(examples=["Update of March 2027"])
    reason: WaveKind
    opened_by: PersonId
    opened_by_name: PersonName
    opened_at: datetime

    @classmethod
    def of(cls, row: Wave, names: Mapping[UserId, str]) -> "WaveOut":
        return cls(
            wave=row.number,
            label=row.label,
            reason=row.kind,
            opened_by=str(row.opened_by),
            opened_by_name=names[row.opened_by],
            opened_at=row.opened_at,
        )
