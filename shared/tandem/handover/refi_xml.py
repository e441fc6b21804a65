"""XML of REFI-QDA as it comes from others: nothing in it is expanded, fetched or believed."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from lxml import etree
from lxml.etree import _Element as Element

from tandem.errors import Invalid
from tandem.handover.code_book import FileCode

MOST_CODES = 5_000
LONGEST_NAME = 500
LONGEST_NOTE = 20_000
_DEEPEST = 50
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_CODES = ("Code", "Codes", "CodeBook")


class UnreadableProject(Invalid):
    """The file is no project and no code book of REFI-QDA, or it is damaged."""

    code = "unreadable_project"

    def __init__(self, why: str) -> None:
        super().__init__(f"The file cannot be read: {why}", field="file")


def elements(source: BinaryIO, wanted: frozenset[str]) -> Iterator[tuple[str, Element]]:
    """Yield each element whose name is `wanted`, whole, with its name; it is freed afterwards.

    The first is the root as it begins, without its children. Of elements inside of one another
    the outer is not yielded complete if the inner is wanted, too.

    Raises:
        UnreadableProject: It is not well-formed, has a document type, or is nested too deep.
    """
    try:
        events = etree.iterparse(
            source,
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        is_first = True
        for event, element in events:
            name = local(element)
            if is_first:
                # A document type can define entities that grow beyond any measure.
                if element.getroottree().docinfo.doctype:
                    raise UnreadableProject("it has a document type, which REFI-QDA does not know.")
                is_first = False
                yield name, element
            elif event == "end" and name in wanted:
                yield name, element
                element.clear(keep_tail=False)
    except etree.XMLSyntaxError as error:
        raise UnreadableProject(f"it is not well-formed XML ({error.msg}).") from None


def local(element: Element) -> str:
    """Return the name of an element without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def codes_of(book: Element) -> list[FileCode]:
    """Return the codes of a `CodeBook`, parents before children.

    Raises:
        UnreadableProject: There are too many, or one has no name or no GUID.
    """
    found = list[FileCode]()
    waiting: list[tuple[Element, str | None]] = [(book, None)]
    while waiting:
        element, parent = waiting.pop()
        if local(element) == "Code":
            found.append(_code(element, parent))
            parent = found[-1].guid
        if len(found) > MOST_CODES:
            raise UnreadableProject(f"it has more than {MOST_CODES:,} codes.")
        inner = [(child, parent) for child in element if local(child) in _CODES]
        waiting += inner[::-1]
    if len({code.guid for code in found}) < len(found):
        raise UnreadableProject("two of its codes have one GUID.")
    return found


def _code(element: Element, parent: str | None) -> FileCode:
    name, guid = one_line(element.get("name")), element.get("guid", "")
    if not name or not guid:
        raise UnreadableProject("one of its codes has no name or no GUID.")
    note = next((child.text or "" for child in element if local(child) == "Description"), "")
    color = element.get("color", "")
    return FileCode(
        guid=guid,
        parent=parent,
        name=name,
        description=note.strip()[:LONGEST_NOTE],
        color=color if _COLOR.fullmatch(color) else None,
        is_codable=element.get("isCodable", "true").strip().lower() not in ("false", "0"),
    )


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())[:LONGEST_NAME]


def read_code_book(content: bytes) -> list[FileCode]:
    """Return the codes of a code book: a QDC, or a list with a name on each line.

    In a list a line that is indented further than the one above is below it. A tab counts as
    four blanks. Behind a tab or ` | ` in a line stands a description.

    Raises:
        UnreadableProject: It is neither, or holds no code.
    """
    if re.match(rb"\s*(?:\xef\xbb\xbf)?\s*<", content):
        found = next(
            (
                codes_of(element)
                for name, element in elements(BytesIO(content), frozenset({"CodeBook"}))
                if name == "CodeBook" and len(element)
            ),
            [],
        )
    else:
        found = _listed(content)
    if not found:
        raise UnreadableProject("there is no code in it.")
    return found


def _listed(content: bytes) -> list[FileCode]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableProject("it is no QDC, and no list in UTF-8.") from None
    found, above = list[FileCode](), list[tuple[int, str]]()
    for line in text.splitlines():
        if not line.strip():
            continue
        depth = len(line[: len(line) - len(line.lstrip())].expandtabs(4))
        name, _, note = re.sub(r"\s*\t\s*", " | ", line.strip()).partition(" | ")
        while above and above[-1][0] >= depth:
            above.pop()
        parent = above[-1][1] if above else None
        guid = f"line {len(found)}"
        if "\x00" in line or not one_line(name):
            raise UnreadableProject("it is no QDC, and no list of names.")
        found.append(FileCode(guid, parent, one_line(name), note.strip()[:LONGEST_NOTE]))
        if len(found) > MOST_CODES:
            raise UnreadableProject(f"it has more than {MOST_CODES:,} lines.")
        above.append((depth, guid))
        if len(above) > _DEEPEST:
            raise UnreadableProject(f"its codes are nested more than {_DEEPEST} deep.")
    return found
