"""Records of MARC: made of their fields, in XML, in JSON or otherwise, and asked for them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml.etree import _Element as Element
from pymarc import Field, Indicators, Record, Subfield

from tandem.records.formats.xml import tree

Written = tuple[str, str, Iterable[tuple[str, str]]]
"""A field: its tag, its two indicators, and the code and text of its subfields. One of control
(`001` to `009`) has its text for the indicators, and no subfields."""


def made(leader: str, fields: Iterable[Written]) -> Record:
    """Return the record of `fields`, in their order; those without a tag of MARC are no such."""
    record = Record(leader=leader.ljust(24)[:24])
    for tag, text, pairs in fields:
        if len(tag) != 3 or not tag.isascii():  # pymarc takes it for a number
            continue
        subfields = [Subfield(*pair) for pair in pairs]
        signs = Indicators(*text.ljust(2)[:2])
        record.fields.append(Field(tag=tag, indicators=signs, subfields=subfields, data=text))
    return record


def of_element(element: Element) -> Record:
    """Return the record in MARCXML's `<record>`."""
    return made(tree.text_of(element.find("leader")), _of_xml(element))


def of_object(item: Mapping[str, Any]) -> Record:
    """Return the record in `{"leader": "…", "fields": [{"245": {"subfields": [{"a": "…"}]}}]}`."""
    return made(str(item.get("leader", "")), _of_json(item))


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


def _of_xml(element: Element) -> Iterator[Written]:
    for field in element.iterfind("*"):
        tag = field.get("tag", "").strip()
        if field.tag == "controlfield":
            yield tag, tree.text_of(field), ()
        elif field.tag == "datafield" and not tag.startswith("00"):
            signs = (field.get("ind1") or " ")[:1] + (field.get("ind2") or " ")[:1]
            subfields = field.iterfind("subfield")
            yield (
                tag,
                signs,
                ((s.get("code", "").strip(), tree.text_of(s).strip()) for s in subfields),
            )


def _of_json(item: Mapping[str, Any]) -> Iterator[Written]:
    for tag, value in _pairs(item.get("fields")):
        if isinstance(value, Mapping) and not tag.startswith("00"):
            signs = "".join((str(value.get(name) or " ") + " ")[0] for name in ("ind1", "ind2"))
            pairs = _pairs(value.get("subfields"))
            yield (
                tag,
                signs,
                ((code[:1], t.strip()) for code, t in pairs if isinstance(t, str) and code),
            )
        elif isinstance(value, str) and tag.startswith("00"):
            yield tag, value, ()


def _pairs(listed: object) -> Iterator[tuple[str, Any]]:
    """Yield keys and values of the objects in a list."""
    for each in listed if isinstance(listed, list) else ():
        yield from each.items() if isinstance(each, Mapping) else ()
