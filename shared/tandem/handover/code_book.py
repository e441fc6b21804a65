"""Codes of a synthesis as a tree: read from several code books, shown as one. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tandem.ids import CodeId, new_id


@dataclass(frozen=True, slots=True)
class FileCode:
    """A code as a file has it. `guid` and `parent` are the file's own ids; a parent comes first."""

    guid: str
    parent: str | None
    name: str
    description: str = ""
    color: str | None = None
    is_codable: bool = True


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a review. `guid` is the id that the newest file gave it."""

    id: CodeId
    guid: UUID
    parent: CodeId | None
    name: str
    description: str
    color: str | None
    is_codable: bool

    def stored(self) -> dict[str, Any]:
        """Return it as a row of a code book holds it."""
        return {
            "id": str(self.id),
            "guid": str(self.guid),
            "parent": None if self.parent is None else str(self.parent),
            "name": self.name,
            "description": self.description,
            "color": self.color,
            "is_codable": self.is_codable,
        }

    @classmethod
    def read(cls, stored: dict[str, Any]) -> "Code":
        parent = stored["parent"]
        return cls(
            id=CodeId(UUID(stored["id"])),
            guid=UUID(stored["guid"]),
            parent=None if parent is None else CodeId(UUID(parent)),
            name=stored["name"],
            description=stored["description"],
            color=stored["color"],
            is_codable=stored["is_codable"],
        )


class Tree:
    """The codes of several books, parents before children; of one code the newest book counts.

    Args:
        books: From the oldest to the newest. In a book a parent comes before its children.
    """

    def __init__(self, books: Sequence[Sequence[Code]]) -> None:
        newest = dict[CodeId, Code]()
        for book in reversed(books):
            for code in book:
                newest.setdefault(code.id, code)
        # No circle comes of it: who is in a book has its parents there, too, and the newest book
        # of a code is never newer than that of its parent.
        children = dict[CodeId | None, list[CodeId]]()
        for code in newest.values():
            children.setdefault(code.parent, []).append(code.id)
        self.codes: dict[CodeId, Code] = {}
        self._children = children
        waiting = children.get(None, [])[::-1]
        while waiting:
            id = waiting.pop()
            self.codes[id] = newest[id]
            waiting += children.get(id, [])[::-1]

    def path(self, id: CodeId, names: Mapping[CodeId, str] | None = None) -> tuple[str, ...]:
        """Return the names from the root of the tree to a code; `names` are others of the codes."""
        found, at = list[str](), self.codes.get(id)
        while at is not None:
            found.append(at.name if names is None else names[at.id])
            at = None if at.parent is None else self.codes.get(at.parent)
        return tuple(reversed(found))

    def under(self, id: CodeId) -> set[CodeId]:
        """Return a code with all codes below it."""
        found, waiting = set[CodeId](), [id]
        while waiting:
            found.add(at := waiting.pop())
            waiting += self._children.get(at, [])
        return found


def unique_names(codes: Iterable[Code]) -> dict[CodeId, str]:
    """Return the names under which codes are handed over: importers refuse one name twice."""
    names, taken = dict[CodeId, str](), set[str]()
    for code in codes:
        name, n = code.name, 1
        while name.casefold() in taken:
            n += 1
            name = f"{code.name} ({n})"
        taken.add(name.casefold())
        names[code.id] = name
    return names


def identified(codes: Iterable[FileCode], known: Sequence[Sequence[Code]]) -> list[Code]:
    """Return the codes of a file as codes of the review.

    A code is one that the review knows if it has its GUID, or else its path of names: some
    programs give new GUIDs each time. All others are new.

    Args:
        codes: Of the file; a parent comes before its children.
        known: All books of the review, from the oldest to the newest.
    """
    by_guid = {code.guid: code.id for book in known for code in book}
    tree = Tree(known)
    names = unique_names(tree.codes.values())
    by_path = {_folded(tree.path(id, names)): id for id in tree.codes}
    by_path |= {_folded(tree.path(id)): id for id in tree.codes}
    taken, found, paths = set[CodeId](), dict[str, Code](), dict[str, tuple[str, ...]]()
    for code in codes:
        above = paths[code.parent] if code.parent is not None else ()
        paths[code.guid] = (*above, code.name)
        guid = _uuid(code.guid)
        ids = (by_guid.get(guid) if guid else None, by_path.get(_folded(paths[code.guid])))
        id = next((one for one in ids if one is not None and one not in taken), CodeId(new_id()))
        taken.add(id)
        found[code.guid] = Code(
            id=id,
            guid=guid or id,
            parent=None if code.parent is None else found[code.parent].id,
            name=code.name,
            description=code.description,
            color=code.color,
            is_codable=code.is_codable,
        )
    return [*found.values()]


def _folded(path: Iterable[str]) -> tuple[str, ...]:
    return tuple(" ".join(name.split()).casefold() for name in path)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None
