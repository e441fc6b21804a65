"""What a file says of itself, from which `matching` finds whose text it is. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tandem.ids import RecordNumber
from tandem.records.formats import normalise

_DOI = re.compile(r"10\.[0-9]{4,9}/[^\s\"]{1,300}", re.I)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file.

    Attributes:
        name: With its folders, where it came with any.
        first_page: Its text; empty where there is none.
        dois: From the metadata, as they stand there.
        title: From the metadata, where it is often that of another file.
        mapped: The records that the map gives the file.
    """

    name: str
    first_page: str = ""
    dois: Sequence[str] = ()
    title: str = ""
    mapped: Collection[RecordNumber] = ()


def dois_of(text: str) -> list[list[str]]:
    """Return the DOIs in a text in their order, each as it may be read: a line's end may cut it."""
    found = []
    for match in _DOI.finditer(text):
        rest = re.match(r"\n(\S{1,100})", text[match.end() : match.end() + 101])
        readings = [match[0], match[0] + rest[1]] if rest else [match[0]]
        found.append([doi for doi in map(normalise.doi, readings) if doi is not None])
    return found


def metadata_dois(file: FileFacts) -> list[str]:
    """Return the DOIs of the metadata, each once, as all others are written."""
    return list(dict.fromkeys(filter(None, map(normalise.doi, file.dois))))
