"""MARC as JSON: `{"leader": "…", "fields": [{"245": {"subfields": [{"a": "Title"}]}}]}`."""

from collections.abc import Mapping
from typing import Any

from pymarc import Field, Indicators, Record, Subfield

from tandem.records.formats import json_text, marc_fields
from tandem.records.formats.assembly import Parts


def _is_marc(item: Mapping[str, Any]) -> bool:
    fields = item.get("fields")
    return isinstance(item.get("leader"), str) and isinstance(fields, list)


def _parts(item: Mapping[str, Any]) -> Parts:
    record = Record(leader=str(item.get("leader", "")).ljust(24)[:24])
    fields = item.get("fields")
    for field in fields if isinstance(fields, list) else ():
        for tag, value in field.items() if isinstance(field, Mapping) else ():
            if isinstance(value, Mapping) and not tag.startswith("00"):
                record.fields.append(_field(tag, value))
            elif isinstance(value, str) and tag.startswith("00"):
                record.fields.append(Field(tag=tag, data=value))
    return marc_fields.parts(record)


def _field(tag: str, value: Mapping[str, Any]) -> Field:
    listed = value.get("subfields")
    subfields = [
        Subfield(code=str(code)[:1], value=text.strip())
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping)
        for code, text in each.items()
        if code and isinstance(text, str)
    ]
    signs = [(str(value.get(name) or " ") + " ")[0] for name in ("ind1", "ind2")]
    return Field(tag=tag, indicators=Indicators(*signs), subfields=subfields)


MARC_JSON = json_text.JsonReader(lambda _, items: any(map(_is_marc, items)), _parts)
