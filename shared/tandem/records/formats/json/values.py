"""Values of JSON as texts: names of people, dates, earlier decisions, lists of any shape."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from tandem.records.formats import priors
from tandem.records.formats.entry import Prior

_MOST = 10_000
_DEEPEST = 5
_TELLING_NAMES = (
    "literal name display_name fullName full_name value term keyword tag url URL label title id"
    " descriptor_name $ content raw text"
)
_TELLING = _TELLING_NAMES.split()
"""Of an object that stands for one text, the part that is it."""

Object = Mapping[str, Any]


def texts(value: object, depth: int = 0) -> Iterator[str]:
    """Yield the texts in `value`: itself, or those of a list, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool) or value is None or depth > _DEEPEST:
        return
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, list):
        for one in value[:_MOST]:
            yield from texts(one, depth + 1)
    elif isinstance(value, Mapping):
        part = next((value[name] for name in _TELLING if value.get(name)), None)
        yield from texts(part, depth + 1)


def text(value: object) -> str:
    """Return the first text in `value` that is not blank, or an empty one."""
    return next((one for one in texts(value) if one.strip()), "")


def people(value: object, depth: int = 0) -> list[str]:
    """Return the names in a list of people, or in one text as it stands."""
    if isinstance(value, list):
        return [
            name for one in value[:_MOST] if depth < _DEEPEST for name in people(one, depth + 1)
        ]
    if not isinstance(value, Mapping):
        return [one for one in texts(value) if one.strip()]
    name = person(value)
    if name or depth >= _DEEPEST:
        return [name] if name else []
    if isinstance(value.get("author"), Mapping | list):
        return people(value["author"], depth + 1)
    # VuFind: names are the keys, under the part they had.
    roles = [value[role] for role in ("primary", "corporate", "secondary") if value.get(role)]
    return [name for role in roles if isinstance(role, Mapping) for name in islice(role, _MOST)]


def person(value: Object) -> str:
    """Return a name as `Family, Given`, or as it is given whole."""

    def part(*names: str) -> str:
        found = (value[name] for name in names if isinstance(value.get(name), str))
        return next((one.strip() for one in found if one.strip()), "")

    family = part("family", "lastName", "last_name", "surname", "lastname", "familyName", "last")
    given = part("given", "firstName", "first_name", "forename", "initials", "givenName", "first")
    particle = part("non-dropping-particle", "dropping-particle", "prefix")
    if family:
        suffix = part("suffix")
        last = f"{particle} {family}" if particle else family
        return ", ".join(filter(None, (last, suffix, given)))
    whole = part(
        *("literal", "name", "display_name", "fullName", "full_name", "displayName", "raw_name"),
        *("collectiveName", "collective_name", "authname", "ce:indexed-name"),
    )
    return whole or given


def dates(value: object) -> list[str]:
    """Return the dates in a date of CSL (`date-parts`, `raw`, `literal`) or a plain one."""
    if isinstance(value, Mapping):
        parts = value.get("date-parts")
        while isinstance(parts, list) and parts and isinstance(parts[0], list):
            parts = parts[0]
        if isinstance(parts, list) and parts:
            return [str(parts[0])]
        return [
            one for name in ("raw", "literal", "year", "date") for one in texts(value.get(name))
        ]
    return list(texts(value))


def decisions(screened: object) -> tuple[Prior, ...]:
    """Return the `decisions` of a record that was exported from here, one for each reviewer."""
    found = screened.get("decisions") if isinstance(screened, Mapping) else None
    return tuple(
        Prior(
            verdict,
            text(one.get("reviewer")) or None,
            tuple(dict.fromkeys(texts(one.get("reasons")))),
            tuple(dict.fromkeys(texts(one.get("labels")))),
        )
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, Mapping) and (verdict := priors.label(text(one.get("verdict"))))
    )
