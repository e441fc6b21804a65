"""What somebody does with a project in a tool for coding, and how such tools differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import refi
from refi import NS
from tandem.demo.replay.papers import packed

_IDS = UUID(int=7)


@dataclass(frozen=True)
class Coded:
    """A passage of a source, by the name of the source and of the code; `who` has coded it."""

    source: str
    start: int
    end: int
    code: str
    who: str = "Ann"


def guid(*of: object) -> str:
    return str(uuid5(_IDS, "/".join(map(str, of))))


def coded(
    project: bytes,
    passages: Sequence[Coded],
    codes: Sequence[tuple[str, ...]],
    *,
    name: str | None = None,
    new_ids: bool = False,
    edit: Callable[[str], str] | None = None,
    with_texts: bool = True,
) -> bytes:
    """Return a project with codings, as a tool writes it.

    Args:
        project: As Tandem hands it over.
        passages: What is coded. Positions are of the text as `edit` makes it.
        codes: Paths of names, parents first.
        name: Of the project in the tool.
        new_ids: Whether the tool gives sources and codes GUIDs of its own, each time others.
        edit: What the tool does to texts, such as CRLF.
        with_texts: Whether it writes the texts of the sources into the file.
    """
    read = refi.read(project)
    root, members = read.root, dict(read.members)
    root.set("origin", "A tool")
    if name is not None:
        root.set("name", name)
    salt = str(uuid4()) if new_ids else ""
    _users(root, passages)
    _code_book(root, codes, salt)
    named = {path[-1]: guid("code", *path, salt) for path in codes}
    for holder in _holders(root):
        source = str(holder.get("name"))
        path = str(holder.get("plainTextPath")).replace("internal://", "Sources/")
        text = members[path].decode()
        text = edit(text) if edit else text
        members[path] = text.encode()
        at = 0
        for n, one in enumerate(one for one in passages if one.source == source):
            _select(holder, at + n, one, text[one.start : one.end], named[one.code], salt)
        if not with_texts:
            del members[path]
    if new_ids:
        for tag in ("TextSource", "PDFSource", "Representation"):
            for element in root.iter(f"{NS}{tag}"):
                _renumber(root, element)
    ElementTree.register_namespace("", NS.strip("{}"))
    members["project.qde"] = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return packed(members)


def texts(project: bytes) -> dict[str, str]:
    """Return the plain text of each source by the name of what holds it."""
    read = refi.read(project)
    return {str(one.get("name")): read.texts[str(one.get("guid"))] for one in _holders(read.root)}


def _holders(root: Element) -> list[Element]:
    return [one for one in root.iter() if one.get("plainTextPath")]


def _users(root: Element, passages: Sequence[Coded]) -> None:
    if not passages:
        return
    users = root.find(f"{NS}Users")
    if users is None:
        users = Element(f"{NS}Users")
        root.insert(0, users)
    for who in sorted({one.who for one in passages}):
        SubElement(users, f"{NS}User", guid=guid("user", who), name=f"{who} (coder)")


def _code_book(root: Element, codes: Sequence[tuple[str, ...]], salt: str) -> None:
    if (old := root.find(f"{NS}CodeBook")) is not None:
        root.remove(old)
    if not codes:
        return
    book = Element(f"{NS}CodeBook")
    made: dict[tuple[str, ...], Element] = {(): SubElement(book, f"{NS}Codes")}
    for path in codes:
        of = {"guid": guid("code", *path, salt), "name": path[-1], "isCodable": "true"}
        made[path] = SubElement(made[path[:-1]], f"{NS}Code", of)
    root.insert(int(root.find(f"{NS}Users") is not None), book)


def _select(holder: Element, n: int, one: Coded, quote: str, code: str, salt: str) -> None:
    positions = {"startPosition": str(one.start), "endPosition": str(one.end)}
    of = {"guid": guid(holder.get("guid"), n, salt), "name": quote, **positions}
    selection = Element(f"{NS}PlainTextSelection", of)
    by = guid("user", one.who)
    coding = SubElement(
        selection, f"{NS}Coding", guid=guid(holder.get("guid"), n, "c", salt), creatingUser=by
    )
    SubElement(coding, f"{NS}CodeRef", targetGUID=code)
    tags = [child.tag.removeprefix(NS) for child in holder]
    place = sum(tag in ("Description", "PlainTextContent", "PlainTextSelection") for tag in tags)
    holder.insert(place, selection)


def _renumber(root: Element, one: Element) -> None:
    old, new = one.get("guid"), str(uuid4())
    one.set("guid", new)
    for reference in root.iter(f"{NS}SourceRef"):
        if reference.get("targetGUID") == old:
            reference.set("targetGUID", new)
