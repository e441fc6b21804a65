"""Records of MARC: made of their fields in whichever form these come, and asked for them."""

from collections.abc import Iterable

from pymarc import Field, Indicators, Record, Subfield

Written = tuple[str, str, Iterable[tuple[str, str]]]
"""A field: its tag, its two indicators, and the code and text of its subfields. One of control
(`001` to `009`) has its text for the indicators, and no subfields."""


def made(leader: str, fields: Iterable[Written]) -> Record:
    """Return the record of `fields`, in their order."""
    record = Record(leader=leader.ljust(24)[:24])
    for tag, text, pairs in fields:
        subfields = [Subfield(*pair) for pair in pairs]
        signs = Indicators(*text.ljust(2)[:2])
        record.fields.append(Field(tag=tag, indicators=signs, subfields=subfields, data=text))
    return record


def fields(record: Record, *tags: str) -> list[Field]:
    """Return the fields of `tags`, in the order of `tags`."""
    return [field for tag in tags for field in record.get_fields(tag)]


def values(record: Record, codes: str, *tags: str) -> list[str]:
    """Return the subfields `codes` of `tags` that are not blank."""
    found = (value for each in fields(record, *tags) for value in each.get_subfields(*codes))
    return [value for value in found if value.strip()]


def control(record: Record, tag: str) -> list[str]:
    """Return the texts of a field of control, which has no subfields."""
    return [field.data for field in record.get_fields(tag) if field.data]
