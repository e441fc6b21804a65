"""Records in JSON of other shapes: DOAJ, OpenAlex, Europe PMC, Lens, Semantic Scholar, Zotero.

What each calls a field is mostly what tables call it, too, so `columns` tells them; here stands
what is nested otherwise.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tandem.records.formats.assembly import Parts
from tandem.records.formats.json import reader as json_text
from tandem.records.formats.json.values import decisions, people, texts
from tandem.records.formats.table.cells import Cells, parts
from tandem.records.formats.table.columns import columns_of

_AUTHORS = (
    *("authors", "author", "authorships", "creators", "creator", "authorList", "contributors"),
    "authorString",
)
_IDENTIFIERS = ("identifier", "identifiers", "external_ids", "externalIds", "articleids", "ids")
_KEYWORDS = ("keywords", "keyword", "tags", "mesh_terms", "keywordList", "subjects")
_PEOPLE_NOT_AUTHORS = frozenset({"editor", "translator", "reviewedAuthor", "seriesEditor"})
_DEEPEST = 4
_MOST_POSITIONS = 100_000


def _core(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part that is the record: DOAJ's `bibjson`, Zotero's `data`, an index's source.

    A trial of ClinicalTrials.gov has its fields in modules.
    """
    study = item.get("Study") if isinstance(item.get("Study"), Mapping) else item
    for name in ("protocolSection", "ProtocolSection"):
        if isinstance(study, Mapping) and isinstance(section := study.get(name), Mapping):
            modules = [module for module in section.values() if isinstance(module, Mapping)]
            return {key: value for module in modules for key, value in module.items()}
    for name in ("bibjson", "data", "_source", "attributes"):
        inner = item.get(name)
        if isinstance(inner, Mapping) and "title" not in item:
            outer = {key: item[key] for key in ("id", "key", "_id") if key in item}
            return {**outer, **inner}
    return item


def _parts(item: Mapping[str, Any]) -> Parts:
    record = _core(item)
    flat = _flat(record)
    found = parts(_cells(flat))
    identifiers = dict(_identifiers(record))
    pmids = [identifiers.get("pmid", ""), identifiers.get("pubmed", "")]
    authors = _authors(record)
    keywords = [term for name in _KEYWORDS for term in texts(_inner_list(record.get(name)))]
    return replace(
        found,
        abstracts=[*found.abstracts, _uninverted(record.get("abstract_inverted_index"))],
        authors=authors or found.authors,
        dois=[*found.dois, identifiers.get("doi", "")],
        pmids=[*found.pmids, *pmids],
        notes=[*found.notes, *flat.get("extra", ())],
        urls=[*found.urls, *_urls(record)],
        keywords=keywords or found.keywords,
        priors=decisions(record) or found.priors,
    )


def _flat(record: Mapping[str, Any], before: str = "", depth: int = 0) -> dict[str, list[str]]:
    """Return the texts under each name; within an object it is `journal.title`."""
    found: dict[str, list[str]] = {}
    for name, value in record.items():
        path = f"{before}.{name}" if before else name
        if isinstance(value, Mapping):
            if depth < _DEEPEST:
                found.update(_flat(value, path, depth + 1))
        elif listed := [one for one in texts(value) if one.strip()]:
            found[path] = listed
    return found


def _cells(flat: Mapping[str, list[str]]) -> Cells:
    names = list(flat)
    return {
        field: [
            "; ".join(flat[names[at]])
            if field in {"authors", "keywords", "type", "registry ids"}
            else one
            for at in columns
            for one in flat[names[at]][:1]
        ]
        for field, columns in columns_of(names).items()
    }


def _authors(record: Mapping[str, Any]) -> list[str]:
    for name in _AUTHORS:
        listed = _inner_list(record.get(name))
        if isinstance(listed, list):
            listed = [
                one
                for one in listed
                if not (isinstance(one, Mapping) and one.get("creatorType") in _PEOPLE_NOT_AUTHORS)
            ]
        if isinstance(listed, list | Mapping) and (found := people(listed)):
            return found
    return []


def _inner_list(value: object) -> object:
    """Return the list within `{"author": [...]}`, as Europe PMC has them; else the value."""
    if isinstance(value, Mapping) and len(value) == 1:
        inner = next(iter(value.values()))
        return inner if isinstance(inner, list) else value
    return value


def _identifiers(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of every identifier, the last first: a later one is replaced."""
    for name in _IDENTIFIERS:
        value = record.get(name)
        if isinstance(value, Mapping):
            for kind, one in value.items():
                yield kind.lower(), next(texts(one), "")
        for one in reversed(value) if isinstance(value, list) else ():
            if isinstance(one, Mapping):
                kind = next(texts(one.get("type") or one.get("idtype")), "")
                yield kind.lower(), next(texts(one.get("id") or one.get("value")), "")


def _urls(record: Mapping[str, Any]) -> Iterator[str]:
    for name in ("link", "links", "urls", "source_urls", "fullTextUrlList"):
        yield from texts(_inner_list(record.get(name)))


def _uninverted(index: object) -> str:
    """Return the text that OpenAlex gives as the places of each word."""
    if not isinstance(index, Mapping):
        return ""
    placed = [
        (int(place), word)
        for word, places in index.items()
        if isinstance(places, list)
        for place in places
        if isinstance(place, str) and place.isdecimal() and len(place) < 8
    ]
    return " ".join(word for _, word in sorted(placed)[:_MOST_POSITIONS])


def _is_titled(item: Mapping[str, Any]) -> bool:
    return "title" in _cells(_flat(_core(item)))


JSON = json_text.JsonReader(lambda _, items: any(map(_is_titled, items)), _parts)
