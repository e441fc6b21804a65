"""MARC as JSON: `{"leader": "…", "fields": [{"245": {"subfields": [{"a": "Title"}]}}]}`."""

from collections.abc import Iterator, Mapping
from typing import Any

from tandem.records.formats.assembly import Parts
from tandem.records.formats.json import reader as json_text
from tandem.records.formats.marc import fields as marc_fields
from tandem.records.formats.marc import record as marc_record


def _is_marc(item: Mapping[str, Any]) -> bool:
    fields = item.get("fields")
    return isinstance(item.get("leader"), str) and isinstance(fields, list)


def _parts(item: Mapping[str, Any]) -> Parts:
    return marc_fields.parts(marc_record.made(str(item.get("leader", "")), _fields(item)))


def _fields(item: Mapping[str, Any]) -> Iterator[marc_record.Written]:
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


MARC_JSON = json_text.JsonReader(lambda _, items: any(map(_is_marc, items)), _parts)
