"""MARCXML: MARC records as XML, alone, in a collection or in a catalogue's answer (SRU, OAI)."""

from lxml.etree import _Element as Element
from pymarc import Field, Indicators, Record, Subfield

from tandem.records.formats import marc_fields, xml
from tandem.records.formats.assembly import Parts

_FIELDS = r"<(?:[A-Za-z_][\w.-]{0,60}:)?(?:leader|controlfield|datafield)\b"

# An answer's own `record` around the MARC has other elements first.
_CUT = xml.Cut(names="record", inside="datafield|controlfield", then=rf"\s*(?={_FIELDS})")

_LEADER = " " * 24


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


MARCXML = xml.XmlReader(_CUT, _parts)
