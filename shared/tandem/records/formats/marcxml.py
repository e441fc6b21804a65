"""MARCXML: MARC records as XML, alone, in a collection or in a catalogue's answer (SRU, OAI)."""

from collections.abc import Iterator

from lxml.etree import _Element as Element
from pymarc import Field, Indicators, Record, Subfield

from tandem.records.formats import marc_fields, xml
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Entry, Rejection

_FIELDS = r"<(?:[A-Za-z_][\w.-]{0,60}:)?(?:leader|controlfield|datafield)\b"

# An answer's own `record` around the MARC has other elements first.
_CUT = xml.Cut(names="record", inside="datafield|controlfield", then=rf"\s*(?={_FIELDS})")

_LEADER = " " * 24


def begins(text: str) -> int | None:
    """Return where the first record starts, or None if `text` is not MARCXML."""
    return xml.begins(text, _CUT)


def count(text: str) -> int:
    """Return how many records `read` yields, without parsing them."""
    return xml.count(text, _CUT)


def read(text: str) -> Iterator[Entry | Rejection]:
    """Yield every record in order, one that cannot be read as its rejection."""
    return xml.read(text, _CUT, _parts)


def _parts(element: Element) -> Parts:
    leader = xml.text_of(element.find("leader"))
    record = Record(leader=leader.ljust(len(_LEADER))[: len(_LEADER)])
    for field in element.iterfind("*"):
        tag = field.get("tag", "").strip()
        if field.tag == "controlfield":
            record.fields.append(Field(tag=tag, data=xml.text_of(field)))
        elif field.tag == "datafield" and not tag.startswith("00"):
            indicators = Indicators(field.get("ind1") or " ", field.get("ind2") or " ")
            subfields = [
                Subfield(code=each.get("code", "").strip(), value=xml.text_of(each).strip())
                for each in field.iterfind("subfield")
            ]
            record.fields.append(Field(tag=tag, indicators=indicators, subfields=subfields))
    return marc_fields.parts(record)
