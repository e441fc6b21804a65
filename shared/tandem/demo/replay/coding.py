"""Codes a project that was handed over, in place of a person with a tool for that."""

import io
import re
import zipfile
from collections.abc import Iterator
from uuid import UUID, uuid5

from lxml import etree

from tandem.demo.replay.papers import packed

_NS = "{urn:QDA-XML:project:1.0}"
_IDS = UUID("5e7a1ed0-0000-4000-8000-000000001528")
_THEME = "SYNTHETIC: being a peer worker"
CONSTRUCTS = {
    "Between two roles": r"\b(?:role|identity|professional)",
    "Held by others": r"\b(?:support|supervis|team|colleague)",
    "The price of sharing": r"\b(?:stigma|stress|burn|disclos|boundar)",
}
"""By construct: a sentence with a word that begins like this is one of its passages. Made up."""

_SENTENCE = re.compile(r"\w[^.!?]{20,}[.!?]")


def coded(project: bytes) -> bytes:
    """Return a project of REFI-QDA 1.5 with a code book and coded sentences.

    Args:
        project: As it was handed over.
    """
    with zipfile.ZipFile(io.BytesIO(project)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    root = etree.fromstring(members["project.qde"], etree.XMLParser(resolve_entities=False))
    root.set("origin", "Replay of Tandem (SYNTHETIC)")
    coder = _coder(root)
    _code_book(root)
    for holder in [one for one in root.iter() if one.get("plainTextPath")]:
        path = str(holder.get("plainTextPath")).replace("internal://", "Sources/")
        _code(holder, members[path].decode("utf-8"), coder)
    members["project.qde"] = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return packed(members)


def _guid(*of: object) -> str:
    return str(uuid5(_IDS, "/".join(map(str, of))))


def _coder(root: "etree._Element") -> str:
    users = root.find(f"{_NS}Users")
    if users is None:
        users = etree.Element(f"{_NS}Users")
        root.insert(0, users)
    etree.SubElement(users, f"{_NS}User", guid=_guid("coder"), name="Kim (simulated)")
    return _guid("coder")


def _code_book(root: "etree._Element") -> None:
    if (given := root.find(f"{_NS}CodeBook")) is not None:
        root.remove(given)
    book = etree.Element(f"{_NS}CodeBook")
    codes = etree.SubElement(book, f"{_NS}Codes")
    theme = etree.SubElement(
        codes, f"{_NS}Code", guid=_guid(_THEME), name=_THEME, isCodable="false"
    )
    for name in CONSTRUCTS:
        etree.SubElement(theme, f"{_NS}Code", guid=_guid(name), name=name, isCodable="true")
    root.insert(1, book)  # behind the users, as the schema has it


def _code(holder: "etree._Element", text: str, coder: str) -> None:
    of = holder.get("guid")
    place = sum(
        etree.QName(child).localname in ("Description", "PlainTextContent") for child in holder
    )
    for number, (start, end, construct) in enumerate(_found(text)):
        selection = etree.Element(
            f"{_NS}PlainTextSelection",
            guid=_guid(of, number),
            name=text[start:end],
            startPosition=str(start),
            endPosition=str(end),
        )
        coding = etree.SubElement(
            selection, f"{_NS}Coding", guid=_guid(of, number, "coding"), creatingUser=coder
        )
        etree.SubElement(coding, f"{_NS}CodeRef", targetGUID=_guid(construct))
        holder.insert(place + number, selection)


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    for sentence in _SENTENCE.finditer(text):
        for construct, words in CONSTRUCTS.items():
            if re.search(words, sentence[0], re.IGNORECASE):
                yield sentence.start(), sentence.end(), construct
