"""Texts and models as they come from outside."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


def _storable(text: str) -> str:
    """Refuse what no database stores as text: NUL, and halves of surrogate pairs."""
    if "\x00" in text:
        raise ValueError("must not contain the NUL character")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("must be valid Unicode")
    return text


PlainText = Annotated[str, AfterValidator(_storable)]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(_storable),
]
"""A title, a name, a reason: one to 500 characters."""

Prose = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_storable)]
"""A question, a note: up to 20,000 characters."""


class In(BaseModel):
    """A request's body: a field that is not known is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)
