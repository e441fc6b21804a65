"""MARCXML: MARC records as XML, alone, in a collection or in a catalogue's answer (SRU, OAI)."""

from collections.abc import Iterator

from lxml.etree import _Element as Element

from tandem.records.formats.assembly import Parts
from tandem.records.formats.marc import fields as marc_fields
from tandem.records.formats.marc import record as marc_record
from tandem.records.formats.xml import reader as xml
from tandem.records.formats.xml import tree

_FIELDS = r"<(?:[A-Za-z_][\w.-]{0,60}:)?(?:leader|controlfield|datafield)\b"

# An answer's own `record` around the MARC has other elements first.
_CUT = xml.Cut(names="record", inside="datafield|controlfield", then=rf"\s*(?={_FIELDS})")


def _parts(element: Element) -> Parts:
    leader = tree.text_of(element.find("leader"))
    return marc_fields.parts(marc_record.made(leader, _fields(element)))


def _fields(element: Element) -> Iterator[marc_record.Written]:
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


MARCXML = xml.XmlReader(_CUT, _parts)
