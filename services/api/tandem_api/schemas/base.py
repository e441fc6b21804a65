"""Texts and models as they come from outside."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)


def storable(text: str) -> str:
    """Refuse what no database stores as text: NUL, and halves of surrogate pairs."""
    if "\x00" in text:
        raise ValueError("must not contain the NUL character")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("must be valid Unicode")
    return text


_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _text(value: Any) -> Any:
    # Of a text of digits alone pydantic makes seconds since 1970: "2026" would be a time in that.
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("must be a text such as 2027-01-31T12:00:00Z")
    return value


def _midnight(value: Any) -> Any:
    return f"{value}T00:00:00Z" if isinstance(value, str) and _DATE.fullmatch(value) else value


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999, in UTC too") from None


Time = Annotated[AwareDatetime, AfterValidator(_utc), BeforeValidator(_text)]
"""RFC 3339, with its offset: a bare number or a local time says too little."""

DayOrTime = Annotated[Time, BeforeValidator(_midnight)]
"""The same, or a date: its midnight in UTC."""


def _day(value: Any) -> Any:
    # Of a text of digits alone pydantic makes a day counted from 1970.
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("should be a date, such as 2027-01-31")
    return value


Day = Annotated[date, BeforeValidator(_day)]

PlainText = Annotated[str, AfterValidator(storable)]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(storable),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 500, "pattern": r"\S"}),
]
"""A title, a name, a reason: one to 500 characters."""


def _whole(value: Any) -> Any:
    """Take 5.0 for 5, as JSON Schema does, and nothing for a number that is a text or a truth."""
    if isinstance(value, bool | str):
        raise ValueError("must be a whole number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Behind limits in an annotation: before them, the document would not have them."""

Whole = Annotated[int, WHOLE]
"""A whole number, as JSON has it."""

Prose = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(storable)]
"""A question, a note: up to 20,000 characters."""


Id = Annotated[str, Field(examples=["6f1c2d3e-5a4b-4c8d-9e0f-112233445566"])]
PersonId = Annotated[str, Field(examples=["0b1f3c52-8a1e-4c7e-9a44-0f2c5d9b7e10"])]
PersonName = Annotated[str, Field(examples=["Ann Lee"])]
RecordId = Annotated[str, Field(examples=["17"])]


class In(BaseModel):
    """A request's body: a field that is not known is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """An answer: every field is in it, those with a default too."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)
